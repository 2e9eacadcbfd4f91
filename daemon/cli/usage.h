// What is wrong with a command line, in words that help.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace leat::cli {

/// Prints it with a hint where help is; gives the exit code.
int complain_of_usage(const std::string& message);

/// What is wrong with the command line, with the verb that was probably meant. A wrong verb comes first:
/// whether there is such an option depends on it.
std::string usage_error(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv);

/// Prints what --help prints, of the program (an empty verb) or of a verb; gives the exit code.
int help(const CLI::App& app, const std::string& verb);

}  // namespace leat::cli
