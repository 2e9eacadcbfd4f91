// leat describe: what is built in. The options come from the tables that also read and check them.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <iterator>

#include "daemon/api/openapi.h"
#include "daemon/cli/describe_pages.h"
#include "daemon/cli/describe_schema.h"
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

void list_connectors() {
  fmt::print("connectors\n");
  for (const auto& connector : runtime::catalog().connectors)
    fmt::print("  {:<12} {:<14} {}\n", connector.name,
               connector.can_read && connector.can_write ? "source, sink"
               : connector.can_read                      ? "source"
                                                         : "sink",
               connector.doc);
}

void list_formats() {
  fmt::print("formats\n");
  for (const auto& format : runtime::catalog().formats) fmt::print("  {}\n", format.name);
}

void list_forms() {
  for (const plan::LanguageForm& form : plan::all_language_forms())
    fmt::print("{}\n    {}\n", form.form, form.doc);
}

void list_functions() {
  for (const functions::ScalarFunction& function : functions::all_scalars())
    fmt::print("{}\n    {}\n", function.signature, function.doc);
  fmt::print("\naggregates\n");
  for (const functions::AggregateFunction& function : functions::all_aggregates())
    fmt::print("{}\n    {}\n", function.signature, function.doc);
}

void list_settings() {
  for (const plan::Setting& setting : plan::all_settings())
    if (setting.effect == plan::SettingEffect::kUsed)
      fmt::print("'{}'  {}\n    {}\n", setting.key, setting.type, setting.doc);
}

