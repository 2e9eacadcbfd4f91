#include "daemon/cli/usage.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <vector>

#include "daemon/cli/exit_code.h"
#include "pipelines/base/nearest.h"

namespace leat::cli {
namespace {

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    verbs.push_back(verb->get_name());
  return verbs;
}

/// "there is no verb 'rnu' (did you mean 'run'?)"
std::string unknown_verb(const CLI::App& app, const std::string& name) {
  return "there is no verb '" + name + "'" + did_you_mean(name, verbs_of(app));
}

/// "'leat outbox' needs one of list, show, …" for a verb without its action.
std::string missing_action(const CLI::App& verb) {
  std::string all;
  for (const std::string& action : verbs_of(verb)) all += (all.empty() ? "" : ", ") + action;
  if (all.empty()) return "'leat " + verb.get_name() + "' needs a FILE, or -e and the SQL, and not both";
  return "'leat " + verb.get_name() + "' needs one of " + all;
}

/// "--output", not "-- a comment of SQL".
bool looks_like_option(std::string_view text) {
  return text.size() > 2 && text.starts_with("--") &&
         std::ranges::none_of(text, [](unsigned char c) { return std::isspace(c) != 0; });
}

/// "there is no option '--outptu' (did you mean '--output'?)", or nothing when every option is known.
std::string unknown_option(const CLI::App& app, int argc, char** argv) {
  const CLI::App* verb = &app;
  while (!verb->get_subcommands().empty()) verb = verb->get_subcommands().front();
  std::vector<std::string> known;
  for (const CLI::Option* option : verb->get_options([](const CLI::Option*) { return true; }))
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  for (const CLI::App* group :
       verb->get_subcommands([](const CLI::App* each) { return each->get_name().empty(); }))
    for (const CLI::Option* option : group->get_options([](const CLI::Option*) { return true; }))
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  for (int i = 1; i < argc; ++i) {
    const std::string given = std::string(argv[i]).substr(0, std::string_view(argv[i]).find('='));
    if (!looks_like_option(given)) continue;
    if (std::find(known.begin(), known.end(), given) != known.end()) continue;
    return "there is no option '" + given + "'" + did_you_mean(given, known);
  }
  return {};
}

}  // namespace

int complain_of_usage(const std::string& message) {
  std::fprintf(stderr, "leat: %s\nTry 'leat --help' or 'leat VERB --help'.\n", message.c_str());
  return kUsage;
}

std::string usage_error(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  const CLI::App* verb = &app;
  int next = 1;
  for (; !verb->get_subcommands().empty(); ++next) verb = verb->get_subcommands().front();
  const std::vector<std::string> verbs = verbs_of(*verb);  // A group of options is one without a name.
  const bool lacks_verb =
      next < argc && std::ranges::any_of(verbs, [](const auto& name) { return !name.empty(); });
  if (lacks_verb && argv[next][0] != '-') return unknown_verb(*verb, argv[next]);
  if (lacks_verb && next > 1) return missing_action(*verb);
  if (std::string option = unknown_option(app, argc, argv); !option.empty()) return option;
  const bool lacks_any = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && next > 1;
  return lacks_any && !verbs.empty() ? missing_action(*verb) : error.what();
}

int help(const CLI::App& app, const std::string& verb) {
  const CLI::App* of = &app;
  if (!verb.empty()) {
    const auto named = app.get_subcommands([&](const CLI::App* each) { return each->get_name() == verb; });
    if (named.empty()) return complain_of_usage(unknown_verb(app, verb));
    of = named.front();
  }
  // Not App::help: that would give the help of the verb that was parsed, which is "help".
  const std::string name = verb.empty() ? app.get_name() : app.get_name() + " " + verb;
  const std::string text = of->get_formatter()->make_help(of, name, CLI::AppFormatMode::Normal);
  std::fputs(text.c_str(), stdout);
  return kOk;
}

}  // namespace leat::cli
