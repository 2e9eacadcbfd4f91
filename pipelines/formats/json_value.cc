#include "pipelines/formats/json_value.h"

#include <algorithm>
#include <cctype>

#include "pipelines/formats/read_cell.h"

namespace leat::formats {
namespace {

std::vector<JsonObject::Field> fields_of(const Type& row) {
  std::vector<JsonObject::Field> fields;
  for (const Type::Field& field : row.fields()) fields.push_back({field.name, JsonNode(field.type)});
  return fields;
}

/// The columns of a table, or the fields of a ROW's builder.
struct TopColumns {
  std::span<ColumnBuilder* const> builders;
  ColumnBuilder& operator[](std::size_t index) const { return *builders[index]; }
};
struct RowFields {
  ColumnBuilder& row;
  ColumnBuilder& operator[](std::size_t index) const { return row.child(index); }
};

bool is_blank_until(const char* p, const char* end) {
  while (p != end && JsonCursor::is_blank(*p)) ++p;
  return p == end;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), same);
}

bool has_duplicates(std::span<const std::string_view> keys) {
  constexpr std::size_t kFew = 8;
  if (keys.size() > kFew) {
    std::vector<std::string_view> sorted(keys.begin(), keys.end());
    std::sort(sorted.begin(), sorted.end());
    return std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
  }
  for (std::size_t i = 1; i < keys.size(); ++i)
    if (std::find(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(i), keys[i]) !=
        keys.begin() + static_cast<std::ptrdiff_t>(i))
      return true;
  return false;
}

}  // namespace

JsonNode::JsonNode(const Type& node_type)
    : type(node_type), kind(node_type.kind()), nullable(node_type.nullable()) {
  if (type.is_timestamp()) fraction_digits = std::min(type.precision(), kKeptFractionDigits);
  if (kind == TypeKind::kRow) {
    object = std::make_unique<JsonObject>(fields_of(type));
    return;
  }
  for (const Type::Field& field : type.fields()) children.emplace_back(field.type);
}

JsonObject::JsonObject(std::vector<Field> wanted) : fields(std::move(wanted)) {
  for (std::size_t i = 0; i < fields.size(); ++i)
    by_name_.emplace(fields[i].name, static_cast<std::uint32_t>(i));
}

bool JsonObject::look_up(std::string_view key, std::uint32_t& field) const {
  std::string meaning;
  if (has_escape(key)) {
    if (!unescape(key, meaning)) return false;
    key = meaning;
  }
  const auto found = by_name_.find(key);
  field = found == by_name_.end() ? kUnwantedField : found->second;
  return true;
}

bool JsonObject::find(std::size_t& position, std::string_view key, std::uint32_t& field) {
  if (last_order_.recall(position, key, field)) return true;
  if (!look_up(key, field)) return false;
  last_order_.remember(position, key, field);
  return true;
}

Outcome JsonValueDecoder::mismatch(const JsonCursor& in, const JsonNode* node) {
  failure_.node = node;
  failure_.missing = false;
  failure_.at = in.mark();
  failure_.path.clear();
  return Outcome::kMismatch;
}

namespace {
/// What to do about the forms of time that devices send most.
std::string_view time_advice(const Type& type, std::string_view token) {
  if (!type.is_timestamp() || token.size() < 2) return "";
  if (token[0] != '"')
    return "; for a number, declare the column BIGINT and add ts AS TO_TIMESTAMP_LTZ(column, 3)";
  if (token.size() < 13 || token[11] != 'T') return "";
  return token.find('Z') == std::string_view::npos
             ? "; for a 'T' in it, set 'json.timestamp-format.standard' = 'ISO-8601'"
             : "; for a 'T' and a 'Z' in it, set 'json.timestamp-format.standard' = 'ISO-8601' and declare "
               "TIMESTAMP_LTZ(3)";
}
}  // namespace

std::string JsonValueDecoder::reason(const JsonCursor& in) const {
  std::string text;
  for (auto name = failure_.path.rbegin(); name != failure_.path.rend(); ++name)
    text.append(text.empty() ? "field '" : ".").append(*name);
  if (!text.empty()) text += "': ";
  text += "expected " + (failure_.node != nullptr ? failure_.node->type.to_string() : "an object");
  if (failure_.missing) return text + ", found no such field";
  JsonCursor value = in;
  value.rewind(failure_.at);
  const char first = value.peek();
  const bool nested = first == '{' || first == '[';
  const std::string_view rest(value.begin(), static_cast<std::size_t>(in.record_end() - value.begin()));
  if (value.at_end()) return text + ", found the end of the record";
  const std::string_view token = nested ? rest : value.token();
  if (failure_.node == nullptr) return "expected an object, found " + shown(token) + ", which is none";
  return text.append(", found ").append(shown(token)).append(time_advice(failure_.node->type, token));
}

