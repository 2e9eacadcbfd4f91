#include "daemon/config/toml_layer.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <sstream>

namespace leat::config {
namespace {

bool is_count(const OptionDoc& doc) {
  return doc.type == option_text::name_of(static_cast<const std::uint64_t*>(nullptr));
}

/// "a string in quotes, such as "5 s"" of a key's documented type; texts in quotes are TOML's.
std::string expected_text(const OptionDoc& doc) {
  const std::string quote = is_count(doc) ? "" : "\"";
  const std::string what = is_count(doc) ? "an integer" : fmt::format("a {} in quotes", doc.type);
  if (doc.default_text.empty()) return what;
  return fmt::format("{}, such as {}{}{}", what, quote, doc.default_text, quote);
}

std::string_view found_text(toml::node_type type) {
  switch (type) {
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a float";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::array:
      return "an array";
    default:
      return "a date or time";
  }
}

bool holds_texts(const toml::node& node) {
  const auto* const array = node.as_array();
  return array != nullptr && (array->empty() || array->is_homogeneous<std::string>());
}

/// All values are text, as a number without a unit says too little; a size in bytes and a count may be one.
bool may_be(const toml::node& node, const OptionDoc& doc) {
  if (node.is_string()) return true;
  if (node.is_integer())
    return doc.type == option_text::name_of(static_cast<const ByteSize*>(nullptr)) || is_count(doc);
  return holds_texts(node) &&
         doc.type == option_text::name_of(static_cast<const std::vector<std::string>*>(nullptr));
}

std::string text_of(const toml::node& node) {
  std::string text;
  if (holds_texts(node)) {
    for (const auto& element : *node.as_array()) text += element.value_or(std::string()) + ";";
    return text;
  }
  if (const auto* string = node.as_string(); string != nullptr) return string->get();
  std::ostringstream printed;
  printed << toml::node_view<const toml::node>(node);
  return printed.str();
}

void check_type(const std::string& key, const toml::node& node, const std::vector<OptionDoc>& keys,
                std::vector<OptionError>& errors) {
  for (const OptionDoc& doc : keys)
    if (doc.key == key && !may_be(node, doc))
      errors.push_back(
          {key, OptionError::Part::kValue,
           fmt::format("{}: expected {}, found {}", key, expected_text(doc), found_text(node.type()))});
}

void flatten(const toml::table& table, const std::string& prefix, const std::vector<OptionDoc>& keys,
             TomlLayer& layer) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const toml::table* inner = node.as_table(); inner != nullptr) {
      flatten(*inner, name + ".", keys, layer);
      continue;
    }
    check_type(name, node, keys, layer.errors);
    const toml::source_position& place = key.source().begin;
    layer.entries[name] = {text_of(node), place.line, place.column};
  }
}

}  // namespace

Result<TomlLayer> read_toml(std::string_view text, const std::string& name,
                            const std::vector<OptionDoc>& keys) {
  try {
    TomlLayer layer;
    flatten(toml::parse(text, name), "", keys, layer);
    return layer;
  } catch (const toml::parse_error& error) {
    const auto& place = error.source().begin;
    return fail(ErrorCode::kInvalid,
                fmt::format("{}:{}:{}: {}", name, place.line, place.column, error.description()));
  }
}

}  // namespace leat::config
