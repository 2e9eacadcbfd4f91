// The verbs of the command line: each with its options, and what it does when it is chosen.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <vector>

namespace leat::cli {

/// What the verb does that was given; returns the exit code.
using Chosen = std::function<int()>;

/// Those that need no daemon, or are it.
void add_own_verbs(CLI::App& app, Chosen& chosen);
/// Those that ask the daemon.
void add_asking_verbs(CLI::App& app, Chosen& chosen);

/// FILE or -e SQL: exactly one of them.
void add_pipeline(CLI::App* verb, std::string& file, std::string& text);

}  // namespace leat::cli
