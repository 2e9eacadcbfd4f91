#include "daemon/cli/command_tree.h"

#include <sstream>

namespace leat::cli {
namespace {

/// "TEXT:{system,event}" has two.
std::vector<std::string> values_of(const std::string& type) {
  std::vector<std::string> values;
  const std::size_t begin = type.find('{');
  const std::size_t end = type.find('}');
  if (begin == std::string::npos || end == std::string::npos) return values;
  std::istringstream list(type.substr(begin + 1, end - begin - 1));
  for (std::string value; std::getline(list, value, ',');) values.push_back(value);
  return values;
}

CommandOption option_of(const CLI::Option& option) {
  CommandOption made{.names = {},
                     .doc = option.get_description(),
                     .default_text = option.get_default_str(),
                     .values = values_of(option.get_type_name()),
                     .takes_value = option.get_expected_max() > 0 && option.get_type_size_max() > 0,
                     .positional = option.get_positional(),
                     .required = option.get_required(),
                     .repeated = option.get_expected_max() > 1};
  for (const std::string& name : option.get_snames()) made.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) made.names.push_back("--" + name);
  if (made.names.empty()) made.names.push_back(option.get_name(/*positional=*/true));
  made.positional = made.names.front().front() != '-';
  return made;
}

bool is_hidden(const CLI::App& app) {
  return app.get_group().empty();
}

void add_options(const CLI::App& app, Command& command) {
  for (const CLI::Option* option : app.get_options([](const CLI::Option*) { return true; }))
    if (!option->get_group().empty()) command.options.push_back(option_of(*option));
  // Groups of options are subcommands without a name.
  for (const CLI::App* group :
       app.get_subcommands([](const CLI::App* each) { return each->get_name().empty(); }))
    add_options(*group, command);
}

void add_commands(const CLI::App& app, const std::string& path, std::vector<Command>& commands) {
  const std::size_t place = commands.size();
  commands.push_back({.path = path, .doc = app.get_description(), .options = {}, .subcommands = {}});
  add_options(app, commands[place]);
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (sub->get_name().empty() || is_hidden(*sub)) continue;
    commands[place].subcommands.push_back(sub->get_name());
    add_commands(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), commands);
  }
}

}  // namespace

std::vector<Command> commands_of(const CLI::App& app) {
  std::vector<Command> commands;
  add_commands(app, "", commands);
  return commands;
}

}  // namespace leat::cli
