// The commands as data: what completions and the man page are made from, read off the one definition of the
// command line.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace leat::cli {

struct CommandOption {
  std::vector<std::string> names;  ///< "--json", "-e"; of an argument its name alone.
  std::string doc;
  std::string default_text;
  std::vector<std::string> values;  ///< Those that it takes; empty: any.
  bool takes_value = false;
  bool positional = false;
  bool required = false;
  bool repeated = false;
};

struct Command {
  std::string path;  ///< "pipelines deploy"; empty: leat itself.
  std::string doc;
  std::vector<CommandOption> options;    ///< In the order of --help; arguments among them.
  std::vector<std::string> subcommands;  ///< Their last words.
};

/// All of them, each before its subcommands. What is hidden from --help is none.
std::vector<Command> commands_of(const CLI::App& app);

enum class Shell { kBash, kZsh, kFish };
/// A script that the shell loads.
std::string completions(const std::vector<Command>& commands, Shell shell);

/// leat(1), in roff.
std::string man_page(const std::vector<Command>& commands, const std::string& version);
/// leat.toml(5), from the table that reads it.
std::string config_man_page(const std::string& version);
/// leat.toml with every key in a comment, as the packages bring it.
std::string config_template();

}  // namespace leat::cli
