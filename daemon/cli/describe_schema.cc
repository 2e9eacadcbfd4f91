#include "daemon/cli/describe_schema.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/runtime/catalog.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kOneOf = "one of ";
constexpr std::string_view kAnyKey = ".*";

ordered_json document(std::string title) {
  return {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", std::move(title)}};
}

ordered_json reference(const std::string& definition) {
  return {{"$ref", "#/$defs/" + definition}};
}

/// Of "one of 'a', 'b'".
std::vector<std::string> choices_of(std::string_view type) {
  std::vector<std::string> choices;
  for (std::size_t begin = type.find('\''); begin != std::string_view::npos; begin = type.find('\'', begin)) {
    const std::size_t end = type.find('\'', begin + 1);
    if (end == std::string_view::npos) break;
    choices.emplace_back(type.substr(begin + 1, end - begin - 1));
    begin = end + 1;
  }
  return choices;
}

/// A value as text, which all values of WITH ( … ) are.
ordered_json text_of(const OptionDoc& option) {
  ordered_json value{{"type", "string"}, {"description", option.doc}};
  const std::string_view type = option.type;
  if (type.starts_with(kOneOf))
    value["enum"] = choices_of(type);
  else if (type.starts_with("boolean"))
    value["enum"] = {"true", "false"};
  else if (type.starts_with("integer"))
    value["pattern"] = "^-?[0-9]+$";
  else if (type != "string")
    value["description"] = option.doc + " (A " + option.type + ".)";
  if (type == "duration") value["pattern"] = "^ *([0-9]+ *[A-Za-z]+ *)+$";
  if (type == "size") value["pattern"] = "^ *[0-9]+ *[A-Za-z]* *$";
  if (!option.default_text.empty()) value["default"] = option.default_text;
  return value;
}

/// A value of leat.toml.
ordered_json value_of(const OptionDoc& key) {
  ordered_json value = text_of(key);
  if (key.type == "boolean" || key.type == "integer") {
    value["type"] = key.type;
    value.erase("enum");
    if (!key.default_text.empty()) value["default"] = ordered_json::parse(key.default_text);
  }
  // Counts and sizes may be numbers or texts.
  if (key.type == "integer" || key.type == "size") value["type"] = {"integer", "string"};
  if (key.type.starts_with("list")) {
    value["type"] = {"string", "array"};
    value["items"] = {{"type", "string"}};
  }
  return value;
}

std::string literal_pattern(std::string_view text) {
  std::string pattern;
  for (const char c : text) pattern += c == '.' ? std::string("\\.") : std::string(1, c);
  return pattern;
}

/// Adds keys to "properties", and those that stand for all with a prefix to "patternProperties".
void add(ordered_json& schema, const std::vector<OptionDoc>& options) {
  for (const OptionDoc& option : options) {
    const std::string_view key = option.key;
    if (key.ends_with(kAnyKey))
      schema["patternProperties"]["^" + literal_pattern(key.substr(0, key.size() - 1))] = text_of(option);
    else
      schema["properties"][option.key] = text_of(option);
    if (option.necessity == Necessity::kRequired) schema["required"].push_back(option.key);
  }
}

ordered_json options_of(const plan::FormatInfo& format) {
  ordered_json schema{{"type", "object"}, {"properties", ordered_json::object()}};
  add(schema, format.options());
  return schema;
}

enum class TableRole : std::uint8_t { kSource, kSink };

/// One role of a connector; formats of the direction bring their keys along.
class TableSchema {
 public:
  TableSchema(const plan::ConnectorInfo& connector, TableRole role)
      : options_(role == TableRole::kSource ? connector.source_options() : connector.sink_options()),
        role_(role) {
    schema_ = {{"title", "connector '" + connector.name + "' as a " + (reads() ? "source" : "sink")},
               {"description", connector.doc},
               {"type", "object"},
               {"properties", {{"connector", {{"const", connector.name}}}}},
               {"required", {"connector"}}};
    add(schema_, options_);
    if (reads())
      add(schema_, plan::common_source_options());
    else if (connector.delivered)
      add(schema_, plan::common_sink_options());
    if (connector.needs_format) add_formats();
    schema_["unevaluatedProperties"] = false;
  }
  ordered_json take() { return std::move(schema_); }

 private:
  [[nodiscard]] bool reads() const { return role_ == TableRole::kSource; }
  [[nodiscard]] const OptionDoc* option(std::string_view key) const {
    const auto found = std::ranges::find(options_, key, &OptionDoc::key);
    return found == options_.end() ? nullptr : &*found;
  }
  [[nodiscard]] std::vector<const plan::FormatInfo*> formats() const {
    std::vector<const plan::FormatInfo*> found;
    for (const plan::FormatInfo& format : runtime::catalog().formats)
      if (reads() ? format.can_decode : format.can_encode) found.push_back(&format);
    return found;
  }

  /// Records of a key and a value have a format each, whose keys stand behind 'key.' and 'value.'; 'format'
  /// is another way to name the value's, unless that must be named.
  void add_formats() {
    const OptionDoc* value = option("value.format");
    if (value == nullptr || value->necessity == Necessity::kOptional) add_format("");
    if (value == nullptr)
      schema_["required"].push_back("format");
    else
      add_format("value.");
    if (option("key.format") != nullptr) add_format("key.");
  }

  void add_format(const std::string& prefix) {
    const std::string key = prefix + "format";
    ordered_json names = ordered_json::array();
    for (const plan::FormatInfo* format : formats()) {
      names.push_back(format->name);
      ordered_json keys = prefix.empty() ? reference("format." + format->name) : prefixed(prefix, *format);
      schema_["allOf"].push_back(
          {{"if", {{"properties", {{key, {{"const", format->name}}}}}, {"required", {key}}}},
           {"then", std::move(keys)}});
    }
    ordered_json& property = schema_["properties"][key];
    if (!property.contains("enum")) property["enum"] = names;
  }

  static ordered_json prefixed(const std::string& prefix, const plan::FormatInfo& format) {
    std::vector<OptionDoc> options = format.options();
    for (OptionDoc& option : options) option.key = prefix + option.key;
    ordered_json keys = ordered_json::object();
    add(keys, options);
    return keys;
  }

  const std::vector<OptionDoc> options_;
  const TableRole role_;
  ordered_json schema_;
};

void define(ordered_json& definitions, const plan::ConnectorInfo& connector) {
  ordered_json roles = ordered_json::array();
  const std::string name = "connector." + connector.name;
  if (connector.can_read) {
    definitions[name + ".source"] = TableSchema(connector, TableRole::kSource).take();
    roles.push_back(reference(name + ".source"));
  }
  if (connector.can_write) {
    definitions[name + ".sink"] = TableSchema(connector, TableRole::kSink).take();
    roles.push_back(reference(name + ".sink"));
  }
  definitions[name] = {{"anyOf", roles}};
}

ordered_json format_definitions() {
  ordered_json definitions = ordered_json::object();
  for (const plan::FormatInfo& format : runtime::catalog().formats)
    definitions["format." + format.name] = options_of(format);
  return definitions;
}

}  // namespace

