#include "pipelines/functions/json_tree.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <numeric>

namespace leat::functions {
namespace {

using Kind = JsonNode::Kind;

// Deeper documents are refused: they would need as deep a stack.
constexpr int kMaxDepth = 512;
constexpr std::string_view kBlanks = " \t\r\n";

bool read_value(simdjson::ondemand::value value, JsonNode& out, int depth);

bool read_number(std::string_view token, JsonNode& out) {
  std::optional<std::string> number = json_number(token);
  if (!number) return false;
  out.kind = Kind::kNumber;
  out.text = std::move(*number);
  return true;
}

void put_member(JsonNode& object, std::string_view name, JsonNode value) {
  const auto found = std::find(object.names.begin(), object.names.end(), name);
  if (found != object.names.end()) {
    object.items[static_cast<std::size_t>(found - object.names.begin())] = std::move(value);
    return;
  }
  object.names.emplace_back(name);
  object.items.push_back(std::move(value));
}

bool read_object(simdjson::ondemand::object object, JsonNode& out, int depth) {
  out.kind = Kind::kObject;
  for (auto field : object) {
    std::string_view name;
    simdjson::ondemand::value value;
    if (field.unescaped_key().get(name) != simdjson::SUCCESS) return false;
    const std::string kept(name);
    if (field.value().get(value) != simdjson::SUCCESS) return false;
    JsonNode node;
    if (!read_value(value, node, depth + 1)) return false;
    put_member(out, kept, std::move(node));
  }
  return true;
}

bool read_array(simdjson::ondemand::array array, JsonNode& out, int depth) {
  out.kind = Kind::kArray;
  for (auto element : array) {
    simdjson::ondemand::value value;
    if (element.get(value) != simdjson::SUCCESS) return false;
    if (!read_value(value, out.items.emplace_back(), depth + 1)) return false;
  }
  return true;
}

// Scalars of a document and of a value are read alike, by types that have no common base.
template <class Source>
bool read_scalar(Source& source, simdjson::ondemand::json_type type, JsonNode& out) {
  using enum simdjson::ondemand::json_type;
  std::string_view text;
  bool truth = false;
  switch (type) {
    case string:
      if (source.get_string().get(text) != simdjson::SUCCESS) return false;
      out.kind = Kind::kString;
      out.text = text;
      return true;
    case boolean:
      if (source.get_bool().get(truth) != simdjson::SUCCESS) return false;
      out.kind = Kind::kBoolean;
      out.text = truth ? "true" : "false";
      return true;
    default: {
      bool is_null = false;
      return simdjson::simdjson_result<bool>(source.is_null()).get(is_null) == simdjson::SUCCESS && is_null;
    }
  }
}

bool read_value(simdjson::ondemand::value value, JsonNode& out, int depth) {
  using enum simdjson::ondemand::json_type;
  simdjson::ondemand::json_type type = null;
  if (depth > kMaxDepth || value.type().get(type) != simdjson::SUCCESS) return false;
  if (type == number) return read_number(value.raw_json_token(), out);
  if (type == object) {
    simdjson::ondemand::object members;
    return value.get_object().get(members) == simdjson::SUCCESS && read_object(members, out, depth);
  }
  if (type == array) {
    simdjson::ondemand::array elements;
    return value.get_array().get(elements) == simdjson::SUCCESS && read_array(elements, out, depth);
  }
  return read_scalar(value, type, out);
}

bool read_document(simdjson::ondemand::document& document, std::string_view text, JsonNode& out) {
  using enum simdjson::ondemand::json_type;
  simdjson::ondemand::json_type type = null;
  if (document.type().get(type) != simdjson::SUCCESS) return false;
  if (type == number) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    return read_number(text, out);
  }
  if (type == object || type == array) {
    simdjson::ondemand::value value;
    if (document.get_value().get(value) != simdjson::SUCCESS || !read_value(value, out, 0)) return false;
  } else if (!read_scalar(document, type, out)) {
    return false;
  }
  // Behind the last token there is no location any more.
  const char* rest = nullptr;
  return document.current_location().get(rest) != simdjson::SUCCESS;
}

// The parts of -12.50e3: sign, digits before and behind the point, exponent.
struct NumberParts {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  std::int64_t exponent = 0;
};

std::string_view take_digits(std::string_view& rest) {
  const std::size_t end = std::min(rest.find_first_not_of("0123456789"), rest.size());
  const std::string_view digits = rest.substr(0, end);
  rest.remove_prefix(end);
  return digits;
}

std::optional<NumberParts> split_number(std::string_view text) {
  NumberParts parts;
  if (text.starts_with('-')) {
    parts.negative = true;
    text.remove_prefix(1);
  }
  parts.whole = take_digits(text);
  if (parts.whole.empty() || (parts.whole.size() > 1 && parts.whole[0] == '0')) return std::nullopt;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    parts.fraction = take_digits(text);
    if (parts.fraction.empty()) return std::nullopt;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto read = std::from_chars(text.data(), text.data() + text.size(), parts.exponent);
    if (read.ec != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  }
  return text.empty() ? std::optional(parts) : std::nullopt;
}

}  // namespace