void list_configuration() {
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

/// False: there is no connector of that name.
bool print_connector(const std::string& name) {
  const plan::ConnectorInfo* connector = runtime::catalog().find_connector(name);
  if (connector != nullptr) print_connector(*connector);
  return connector != nullptr;
}

/// False: there is no format of that name.
bool print_format(const std::string& name) {
  const plan::FormatInfo* format = runtime::catalog().find_format(name);
  if (format != nullptr) print_format(*format);
  return format != nullptr;
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

template <class Things>
std::vector<std::string> names_of(const Things& things) {
  std::vector<std::string> names;
  for (const auto& thing : things) names.emplace_back(thing.name);
  return names;
}

std::vector<std::string> connector_names() {
  return names_of(runtime::catalog().connectors);
}

std::vector<std::string> format_names() {
  return names_of(runtime::catalog().formats);
}

std::vector<std::string> form_names() {
  std::vector<std::string> names;
  for (const auto& form : plan::all_language_forms())
    names.insert(names.end(), form.names.begin(), form.names.end());
  return names;
}

std::vector<std::string> function_names() {
  std::vector<std::string> names = names_of(functions::all_scalars());
  std::ranges::move(names_of(functions::all_aggregates()), std::back_inserter(names));
  return names;
}

std::vector<std::string> setting_names() {
  std::vector<std::string> names;
  for (const auto& setting : plan::all_settings()) names.emplace_back(setting.key);
  return names;
}

std::vector<std::string> option_names() {
  return {};  // So many that the nearest one is seldom the one that was meant.
}

/// The manual lists forms such as LAG among the functions.
bool print_function_or_form(const std::string& name) {
  return print_function(name) || print_form(name);
}

/// What can be described; the plural of its word lists all of it.
struct Kind {
  std::string_view word;
  bool (*print)(const std::string& name);
  void (*list)();
  std::vector<std::string> (*names)();
};

void list_options() {
  list_connectors();
  list_formats();
  fmt::print("\n'leat describe connector NAME' and 'leat describe format NAME' print the options of one.\n");
}

constexpr std::array<Kind, 6> kKinds{{{"connector", print_connector, list_connectors, connector_names},
                                      {"format", print_format, list_formats, format_names},
                                      {"form", print_form, list_forms, form_names},
                                      {"function", print_function_or_form, list_functions, function_names},
                                      {"setting", print_setting, list_settings, setting_names},
                                      {"option", print_option, list_options, option_names}}};

const Kind* kind_of(std::string_view word) {
  if (word.ends_with('s')) word.remove_suffix(1);
  const auto* found = std::ranges::find(kKinds, word, &Kind::word);
  return found != kKinds.end() ? found : nullptr;
}

std::vector<std::string> names_of_kinds() {
  std::vector<std::string> names;
  for (const Kind& kind : kKinds) names.push_back(std::string(kind.word) + "s");
  return names;
}

/// Of the names as they are, or in capitals, as functions have them.
std::string nearest_of(const std::string& name, const std::vector<std::string>& names) {
  const std::string nearest = did_you_mean(name, names);
  return nearest.empty() ? did_you_mean(in_capitals(name), names) : nearest;
}

std::vector<std::string> all_names() {
  std::vector<std::string> names = names_of_kinds();
  names.emplace_back("configuration");
  for (const Kind& kind : kKinds) std::ranges::move(kind.names(), std::back_inserter(names));
  return names;
}

int refuse(const std::string& what, const std::string& name, const std::vector<std::string>& known) {
  fmt::print(stderr, "leat describe: there is no {} '{}'{}\n", what, name, nearest_of(name, known));
  return kUsage;
}

int describe_page(const std::string& name) {
  if (name == "functions") return fmt::print("{}", functions_page()), kOk;
  if (name == "settings") return fmt::print("{}", settings_page()), kOk;
  if (name == "connectors") return fmt::print("{}", connectors_page()), kOk;
  if (name == "routes") return fmt::print("{}", api::routes_page(api::routes())), kOk;
  if (name == "configuration") return fmt::print("{}", configuration_page()), kOk;
  fmt::print(stderr,
             "leat describe: --markdown takes 'configuration', 'connectors', 'functions', 'routes' or "
             "'settings'\n");
  return kUsage;
}

/// Null: nothing of the name has one.
nlohmann::ordered_json schema_of(std::string_view kind, const std::string& name) {
  nlohmann::ordered_json schema;
  if (kind.empty() && name == "configuration") schema = configuration_schema();
  if (schema.is_null() && (kind.empty() || kind == "connector")) schema = connector_schema(name);
  if (schema.is_null() && (kind.empty() || kind == "format")) schema = format_schema(name);
  return schema;
}

int describe_schema(const std::vector<std::string>& words) {
  const Kind* kind = words.size() > 1 ? kind_of(words[0]) : nullptr;
  if (words.size() > 1 && kind == nullptr) return refuse("kind of thing called", words[0], names_of_kinds());
  const nlohmann::ordered_json schema =
      words.empty() ? tables_schema() : schema_of(kind != nullptr ? kind->word : "", words.back());
  if (schema.is_null()) {
    std::vector<std::string> known = connector_names();
    std::ranges::move(format_names(), std::back_inserter(known));
    return refuse("connector or format, which have schemas,", words.back(), known);
  }
  fmt::print("{}\n", schema.dump(2));
  return kOk;
}

/// One word: a list, or something of any kind.
int describe_word(const std::string& word) {
  if (word == "configuration") return list_configuration(), kOk;
  for (const Kind& kind : kKinds)
    if (kind.print(word)) return kOk;
  if (const Kind* kind = kind_of(word); kind != nullptr) return kind->list(), kOk;
  return refuse("connector, format, function, setting, option or form of the language", word, all_names());
}

}  // namespace

int describe(const DescribeOptions& options) {
  const std::string first = options.words.empty() ? "" : options.words[0];
  if (options.form == DescribeOptions::Form::kMarkdown) return describe_page(first);
  if (options.form == DescribeOptions::Form::kJsonSchema) return describe_schema(options.words);
  if (options.words.empty()) return list_options(), kOk;
  if (options.words.size() == 1) return describe_word(first);
  const Kind* kind = kind_of(first);
  if (kind == nullptr) return refuse("kind of thing called", first, names_of_kinds());
  if (kind->print(options.words[1])) return kOk;
  return refuse(std::string(kind->word), options.words[1], kind->names());
}

}  // namespace leat::cli