Outcome JsonValueDecoder::read_row(JsonCursor& in, JsonObject& object,
                                   std::span<ColumnBuilder* const> columns, std::size_t row) {
  entry_keys_.clear();
  return read_object(in, object, TopColumns{columns}, row);
}

template <class Columns>
Outcome JsonValueDecoder::read_object(JsonCursor& in, JsonObject& object, Columns columns, std::size_t row) {
  if (in.peek() != '{') return mismatch(in, nullptr);
  in.advance();
  if (in.peek() == '}') {
    in.advance();
    return fill_missing(in, object, columns, row);
  }
  for (std::size_t position = 0;; ++position) {
    if (in.peek() != '"') return Outcome::kMalformed;
    const std::string_view key = in.token();
    in.advance();
    if (key.size() < 2 || key.back() != '"' || in.peek() != ':') return Outcome::kMalformed;
    in.advance();
    std::uint32_t field = 0;
    if (!object.find(position, key.substr(1, key.size() - 2), field)) return Outcome::kMalformed;
    const Outcome outcome = read_member(in, object, columns, row, field);
    if (outcome != Outcome::kOk) return outcome;
    const char mark = in.peek();
    if (mark != ',' && mark != '}') return Outcome::kMalformed;
    in.advance();
    if (mark == '}') return fill_missing(in, object, columns, row);
  }
}

template <class Columns>
inline Outcome JsonValueDecoder::read_member(JsonCursor& in, JsonObject& object, Columns columns,
                                             std::size_t row, std::uint32_t field) {
  if (field == kUnwantedField) return skip_value(in);
  ColumnBuilder& column = columns[field];
  // A repeated member replaces the one before it, as in Jackson.
  if (column.size() != row) column.truncate(row);
  JsonObject::Field& wanted = object.fields[field];
  const Outcome outcome = read_value(in, wanted.node, column);
  if (outcome == Outcome::kMismatch) failure_.path.emplace_back(wanted.name);
  return outcome;
}

template <class Columns>
inline Outcome JsonValueDecoder::fill_missing(const JsonCursor& in, JsonObject& object, Columns columns,
                                              std::size_t row) {
  for (std::size_t i = 0; i < object.fields.size(); ++i) {
    if (columns[i].size() != row) continue;
    const JsonObject::Field& field = object.fields[i];
    if (field.node.nullable && !options_.fail_on_missing_field) {
      columns[i].append_null();
      continue;
    }
    mismatch(in, &field.node);
    failure_.missing = true;
    failure_.path.emplace_back(field.name);
    return Outcome::kMismatch;
  }
  return Outcome::kOk;
}

Outcome JsonValueDecoder::read_value(JsonCursor& in, JsonNode& node, ColumnBuilder& out) {
  if (!options_.ignore_parse_errors) return read_strictly(in, node, out);
  const JsonCursor::Mark mark = in.mark();
  const std::size_t size = out.size();
  const std::size_t keys = entry_keys_.size();
  const Outcome outcome = read_strictly(in, node, out);
  if (outcome != Outcome::kMismatch) return outcome;
  out.truncate(size);
  entry_keys_.resize(keys);
  in.rewind(mark);
  if (!node.nullable) return mismatch(in, &node);
  out.append_null();
  return skip_value(in);
}

Outcome JsonValueDecoder::read_strictly(JsonCursor& in, JsonNode& node, ColumnBuilder& out) {
  if (in.peek() == 'n') return read_null(in, node, out);
  switch (node.kind) {
    case TypeKind::kBoolean:
      return read_boolean(in, node, out);
    case TypeKind::kTinyInt:
    case TypeKind::kSmallInt:
    case TypeKind::kInteger:
    case TypeKind::kBigInt:
    case TypeKind::kIntervalYearMonth:
    case TypeKind::kIntervalDayTime:
      return read_integer(in, node, out);
    case TypeKind::kFloat:
      return read_float(in, node, out);
    case TypeKind::kDouble:
      return read_double(in, node, out);
    case TypeKind::kDecimal:
      return read_decimal(in, node, out);
    case TypeKind::kChar:
    case TypeKind::kVarChar:
      return read_string(in, node, out);
    case TypeKind::kBinary:
    case TypeKind::kVarBinary:
      return read_bytes(in, node, out);
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return read_temporal(in, node, out);
    default:
      return read_nested(in, node, out);
  }
}

Outcome JsonValueDecoder::read_null(JsonCursor& in, const JsonNode& node, ColumnBuilder& out) {
  if (in.token() != "null") return Outcome::kMalformed;
  if (!node.nullable) return mismatch(in, &node);
  out.append_null();
  in.advance();
  return Outcome::kOk;
}

