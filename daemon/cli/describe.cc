// leat describe: what is built in. The options come from the tables that also read and check them.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "daemon/api/openapi.h"
#include "daemon/cli/describe_pages.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/verbs.h"
#include "daemon/config/config.h"
#include "daemon/runtime/catalog.h"
#include "pipelines/base/nearest.h"
#include "pipelines/functions/aggregate.h"
#include "pipelines/functions/scalar.h"
#include "pipelines/plan/language_forms.h"
#include "pipelines/plan/settings.h"

namespace leat::cli {
namespace {

void print_options(std::string_view title, const std::vector<OptionDoc>& options) {
  if (options.empty()) return;
  fmt::print("\n{}\n", title);
  for (const OptionDoc& option : options) {
    const bool required = option.necessity == Necessity::kRequired;
    const std::string preset = required                      ? "required"
                               : option.default_text.empty() ? "optional"
                                                             : "default '" + option.default_text + "'";
    fmt::print("  '{}'  {}, {}\n      {}\n", option.key, option.type, preset, option.doc);
  }
}

void print_connector(const plan::ConnectorInfo& connector) {
  fmt::print("connector '{}'\n  {}\n", connector.name, connector.doc);
  if (connector.can_read) {
    print_options("As a source:", connector.source_options());
    const auto metadata = connector.metadata ? connector.metadata({}) : std::vector<plan::MetadataColumn>();
    if (!metadata.empty()) fmt::print("\nMetadata columns:\n");
    for (const auto& column : metadata)
      fmt::print("  {} {}{}  {}\n", column.key, column.type.to_string(), column.writable ? ", writable" : "",
                 column.doc);
    print_options("Every source table:", plan::common_source_options());
  }
  if (connector.can_write) {
    print_options("As a sink:", connector.sink_options());
    if (connector.delivered) print_options("Every sink table:", plan::common_sink_options());
  }
}

void print_format(const plan::FormatInfo& format) {
  const std::string_view directions = format.can_decode && format.can_encode ? "read and written"
                                      : format.can_decode                    ? "read only"
                                                                             : "written only";
  fmt::print("format '{}': {}\n", format.name, directions);
  print_options("Options:", format.options());
}

void print_all(const plan::Catalog& catalog) {
  fmt::print("connectors\n");
  for (const auto& connector : catalog.connectors)
    fmt::print("  {:<12} {:<14} {}\n", connector.name,
               connector.can_read && connector.can_write ? "source, sink"
               : connector.can_read                      ? "source"
                                                         : "sink",
               connector.doc);
  fmt::print("formats\n");
  for (const auto& format : catalog.formats) fmt::print("  {}\n", format.name);
  fmt::print(
      "\n'leat describe NAME' prints the options of one; 'leat describe functions', 'leat describe "
      "settings' and 'leat describe configuration' list those.\n");
}

void print_functions() {
  for (const functions::ScalarFunction& function : functions::all_scalars())
    fmt::print("{}\n    {}\n", function.signature, function.doc);
  fmt::print("\naggregates\n");
  for (const functions::AggregateFunction& function : functions::all_aggregates())
    fmt::print("{}\n    {}\n", function.signature, function.doc);
}

void print_settings() {
  for (const plan::Setting& setting : plan::all_settings())
    if (setting.effect == plan::SettingEffect::kUsed)
      fmt::print("'{}'  {}\n    {}\n", setting.key, setting.type, setting.doc);
}

void print_configuration() {
  for (const OptionDoc& key : config::config_docs())
    fmt::print("{}  {}{}\n    {}\n", key.key, key.type,
               key.default_text.empty() ? "" : ", default " + key.default_text, key.doc);
}

std::string in_capitals(const std::string& name) {
  std::string upper = name;
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

/// False: there is no form of the language of that name.
bool print_form(const std::string& name) {
  const plan::LanguageForm* form = plan::find_language_form(in_capitals(name));
  if (form != nullptr) fmt::print("{}\n    {}\n    {};\n", form->form, form->doc, form->example);
  return form != nullptr;
}

/// False: there is no setting of that name.
bool print_setting(const std::string& name) {
  const auto& settings = plan::all_settings();
  const auto found = std::ranges::find(settings, name, &plan::Setting::key);
  if (found == std::end(settings)) return false;
  fmt::print("setting '{}'  {}\n    {}\n", found->key, found->type, found->doc);
  return true;
}

/// Options of connectors and formats, by their whole key. False: none has one.
bool print_option(const std::string& name) {
  bool any = false;
  const auto print = [&](const std::string& of, const std::vector<OptionDoc>& options) {
    for (const OptionDoc& option : options) {
      if (option.key != name) continue;
      fmt::print("option '{}' of {}: {}\n    {}\n", option.key, of, option.type, option.doc);
      any = true;
    }
  };
  for (const auto& connector : runtime::catalog().connectors) {
    if (connector.can_read)
      print("connector '" + connector.name + "' as a source", connector.source_options());
    if (connector.can_write) print("connector '" + connector.name + "' as a sink", connector.sink_options());
  }
  for (const auto& format : runtime::catalog().formats)
    print("format '" + format.name + "'", format.options());
  print("every source table", plan::common_source_options());
  print("every sink table", plan::common_sink_options());
  return any;
}

/// Of the names as they are, or in capitals, as functions have them.
std::string nearest_of(const std::string& name, const std::vector<std::string>& names) {
  const std::string nearest = did_you_mean(name, names);
  return nearest.empty() ? did_you_mean(in_capitals(name), names) : nearest;
}

/// False: there is no function of that name.
bool print_function(const std::string& name) {
  const std::string upper = in_capitals(name);
  if (const auto* aggregate = functions::find_aggregate(upper); aggregate != nullptr) {
    fmt::print("{}\n    {}\n", aggregate->signature, aggregate->doc);
    return true;
  }
  const auto* scalar = functions::find_scalar(upper);
  if (scalar == nullptr) return false;
  fmt::print("{}\n    {}\n    {}  =  {}\n", scalar->signature, scalar->doc, scalar->example,
             scalar->example_result);
  return true;
}

int describe_page(const DescribeOptions& options) {
  if (options.name == "functions") return fmt::print("{}", functions_page()), kOk;
  if (options.name == "settings") return fmt::print("{}", settings_page()), kOk;
  if (options.name == "connectors") return fmt::print("{}", connectors_page()), kOk;
  if (options.name == "routes") return fmt::print("{}", api::routes_page(api::routes())), kOk;
  if (options.name == "configuration") return fmt::print("{}", configuration_page()), kOk;
  fmt::print(stderr,
             "leat describe: --markdown takes 'configuration', 'connectors', 'functions', 'routes' or "
             "'settings'\n");
  return kUsage;
}

int describe_list(const std::string& name) {
  if (name == "functions")
    print_functions();
  else if (name == "settings")
    print_settings();
  else if (name == "configuration")
    print_configuration();
  else
    print_all(runtime::catalog());
  return kOk;
}

}  // namespace

int describe(const DescribeOptions& options) {
  const plan::Catalog& catalog = runtime::catalog();
  if (options.form == DescribeOptions::Form::kMarkdown) return describe_page(options);
  if (options.name.empty() || options.name == "connectors" || options.name == "functions" ||
      options.name == "settings" || options.name == "configuration")
    return describe_list(options.name);
  if (const auto* connector = catalog.find_connector(options.name); connector != nullptr) {
    print_connector(*connector);
    return kOk;
  }
  if (const auto* format = catalog.find_format(options.name); format != nullptr) {
    print_format(*format);
    return kOk;
  }
  if (print_form(options.name) || print_function(options.name)) return kOk;
  if (print_setting(options.name) || print_option(options.name)) return kOk;
  std::vector<std::string> names = {"configuration", "connectors", "functions", "settings"};
  for (const auto& function : functions::all_scalars()) names.push_back(function.name);
  for (const auto& function : functions::all_aggregates()) names.push_back(function.name);
  for (const auto& form : plan::all_language_forms())
    names.insert(names.end(), form.names.begin(), form.names.end());
  for (const auto& connector : catalog.connectors) names.push_back(connector.name);
  for (const auto& format : catalog.formats) names.push_back(format.name);
  for (const auto& setting : plan::all_settings()) names.emplace_back(setting.key);
  fmt::print(
      stderr,
      "leat describe: there is no connector, format, function, setting, option or form of the language "
      "'{}'{}\n",
      options.name, nearest_of(options.name, names));
  return kUsage;
}

}  // namespace leat::cli