const JsonNode* JsonNode::member(std::string_view name) const {
  if (kind != Kind::kObject) return nullptr;
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? nullptr : &items[static_cast<std::size_t>(found - names.begin())];
}

std::optional<JsonNode> parse_json(std::string_view text) {
  // Keeps its buffers from one document to the next, and nothing else.
  thread_local simdjson::ondemand::parser parser;
  const simdjson::padded_string padded(text);
  simdjson::ondemand::document document;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return std::nullopt;
  JsonNode root;
  if (!read_document(document, text, root)) return std::nullopt;
  return root;
}

// BigDecimal.toString: plain while the exponent of the first digit is at least -6 and nothing is missing
// before the point, scientific otherwise.
std::optional<std::string> json_number(std::string_view text) {
  while (!text.empty() && kBlanks.find(text.back()) != std::string_view::npos) text.remove_suffix(1);
  const std::optional<NumberParts> parts = split_number(text);
  if (!parts) return std::nullopt;
  std::string digits = std::string(parts->whole) + std::string(parts->fraction);
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  const std::int64_t scale = static_cast<std::int64_t>(parts->fraction.size()) - parts->exponent;
  const auto count = static_cast<std::int64_t>(digits.size());
  const std::int64_t exponent = count - 1 - scale;
  // BigDecimal has no negative zero.
  const std::string sign = parts->negative && digits != "0" ? "-" : "";
  if (scale == 0) return sign + digits;
  if (scale > 0 && exponent >= -6) {
    if (count <= scale) digits.insert(0, static_cast<std::size_t>(scale - count + 1), '0');
    digits.insert(digits.size() - static_cast<std::size_t>(scale), 1, '.');
    return sign + digits;
  }
  if (count > 1) digits.insert(1, 1, '.');
  return fmt::format("{}{}E{:+}", sign, digits, exponent);
}

std::string plain_number(std::string_view number) {
  constexpr std::int64_t kMostZeros = 400;
  const std::optional<NumberParts> parts = split_number(number);
  if (!parts || parts->exponent == 0 || std::abs(parts->exponent) > kMostZeros) return std::string(number);
  std::string digits = std::string(parts->whole) + std::string(parts->fraction);
  std::int64_t point = static_cast<std::int64_t>(parts->whole.size()) + parts->exponent;
  if (point <= 0) {
    digits.insert(0, static_cast<std::size_t>(1 - point), '0');
    point = 1;
  }
  const auto end = static_cast<std::size_t>(point);
  if (end < digits.size())
    digits.insert(end, 1, '.');
  else
    digits.append(end - digits.size(), '0');
  return (parts->negative ? "-" : "") + digits;
}

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    constexpr std::string_view kNamed = "\"\\\b\f\n\r\t";
    constexpr std::string_view kNames = "\"\\bfnrt";
    if (const std::size_t named = kNamed.find(c); named != std::string_view::npos)
      (out += '\\') += kNames[named];
    else if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    else
      out += c;
  }
  out += '"';
}

namespace {

void append_members(const JsonNode& node, std::string& out) {
  std::vector<std::size_t> order(node.items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return node.names[a] < node.names[b]; });
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(node.names[order[i]], out);
    out += ':';
    append_json(node.items[order[i]], out);
  }
}

}  // namespace

void append_json(const JsonNode& node, std::string& out) {
  switch (node.kind) {
    case Kind::kNull:
      out += "null";
      return;
    case Kind::kBoolean:
    case Kind::kNumber:
      out += node.text;
      return;
    case Kind::kString:
      return append_json_string(node.text, out);
    case Kind::kObject:
      out += '{';
      append_members(node, out);
      out += '}';
      return;
    case Kind::kArray:
      break;
  }
  out += '[';
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    if (i > 0) out += ',';
    append_json(node.items[i], out);
  }
  out += ']';
}

}  // namespace leat::functions