bool JsonValueDecoder::number(const JsonCursor& in, NumberParts& parts, std::string_view& text) const {
  const char* const begin = in.begin();
  const char* const limit = in.limit();
  const char* const end = scan_number(begin, limit, parts);
  if (end == nullptr || (end != limit && !is_blank_until(end, limit))) return false;
  text = {begin, static_cast<std::size_t>(end - begin)};
  return true;
}

bool JsonValueDecoder::string(const JsonCursor& in, std::string_view& text) {
  const std::string_view token = in.token();
  if (token.size() < 2 || token.back() != '"') return false;
  text = token.substr(1, token.size() - 2);
  if (!has_escape(text)) return true;
  if (!unescape(text, scratch_)) return false;
  text = scratch_;
  return true;
}

/// What Jackson's asText gives of a scalar: the string's meaning, the number or literal as it is written.
bool JsonValueDecoder::scalar_text(const JsonCursor& in, std::string_view& text) {
  if (in.peek() == '"') return string(in, text);
  if (in.at_end() || in.peek() == '{' || in.peek() == '[') return false;
  text = in.token();
  NumberParts parts;
  std::string_view digits;
  return text == "true" || text == "false" || number(in, parts, digits);
}

Outcome JsonValueDecoder::read_string(JsonCursor& in, const JsonNode& node, ColumnBuilder& out) {
  std::string_view text;
  const char first = in.peek();
  if (first == '{' || first == '[') {
    if (compact_value(in, scratch_, text) != Outcome::kOk) return Outcome::kMalformed;
  } else {
    if (!scalar_text(in, text)) return mismatch(in, &node);
    in.advance();
  }
  // Compare the addresses: only what had to be rewritten is in the scratch buffer, and only that is copied.
  if (text.data() == scratch_.data())
    out.append_string(text);
  else
    out.append_view(text);
  return Outcome::kOk;
}

Outcome JsonValueDecoder::read_boolean(JsonCursor& in, const JsonNode& node, ColumnBuilder& out) {
  std::string_view text;
  if (!scalar_text(in, text)) return mismatch(in, &node);
  out.append<std::uint8_t>(equals_ignoring_case(trim(text), "true") ? 1 : 0);
  in.advance();
  return Outcome::kOk;
}

Outcome JsonValueDecoder::read_integer(JsonCursor& in, const JsonNode& node, ColumnBuilder& out) {
  std::optional<std::int64_t> value;
  std::string_view text;
  NumberParts parts;
  if (in.peek() == '"') {
    if (string(in, text)) value = formats::read_integer(trim(text));
  } else if (number(in, parts, text)) {
    value = to_integer(parts);
  }
  if (!value || !append_integer_cell(node.kind, *value, out)) return mismatch(in, &node);
  in.advance();
  return Outcome::kOk;
}

Outcome JsonValueDecoder::read_double(JsonCursor& in, const JsonNode& node, ColumnBuilder& out) {
  std::optional<double> value;
  std::string_view text;
  NumberParts parts;
  if (in.peek() == '"') {
    if (string(in, text)) value = formats::read_double(trim(text));
  } else if (number(in, parts, text)) {
    value = to_double(parts, text);
  }
  if (!value) return mismatch(in, &node);
  out.append(*value);
  in.advance();
  return Outcome::kOk;
}

Outcome JsonValueDecoder::read_float(JsonCursor& in, const JsonNode& node, ColumnBuilder& out) {
  std::optional<float> value;
  std::string_view text;
  NumberParts parts;
  if (in.peek() == '"') {
    if (string(in, text)) value = formats::read_float(trim(text));
  } else if (number(in, parts, text)) {
    value = formats::read_float(text);
  }
  if (!value) return mismatch(in, &node);
  out.append(*value);
  in.advance();
  return Outcome::kOk;
}

Outcome JsonValueDecoder::read_decimal(JsonCursor& in, const JsonNode& node, ColumnBuilder& out) {
  std::string_view text;
  Int128 value = 0;
  if (!scalar_text(in, text)) return mismatch(in, &node);
  const DecimalReading reading =
      formats::read_decimal(trim(text), node.type.precision(), node.type.scale(), value);
  if (reading == DecimalReading::kNotANumber) return mismatch(in, &node);
  if (reading == DecimalReading::kOverflow) {
    if (!node.nullable) return mismatch(in, &node);
    out.append_null();
  } else {
    out.append(value);
  }
  in.advance();
  return Outcome::kOk;
}

Outcome JsonValueDecoder::read_bytes(JsonCursor& in, const JsonNode& node, ColumnBuilder& out) {
  std::string_view text;
  std::string bytes;
  if (in.peek() != '"' || !string(in, text) || !read_base64(text, bytes)) return mismatch(in, &node);
  out.append_string(bytes);
  in.advance();
  return Outcome::kOk;
}

