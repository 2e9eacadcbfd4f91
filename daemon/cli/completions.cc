// Scripts that complete the verbs, actions and options of `leat` in a shell. Each walks over the words before
// the cursor to the command that they name, and offers what that command takes; an
// argument is completed as a file's name, unless it and values of options are one of a few words.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "daemon/cli/command_tree.h"

namespace leat::cli {
namespace {

/// In single quotes of a POSIX shell.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

/// fish has an escape of its own.
std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

/// One line: a completion has no room for more.
std::string one_line(std::string_view text) {
  std::string out(text.substr(0, text.find('\n')));
  return out;
}

/// "word:what it does", as zsh's _describe takes it.
std::string zsh_item(const std::string& word, const std::string& doc) {
  std::string item;
  for (const char c : word) item += c == ':' ? "\\:" : std::string(1, c);
  return shell_quoted(item + ":" + one_line(doc));
}

const Command* find(const std::vector<Command>& commands, const std::string& path) {
  const auto found = std::ranges::find(commands, path, &Command::path);
  return found == commands.end() ? nullptr : &*found;
}

std::string below(const Command& command, const std::string& word) {
  return command.path.empty() ? word : command.path + " " + word;
}

/// Shell patterns of every step from a command to one below it: " run" | "pipelines deploy" …
std::string steps(const std::vector<Command>& commands, std::string_view separator) {
  std::string all;
  for (const Command& command : commands)
    for (const std::string& word : command.subcommands)
      all += (all.empty() ? "" : std::string(separator)) + shell_quoted(command.path + " " + word);
  return all;
}

std::string words_of(const Command& command) {
  std::string words;
  const auto add = [&](const std::string& word) { words += (words.empty() ? "" : " ") + word; };
  for (const std::string& word : command.subcommands) add(word);
  for (const CommandOption& option : command.options) {
    if (option.positional)
      for (const std::string& value : option.values) add(value);
    else
      for (const std::string& name : option.names) add(name);
  }
  return words;
}

/// True: its argument is one of a few words, and no file.
bool takes_words(const Command& command) {
  const auto has_words = [](const CommandOption& option) {
    return option.positional && !option.values.empty();
  };
  return !command.subcommands.empty() || std::ranges::any_of(command.options, has_words);
}

/// For each option that takes one of a few words: `line` of the cases in which the cursor is behind it.
template <class Line>
std::string value_cases(const std::vector<Command>& commands, const Line& line) {
  std::string text;
  for (const Command& command : commands)
    for (const CommandOption& option : command.options) {
      if (option.positional || option.values.empty()) continue;
      std::string cases;
      for (const std::string& name : option.names)
        cases += (cases.empty() ? "" : "|") + shell_quoted(command.path + " " + name);
      text += line(cases, fmt::format("{}", fmt::join(option.values, " ")));
    }
  return text;
}

std::string bash(const std::vector<Command>& commands) {
  std::string text = fmt::format(
      "# Completion of leat in bash; made by 'leat completions bash'.\n"
      "_leat() {{\n"
      "  local current=\"${{COMP_WORDS[COMP_CWORD]}}\" at='' word words='' files=no i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    word=\"${{COMP_WORDS[i]}}\"\n"
      "    case \"$at $word\" in\n"
      "      {})\n"
      "        at=\"${{at:+$at }}$word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$at\" in\n",
      steps(commands, "|"));
  for (const Command& command : commands)
    text += fmt::format("    {})\n      words={}{} ;;\n", shell_quoted(command.path),
                        shell_quoted(words_of(command)), takes_words(command) ? "" : "; files=yes");
  text += "  esac\n  case \"$at ${COMP_WORDS[COMP_CWORD-1]}\" in\n" +
          value_cases(commands, [](const std::string& cases, const std::string& values) {
            return fmt::format("    {})\n      words={}; files=no ;;\n", cases, shell_quoted(values));
          });
  return text +
         "  esac\n"
         "  COMPREPLY=()\n"
         "  if [[ \"$files\" == no || \"$current\" == -* ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "  else\n"
         "    mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
         "    compopt -o filenames 2> /dev/null\n"
         "  fi\n"
         "}\n"
         "complete -F _leat leat\n";
}

std::string zsh(const std::vector<Command>& commands) {
  std::string text = fmt::format(
      "#compdef leat\n"
      "# Completion of leat in zsh; made by 'leat completions zsh'.\n"
      "_leat() {{\n"
      "  local at='' word\n"
      "  local -i i\n"
      "  local -a verbs options\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n"
      "    word=\"${{words[i]}}\"\n"
      "    case \"$at $word\" in\n"
      "      ({})\n"
      "        at=\"${{at:+$at }}$word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$at\" in\n",
      steps(commands, "|"));
  for (const Command& command : commands) {
    text += fmt::format("    ({})\n      verbs=(", shell_quoted(command.path));
    for (const std::string& word : command.subcommands)
      if (const Command* sub = find(commands, below(command, word)))
        text += "\n        " + zsh_item(word, sub->doc);
    for (const CommandOption& option : command.options)
      if (option.positional)
        for (const std::string& value : option.values) text += "\n        " + zsh_item(value, option.doc);
    text += ")\n      options=(";
    for (const CommandOption& option : command.options)
      if (!option.positional)
        for (const std::string& name : option.names) text += "\n        " + zsh_item(name, option.doc);
    text += ") ;;\n";
  }
  text += "  esac\n  case \"$at ${words[CURRENT-1]}\" in\n" +
          value_cases(commands, [](const std::string& cases, const std::string& values) {
            return fmt::format("    ({})\n      compadd -- {}; return ;;\n", cases, values);
          });
  return text +
         "  esac\n"
         "  if [[ \"$PREFIX\" == -* ]]; then\n"
         "    _describe option options\n"
         "  elif (( ${#verbs} )); then\n"
         "    _describe verb verbs\n"
         "  else\n"
         "    _files\n"
         "  fi\n"
         "}\n"
         "compdef _leat leat\n";
}

std::string fish(const std::vector<Command>& commands) {
  std::string text = fmt::format(
      "# Completion of leat in fish; made by 'leat completions fish'.\n"
      "function __leat_at\n"
      "  set -l at ''\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    switch \"$at $word\"\n"
      "      case {}\n"
      "        set at (string trim -- \"$at $word\")\n"
      "    end\n"
      "  end\n"
      "  test \"$at\" = \"$argv\"\n"
      "end\n",
      steps(commands, " "));
  for (const Command& command : commands) {
    const std::string here = fmt::format("complete -c leat -n {} ", fish_quoted("__leat_at " + command.path));
    for (const std::string& word : command.subcommands)
      if (const Command* sub = find(commands, below(command, word)))
        text += fmt::format("{}-f -a {} -d {}\n", here, word, fish_quoted(one_line(sub->doc)));
    for (const CommandOption& option : command.options) {
      if (option.positional) {
        for (const std::string& value : option.values) text += fmt::format("{}-f -a {}\n", here, value);
        continue;
      }
      text += here;
      for (const std::string& name : option.names)
        text += name.starts_with("--") ? "-l " + name.substr(2) + " " : "-s " + name.substr(1) + " ";
      const std::string values =
          option.values.empty()
              ? ""
              : "-f -a " + fish_quoted(fmt::format("{}", fmt::join(option.values, " "))) + " ";
      text += fmt::format("{}{}-d {}\n", option.takes_value ? "-r " : "", values,
                          fish_quoted(one_line(option.doc)));
    }
  }
  return text;
}

}  // namespace

std::string completions(const std::vector<Command>& commands, Shell shell) {
  switch (shell) {
    case Shell::kBash:
      return bash(commands);
    case Shell::kZsh:
      return zsh(commands);
    case Shell::kFish:
      break;
  }
  return fish(commands);
}

}  // namespace leat::cli
