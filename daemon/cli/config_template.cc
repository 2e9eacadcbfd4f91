// /etc/leat/leat.toml as the packages bring it: every key of the configuration with what it means and its
// default, each a comment. From the table that reads it, so it cannot tell of keys that are not there.
#include <fmt/format.h>

#include <algorithm>

#include "daemon/cli/command_tree.h"
#include "daemon/config/config.h"

namespace leat::cli {
namespace {

constexpr std::size_t kWidth = 100;

/// `text` as comment lines of at most `kWidth` characters, broken between words.
std::string comment(std::string_view text) {
  std::string out;
  std::string line = "#";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (line.size() + 1 + word.size() > kWidth) {
      out += line + "\n";
      line = "#";
    }
    line += fmt::format(" {}", word);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out + line + "\n";
}

/// "listen" of "api.listen", whose table is "api".
std::pair<std::string, std::string> split(const std::string& key) {
  const std::size_t dot = key.rfind('.');
  if (dot == std::string::npos) return {"", key};
  return {key.substr(0, dot), key.substr(dot + 1)};
}

/// What stands right of the equals sign. A key without a default shows what kind of value it takes.
std::string value_of(const OptionDoc& key) {
  if (key.type.starts_with("list")) return "[]";
  if (key.default_text.empty()) return fmt::format("\"\"  # {}", key.type);
  return fmt::format("\"{}\"", key.default_text);
}

}  // namespace

std::string config_template() {
  std::string text =
      "# The configuration of the Leat daemon; leat.toml(5) describes it. Every key is optional: a line "
      "behind\n"
      "# '#' says what holds without it, as far as there is a default. After a change:\n"
      "#   leat check /etc/leat/leat.toml && systemctl restart leat\n";
  std::string table;
  for (const OptionDoc& key : config::config_docs()) {
    const auto [in, name] = split(key.key);
    if (in != table) text += fmt::format("\n[{}]\n", in);
    table = in;
    text += "\n" + comment(key.doc);
    text += fmt::format("#{} = {}\n", name, value_of(key));
  }
  return text;
}

}  // namespace leat::cli
