// The manual's pages, in roff with the man macros: leat(1) from the definition of the command line,
// leat.toml(5) from the table that reads the configuration.
#include <fmt/format.h>

#include "daemon/cli/command_tree.h"
#include "daemon/config/config.h"

namespace leat::cli {
namespace {

/// Text of a line: no character of it is roff's.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '\'')
      out += "\\(aq";
    else if (c == '\n')
      out += ' ';
    else
      out += c;
  }
  return out.empty() || (out.front() != '.') ? out : "\\&" + out;
}

std::string bold(std::string_view text) {
  return "\\fB" + plain(text) + "\\fR";
}

std::string italic(std::string_view text) {
  return "\\fI" + plain(text) + "\\fR";
}

std::string title(std::string_view name, std::string_view section, const std::string& version) {
  return fmt::format(".TH {} {} \"\" \"Leat {}\" \"Leat\"\n", name, section, version);
}

/// "leat pipelines deploy [OPTIONS] FILE"
std::string synopsis(const Command& command) {
  std::string text = bold(command.path.empty() ? "leat" : "leat " + command.path);
  bool any = false;
  for (const CommandOption& option : command.options) any = any || !option.positional;
  if (any) text += " [" + italic("OPTIONS") + "]";
  if (!command.subcommands.empty()) text += " " + italic(command.path.empty() ? "VERB" : "ACTION");
  for (const CommandOption& option : command.options) {
    if (!option.positional) continue;
    const std::string name = italic(option.names.front()) + (option.repeated ? "..." : "");
    text += option.required ? " " + name : " [" + name + "]";
  }
  return text;
}

std::string option_entry(const CommandOption& option) {
  std::string names;
  for (const std::string& name : option.names)
    names += (names.empty() ? "" : ", ") + (option.positional ? italic(name) : bold(name));
  if (!option.positional && option.takes_value) names += " " + italic("VALUE");
  std::string text = ".TP\n" + names + "\n" + plain(option.doc);
  if (!option.default_text.empty()) text += fmt::format(" (default: {})", plain(option.default_text));
  return text + "\n";
}

std::string section_of(const Command& command) {
  std::string text = ".SS \"" + plain("leat " + command.path) + "\"\n";
  text += synopsis(command) + "\n.PP\n" + plain(command.doc) + ".\n";
  for (const CommandOption& option : command.options)
    if (option.names.back() != "--help") text += option_entry(option);
  return text;
}

constexpr const char* kExitStatus =
    ".SH \"EXIT STATUS\"\n"
    ".TP\n\\fB0\\fR\nDone.\n"
    ".TP\n\\fB1\\fR\nFailed while running, or refused by the daemon.\n"
    ".TP\n\\fB2\\fR\nWrong usage.\n"
    ".TP\n\\fB78\\fR\nA wrong pipeline or configuration.\n";

constexpr const char* kFiles =
    ".SH FILES\n"
    ".TP\n\\fI/etc/leat/leat.toml\\fR\nThe daemon's configuration; see \\fBleat.toml\\fR(5).\n"
    ".TP\n\\fI/etc/leat/leat.d/*.toml\\fR\nMore of it, which wins over the file.\n"
    ".TP\n\\fI/etc/leat/pipelines/*.sql\\fR\nPipelines, one per file.\n"
    ".TP\n\\fI/var/lib/leat\\fR\nThe store and the journals.\n";

}  // namespace

std::string man_page(const std::vector<Command>& commands, const std::string& version) {
  std::string text = title("LEAT", "1", version);
  text += ".SH NAME\nleat \\- edge stream processor: continuous Flink SQL beside the sensors\n.SH SYNOPSIS\n";
  text += synopsis(commands.front()) + "\n.SH DESCRIPTION\n" + plain(commands.front().doc) + "\n.PP\n";
  text +=
      "A pipeline is a file of SQL in Flink\\(aqs dialect. \\fBleat serve\\fR runs pipelines as a daemon, "
      "\\fBleat run\\fR "
      "one in the foreground; most other verbs ask the daemon.\n.SH COMMANDS\n";
  for (const Command& command : commands)
    if (!command.path.empty()) text += section_of(command);
  text += kExitStatus;
  text += kFiles;
  return text + ".SH \"SEE ALSO\"\n\\fBleat.toml\\fR(5), \\fBmosquitto\\fR(8), \\fBsqlite3\\fR(1)\n";
}

std::string config_man_page(const std::string& version) {
  std::string text = title("LEAT.TOML", "5", version);
  text +=
      ".SH NAME\nleat.toml \\- configuration of the Leat daemon\n.SH DESCRIPTION\n"
      "The file \\fI/etc/leat/leat.toml\\fR, in TOML. Every key has a default, and an empty file (or none) "
      "runs. A key "
      "with a dot stands in a table: \\fBlog.level\\fR is \\fBlevel\\fR below \\fB[log]\\fR. Values are "
      "texts in quotes.\n"
      ".SH LAYERS\nWhat is set comes from, the later winning key by key:\n"
      ".IP 1. 4\nthe defaults;\n"
      ".IP 2. 4\nthe file that \\fB\\-\\-config\\fR names, else \\fI/etc/leat/leat.toml\\fR;\n"
      ".IP 3. 4\n\\fI*.toml\\fR in the folder beside it that is called like it with \\fI.d\\fR for "
      "\\fI.toml\\fR (\\fI/etc/leat/leat.d\\fR), in the order of their names;\n"
      ".IP 4. 4\nthe environment: \\fBLEAT_\\fR and the key in capitals, with two underscores for the dot, "
      "such as "
      "\\fBLEAT_API__LISTEN\\fR; the elements of a list are separated by a semicolon;\n"
      ".IP 5. 4\n\\fB\\-\\-set\\fR of \\fBleat serve\\fR, such as \\fB\\-\\-set "
      "api.listen=127.0.0.1:8463\\fR.\n"
      ".PP\n\\fBleat config show\\fR prints every key, its value, and where that comes from. \\fBleat "
      "reload\\fR has a running daemon read it all anew: \\fBlog.level\\fR counts at once, all else at the "
      "next "
      "start.\n"
      ".SH KEYS\n";
  for (const OptionDoc& key : config::config_docs()) {
    text += ".TP\n" + bold(key.key) + " (" + plain(key.type) + ")\n" + plain(key.doc);
    if (!key.default_text.empty()) text += fmt::format(" Default: {}.", bold(key.default_text));
    text += "\n";
  }
  return text +
         ".SH EXAMPLE\n.nf\ndata_dir = \"/var/lib/leat\"\n\n[log]\nlevel = \"debug\"\n.fi\n.SH \"SEE "
         "ALSO\"\n\\fBleat\\fR(1)\n";
}

}  // namespace leat::cli
