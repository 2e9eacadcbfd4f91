#include "daemon/cli/describe_pages.h"

#include <fmt/format.h>

#include "daemon/config/layers.h"
#include "daemon/runtime/catalog.h"
#include "pipelines/functions/aggregate.h"
#include "pipelines/functions/scalar.h"
#include "pipelines/plan/language_forms.h"
#include "pipelines/plan/settings.h"

namespace leat::cli {
namespace {

constexpr std::string_view kMade =
    "<!-- Made by packaging/docs/generate from the tables of the program. -->\n\n";

/// A cell of a table: a bar would end it.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string code(std::string_view text) {
  return text.empty() ? "" : fmt::format("`{}`", cell(text));
}

std::string options_table(const std::vector<OptionDoc>& options) {
  std::string text = "| option | type | default | |\n|---|---|---|---|\n";
  for (const OptionDoc& option : options)
    text += fmt::format("| `{}` | {} | {} | {} |\n", option.key, cell(option.type),
                        option.necessity == Necessity::kRequired ? "required" : code(option.default_text),
                        cell(option.doc));
  return text + "\n";
}

std::string connector_section(const plan::ConnectorInfo& connector) {
  std::string text = fmt::format("## {}\n\n{}\n\n", connector.name, connector.doc);
  if (connector.can_read) {
    if (const auto options = connector.source_options(); !options.empty())
      text += "As a source:\n\n" + options_table(options);
    const auto metadata = connector.metadata ? connector.metadata({}) : std::vector<plan::MetadataColumn>();
    if (!metadata.empty()) text += "Metadata columns:\n\n| key | type | |\n|---|---|---|\n";
    for (const auto& column : metadata)
      text += fmt::format("| `{}` | {} | {}{} |\n", column.key, column.type.to_string(), cell(column.doc),
                          column.writable ? " Writable." : "");
    if (!metadata.empty()) text += "\n";
  }
  if (connector.can_write)
    if (const auto options = connector.sink_options(); !options.empty())
      text += "As a sink:\n\n" + options_table(options);
  return text;
}

}  // namespace

std::string functions_page() {
  std::string text = "# Functions\n\n" + std::string(kMade) +
                     "Each example is evaluated by the tests; beside it is its result as text.\n\n"
                     "## Scalar functions and operators\n\n| | | example | result |\n|---|---|---|---|\n";
  for (const functions::ScalarFunction& function : functions::all_scalars())
    text += fmt::format("| {} | {} | {} | {} |\n", code(function.signature), cell(function.doc),
                        code(function.example), code(function.example_result));
  text += "\n## Aggregate functions\n\nAll take `DISTINCT` and `FILTER (WHERE …)`.\n\n| | |\n|---|---|\n";
  for (const functions::AggregateFunction& function : functions::all_aggregates())
    text += fmt::format("| {} | {} |\n", code(function.signature), cell(function.doc));
  text += "\n## Forms of the language\n\n[The dialect](sql.md) shows them.\n\n| | |\n|---|---|\n";
  for (const plan::LanguageForm& form : plan::all_language_forms())
    text += fmt::format("| {} | {} |\n", code(form.form), cell(form.doc));
  return text;
}

std::string settings_page() {
  std::string text = "# Settings\n\n" + std::string(kMade) +
                     "`SET 'key' = 'value';` in a pipeline file, or `--set key=value` on the command line, "
                     "which wins.\n\n| key | type | |\n|---|---|---|\n";
  std::string without;
  for (const plan::Setting& setting : plan::all_settings()) {
    const std::string row =
        fmt::format("| `{}` | {} | {} |\n", setting.key, cell(setting.type), cell(setting.doc));
    if (setting.effect == plan::SettingEffect::kUsed) text += row;
    if (setting.effect == plan::SettingEffect::kNone) without += row;
  }
  return text +
         "\nOf a Flink cluster, accepted with a warning so that a file runs there and here:\n\n"
         "| key | type | why it does nothing here |\n|---|---|---|\n" +
         without;
}

std::string configuration_page() {
  std::string text =
      "# Configuration\n\n" + std::string(kMade) +
      "Every key has a default: an empty `leat.toml` runs, and none. What is set comes from, the later "
      "winning key by key:\n\n"
      "1. the defaults\n"
      "2. the file that `--config` names, else `/etc/leat/leat.toml`, which need not be there\n"
      "3. drop-ins: `*.toml` in the folder beside it that is called like it with `.d` for `.toml` "
      "(`/etc/leat/leat.d/`), in the order of their names\n"
      "4. the environment: `LEAT_` and the key in capitals, with `__` for the dot\n"
      "5. `--set KEY=VALUE` of `leat serve`, as often as wanted\n\n"
      "`leat config show` prints every key, its value, and where that comes from; `leat config check` says "
      "all "
      "that is wrong. A key that is not known is refused with the nearest name, and so is a wrong value, "
      "with "
      "its file, line and column, its variable, or its option; also where a later layer would win.\n\n"
      "In a file a key with a dot stands in a table (`api.listen` is `listen` below `[api]`), and values are "
      "texts in quotes; lists are arrays, sizes and counts may be plain numbers, durations have a unit. In "
      "the environment and with "
      "`--set` values are without quotes, and the elements of a list are separated by `;`. Other variables "
      "that begin with `LEAT_` are left alone, such as `LEAT_TOKEN` or a password that a pipeline reads by "
      "`${env:LEAT_PASSWORD}`, unless they have `__` or are spelt nearly like one of these.\n\n"
      "`leat reload` and SIGHUP [read it all anew](deploying.md#reloading): `log.level` counts at once, all "
      "else "
      "at the next start.\n\n"
      "| key | type | default | variable | |\n|---|---|---|---|---|\n";
  for (const OptionDoc& key : config::config_docs())
    text += fmt::format("| `{}` | {} | {} | `{}` | {} |\n", key.key, cell(key.type), code(key.default_text),
                        config::variable_of(key.key), cell(key.doc));
  return text;
}

std::string connectors_page() {
  const plan::Catalog& catalog = runtime::catalog();
  std::string text = "# Connectors and formats\n\n" + std::string(kMade) + "Every source table:\n\n" +
                     options_table(plan::common_source_options()) +
                     "Every sink table but those of `sqlite`, which are not delivered anywhere:\n\n" +
                     options_table(plan::common_sink_options());
  for (const auto& connector : catalog.connectors) text += connector_section(connector);
  for (const auto& format : catalog.formats)
    text += fmt::format("## Format {}\n\n", format.name) + options_table(format.options());
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

}  // namespace leat::cli
