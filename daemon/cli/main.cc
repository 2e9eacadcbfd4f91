// The `leat` command: options to structs, verbs to functions.
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <map>
#include <memory>
#include <system_error>

#include "daemon/cli/command_line.h"
#include "daemon/cli/command_tree.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/usage.h"
#include "daemon/cli/verbs.h"
#include "daemon/config/time_zone.h"
#include "leat_version.h"
#include "pipelines/column/zone_names.h"

namespace {

using namespace leat::cli;

void add_completions(CLI::App& app, Chosen& chosen) {
  static const std::map<std::string, Shell> kShells{
      {"bash", Shell::kBash}, {"zsh", Shell::kZsh}, {"fish", Shell::kFish}};
  auto shell = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("completions", "Print a script that completes 'leat' in a shell");
  verb->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  verb->callback([&chosen, &app, shell] {
    chosen = [&app, shell] {
      std::fputs(completions(commands_of(app), kShells.at(*shell)).c_str(), stdout);
      return kOk;
    };
  });
}

/// For the packages; hidden.
void add_man_page(CLI::App& app, Chosen& chosen) {
  auto page = std::make_shared<std::string>();
  CLI::App* verb =
      app.add_subcommand("man-page", "Print a page of the manual, or the default configuration")->group("");
  verb->add_option("PAGE", *page, "leat.1, leat.toml.5, or leat.toml itself")
      ->required()
      ->check(CLI::IsMember({"leat.1", "leat.toml.5", "leat.toml"}));
  verb->callback([&chosen, &app, page] {
    chosen = [&app, page] {
      std::string text;
      if (*page == "leat.1") text = man_page(commands_of(app), leat::kVersion);
      if (*page == "leat.toml.5") text = config_man_page(leat::kVersion);
      if (*page == "leat.toml") text = config_template();
      std::fputs(text.c_str(), stdout);
      return kOk;
    };
  });
}

void add_help(CLI::App& app, Chosen& chosen) {
  auto name = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("help", "Print what --help prints, of Leat or of a verb");
  verb->add_option("VERB", *name, "A verb");
  verb->callback([&chosen, &app, name] { chosen = [&app, name] { return help(app, *name); }; });
}

int unwritten(const std::error_code& why) {
  fmt::print(stderr, "leat: writing to standard output: {}\n", why.message());
  return kFailed;
}

/// The exit code of a verb that has printed: what is still to be written counts, too.
int written(int code) {
  if (std::fflush(stdout) == 0) return code;
  return unwritten({errno, std::generic_category()});
}

}  // namespace

int main(int argc, char** argv) {
  leat::set_zone_exists(leat::config::is_installed_zone);
  CLI::App app("Leat: an edge stream processor. Continuous Flink SQL beside the sensors.", "leat");
  app.set_version_flag(
      "--version", [] { return version_text(); }, "Print the version of Leat and of its libraries");
  app.require_subcommand(1);
  Chosen chosen;
  add_own_verbs(app, chosen);
  add_asking_verbs(app, chosen);
  add_completions(app, chosen);
  add_man_page(app, chosen);
  add_help(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return written(app.exit(success));
  } catch (const CLI::ParseError& error) {
    return complain_of_usage(usage_error(app, error, argc, argv));
  }
  try {
    return written(chosen());
  } catch (const std::system_error& error) {  // fmt's, of a standard output that takes nothing.
    return unwritten(error.code());
  }
}