Outcome JsonValueDecoder::read_temporal(JsonCursor& in, const JsonNode& node, ColumnBuilder& out) {
  std::string_view text;
  if (in.peek() != '"' || !string(in, text)) return mismatch(in, &node);
  if (node.kind == TypeKind::kDate) {
    const auto days = read_date(text);
    if (!days) return mismatch(in, &node);
    out.append(*days);
  } else {
    const Zone zone = node.kind == TypeKind::kTimestampLtz ? Zone::kUtc : Zone::kNone;
    const auto micros =
        node.kind == TypeKind::kTime
            ? read_time(text)
            : read_timestamp(text, timestamp_syntax(options_.timestamp_format, zone), node.fraction_digits);
    if (!micros) return mismatch(in, &node);
    out.append(*micros);
  }
  in.advance();
  return Outcome::kOk;
}

Outcome JsonValueDecoder::read_nested(JsonCursor& in, JsonNode& node, ColumnBuilder& out) {
  if (in.peek() != (node.kind == TypeKind::kArray ? '[' : '{')) return mismatch(in, &node);
  if (node.kind == TypeKind::kArray) return read_array(in, node, out);
  if (node.kind != TypeKind::kRow) return read_map(in, node, out);
  const Outcome outcome = read_object(in, *node.object, RowFields{out}, out.size());
  if (outcome == Outcome::kOk) out.close_nested();
  return outcome;
}

Outcome JsonValueDecoder::read_array(JsonCursor& in, JsonNode& node, ColumnBuilder& out) {
  in.advance();
  char mark = in.peek() == ']' ? ']' : ',';
  if (mark == ']') in.advance();
  while (mark == ',') {
    const Outcome outcome = read_value(in, node.children[0], out.child(0));
    if (outcome != Outcome::kOk) return outcome;
    mark = in.peek();
    if (mark != ',' && mark != ']') return Outcome::kMalformed;
    in.advance();
  }
  out.close_nested();
  return Outcome::kOk;
}

Outcome JsonValueDecoder::read_entry(JsonCursor& in, JsonNode& node, ColumnBuilder& out) {
  if (in.peek() != '"') return Outcome::kMalformed;
  entry_keys_.push_back(in.token());
  const Outcome key = read_strictly(in, node.children[0], out.child(0));
  if (key != Outcome::kOk || in.peek() != ':') return Outcome::kMalformed;
  in.advance();
  return read_value(in, node.children[1], out.child(1));
}

Outcome JsonValueDecoder::read_map(JsonCursor& in, JsonNode& node, ColumnBuilder& out) {
  const JsonCursor::Mark begin = in.mark();
  const std::size_t size = out.size();
  const std::size_t first_key = entry_keys_.size();
  in.advance();
  char mark = in.peek() == '}' ? '}' : ',';
  if (mark == '}') in.advance();
  while (mark == ',') {
    const Outcome outcome = read_entry(in, node, out);
    if (outcome != Outcome::kOk) return outcome;
    mark = in.peek();
    if (mark != ',' && mark != '}') return Outcome::kMalformed;
    in.advance();
  }
  const std::span<const std::string_view> keys = std::span(entry_keys_).subspan(first_key);
  const bool repeated = has_duplicates(keys) || (keys.size() > 1 && std::ranges::any_of(keys, has_escape));
  entry_keys_.resize(first_key);
  if (!repeated) {
    out.close_nested();
    return Outcome::kOk;
  }
  out.truncate(size);
  in.rewind(begin);
  return read_map_with_repeated_keys(in, node, out);
}

/// The last value of each key, in the order in which the keys came first. `in` stands at an object that has
/// been read once without a fault.
Outcome JsonValueDecoder::read_map_with_repeated_keys(JsonCursor& in, JsonNode& node, ColumnBuilder& out) {
  std::vector<JsonCursor::Mark> entries;
  std::unordered_map<std::string, std::size_t> index;
  for (char mark = ','; mark == ',';) {
    in.advance();
    std::string_view key;
    const JsonCursor::Mark entry = in.mark();
    if (!string(in, key)) return Outcome::kMalformed;
    const auto [at, added] = index.emplace(std::string(key), entries.size());
    if (added) entries.push_back(entry);
    entries[at->second] = entry;
    in.advance();
    in.advance();
    if (skip_value(in) != Outcome::kOk) return Outcome::kMalformed;
    mark = in.peek();
  }
  in.advance();
  const JsonCursor::Mark behind = in.mark();
  const std::size_t first_key = entry_keys_.size();
  for (const JsonCursor::Mark entry : entries) {
    in.rewind(entry);
    const Outcome outcome = read_entry(in, node, out);
    if (outcome != Outcome::kOk) return outcome;
  }
  entry_keys_.resize(first_key);
  in.rewind(behind);
  out.close_nested();
  return Outcome::kOk;
}

}  // namespace leat::formats