ordered_json tables_schema() {
  ordered_json schema = document("The options of a table of Leat");
  ordered_json definitions = format_definitions();
  for (const plan::ConnectorInfo& connector : runtime::catalog().connectors) {
    define(definitions, connector);
    schema["anyOf"].push_back(reference("connector." + connector.name));
  }
  schema["$defs"] = std::move(definitions);
  return schema;
}

ordered_json connector_schema(const std::string& name) {
  const plan::ConnectorInfo* connector = runtime::catalog().find_connector(name);
  if (connector == nullptr) return nullptr;
  ordered_json schema = document("The options of a table of the connector '" + name + "'");
  ordered_json definitions = connector->needs_format ? format_definitions() : ordered_json::object();
  define(definitions, *connector);
  schema.update(reference("connector." + name));
  schema["$defs"] = std::move(definitions);
  return schema;
}

ordered_json format_schema(const std::string& name) {
  const plan::FormatInfo* format = runtime::catalog().find_format(name);
  if (format == nullptr) return nullptr;
  ordered_json schema = document("The options of the format '" + name + "'");
  schema.update(options_of(*format));
  schema["additionalProperties"] = false;
  return schema;
}

ordered_json configuration_schema() {
  ordered_json schema = document("leat.toml");
  schema["type"] = "object";
  for (const OptionDoc& key : config::config_docs()) {
    const std::size_t dot = key.key.find('.');
    ordered_json& table = dot == std::string::npos ? schema : schema["properties"][key.key.substr(0, dot)];
    table["type"] = "object";
    table["properties"][key.key.substr(dot == std::string::npos ? 0 : dot + 1)] = value_of(key);
    table["additionalProperties"] = false;
  }
  schema["additionalProperties"] = false;
  return schema;
}

}  // namespace leat::cli
