#include "pipelines/formats/cbor_value.h"

#include <absl/numeric/int128.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "pipelines/base/time.h"
#include "pipelines/column/text.h"
#include "pipelines/formats/read_cell.h"
#include "pipelines/formats/read_scalar.h"
#include "pipelines/formats/utf8.h"
#include "pipelines/formats/write_scalar.h"

namespace leat::formats {
namespace {

using Kind = CborItem::Kind;

// The tags that mean something here (RFC 8949, section 3.4; RFC 8943 for days); 0 is that of a time in text,
// which is read alike without it.
constexpr std::uint64_t kEpochSeconds = 1;
constexpr std::uint64_t kBigUnsigned = 2;
constexpr std::uint64_t kBigNegative = 3;
constexpr std::uint64_t kDecimalFraction = 4;
constexpr std::uint64_t kEpochDays = 100;
constexpr std::uint64_t kDateText = 1004;

bool is_known(std::uint64_t tag) {
  return tag <= kDecimalFraction || tag == kEpochDays || tag == kDateText;
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

/// What a message says was found.
std::string described(const CborItem& item) {
  std::string text;
  switch (item.kind) {
    case Kind::kUnsigned:
      append_decimal(Int128(absl::uint128(item.number)), 0, text);
      return text;
    case Kind::kNegative:
      append_decimal(-1 - Int128(absl::uint128(item.number)), 0, text);
      return text;
    case Kind::kFloat:
      append_double(item.floating, text);
      return text;
    case Kind::kText:
      return valid_utf8(item.bytes) ? "\"" + shown(item.bytes) + "\"" : "invalid UTF-8";
    case Kind::kBoolean:
      return item.number != 0 ? "true" : "false";
    case Kind::kNull:
      return "null";
    case Kind::kBytes:
    case Kind::kBytesInParts:
      return "bytes";
    case Kind::kArray:
      return "an array";
    case Kind::kMap:
      return "a map";
    default:
      return "a text";
  }
}

std::vector<CborFields::Field> fields_of(const Type& row) {
  std::vector<CborFields::Field> fields;
  for (const Type::Field& field : row.fields()) fields.push_back({field.name, CborNode(field.type)});
  return fields;
}

/// ±hh:mm or Z at the end of a time is taken off; the minutes ahead of UTC, 0 without. Nothing: malformed.
std::optional<std::int64_t> take_offset(std::string_view& text) {
  constexpr std::size_t kLength = 6;
  if (text.ends_with('Z') || text.ends_with('z')) {
    text.remove_suffix(1);
    return 0;
  }
  const std::size_t begin = text.size() < kLength ? 0 : text.size() - kLength;
  if (text.size() < kLength || (text[begin] != '+' && text[begin] != '-')) return 0;
  const auto hours = read_integer(text.substr(begin + 1, 2));
  const auto minutes = read_integer(text.substr(begin + 4, 2));
  if (!hours || !minutes || text[begin + 3] != ':' || *hours > 23 || *minutes > 59 || *hours < 0 ||
      *minutes < 0)
    return std::nullopt;
  const std::int64_t offset = *hours * 60 + *minutes;
  const bool behind = text[begin] == '-';
  text.remove_suffix(kLength);
  return behind ? -offset : offset;
}

/// A date and a time of RFC 3339, or with a blank between them, or without a zone; micros, in UTC.
std::optional<std::int64_t> read_moment(std::string_view text, std::int32_t precision) {
  constexpr std::size_t kDate = 10;
  const auto offset = take_offset(text);
  if (!offset || text.size() <= kDate) return std::nullopt;
  const char separator = text[kDate];
  if (separator != 'T' && separator != 't' && separator != ' ') return std::nullopt;
  const auto micros = read_timestamp(text, {separator, '\0'}, precision);
  if (!micros) return std::nullopt;
  return *micros - *offset * kMicrosPerMinute;
}

/// Seconds since 1970 in micros; nothing: out of range.
std::optional<std::int64_t> micros_of(const CborItem& item) {
  constexpr double kBeyond = 9223372036854775808.0;  // 2^63
  if (item.kind == Kind::kFloat) {
    const double micros = std::nearbyint(item.floating * static_cast<double>(kMicrosPerSecond));
    if (!(micros >= -kBeyond && micros < kBeyond)) return std::nullopt;
    return static_cast<std::int64_t>(micros);
  }
  if (item.number > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  auto seconds = static_cast<std::int64_t>(item.number);
  if (item.kind == Kind::kNegative) seconds = -1 - seconds;
  if (__builtin_mul_overflow(seconds, kMicrosPerSecond, &seconds)) return std::nullopt;
  return seconds;
}

bool is_number(const CborItem& item) {
  return item.kind == Kind::kUnsigned || item.kind == Kind::kNegative || item.kind == Kind::kFloat;
}

/// The digits of a bignum's bytes; false: more than 128 bits.
bool append_bignum(std::string_view bytes, bool negative, std::string& out) {
  while (!bytes.empty() && bytes[0] == '\0') bytes.remove_prefix(1);
  constexpr std::size_t kMost = 15;  // So that a sign has room.
  if (bytes.size() > kMost) return false;
  absl::uint128 value = 0;
  for (const char byte : bytes) value = value << 8 | absl::uint128(static_cast<unsigned char>(byte));
  append_decimal(negative ? -1 - Int128(value) : Int128(value), 0, out);
  return true;
}

}  // namespace

CborNode::CborNode(const Type& node_type) : type(node_type) {
  if (type.kind() == TypeKind::kRow) {
    fields = std::make_unique<CborFields>(fields_of(type));
    return;
  }
  for (const Type::Field& field : type.fields()) children.emplace_back(field.type);
}

CborFields::CborFields(std::vector<Field> wanted) : fields(std::move(wanted)) {
  for (std::size_t i = 0; i < fields.size(); ++i)
    by_name_.emplace(fields[i].name, static_cast<std::uint32_t>(i));
}

std::uint32_t CborFields::find(std::size_t& position, std::string_view key) {
  std::uint32_t field = kUnwantedField;
  if (order_.recall(position, key, field)) return field;
  const auto found = by_name_.find(key);
  field = found == by_name_.end() ? kUnwantedField : found->second;
  order_.remember(position, key, field);
  return field;
}

// ---- Maps ------------------------------------------------------------------------------------------------

bool CborValueDecoder::read_row(CborReader& in, CborFields& fields, std::span<ColumnBuilder* const> columns,
                                std::size_t row) {
  Tagged map;
  reason_.clear();
  if (!next(in, map)) return false;
  if (map.item.kind == Kind::kMap) return read_members(in, map.item, fields, TopColumns{columns}, row, 0);
  reason_ = "expected a map, found " + described(map.item);
  return false;
}

/// An integer of 64 bits.
std::optional<std::int64_t> CborValueDecoder::whole_of(const Tagged& value) {
  const bool integer = value.item.kind == Kind::kUnsigned || value.item.kind == Kind::kNegative;
  if (!integer || value.item.number > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  const auto number = static_cast<std::int64_t>(value.item.number);
  return value.item.kind == Kind::kNegative ? -1 - number : number;
}

bool CborValueDecoder::next(CborReader& in, Tagged& out) {
  for (int tags = 0; tags < kDeepestCbor; ++tags) {
    if (!in.next(out.item)) return false;
    if (out.item.kind != Kind::kTag) return true;
    if (is_known(out.item.number)) out.tag = out.item.number;
  }
  reason_ = "more tags than there can be before an item";
  return false;
}

template <class Columns>
bool CborValueDecoder::read_members(CborReader& in, const CborItem& map, CborFields& fields, Columns columns,
                                    std::size_t row, int depth) {
  std::size_t position = 0;
  for (std::uint64_t left = map.number; in.more(left); ++position) {
    std::string_view key;
    if (!read_key(in, key)) return false;
    const std::uint32_t field = key.data() == nullptr ? kUnwantedField : fields.find(position, key);
    if (field == kUnwantedField) {
      if (!in.skip()) return false;
      continue;
    }
    if (columns[field].size() > row) columns[field].truncate(row);  // The last of equal names counts.
    if (!read_value(in, fields.fields[field].node, columns[field], depth + 1))
      return in_field(fields.fields[field].name);
  }
  return fill_missing(fields, columns, row);
}

/// A name; a null view for a key of another kind, which names no column.
bool CborValueDecoder::read_key(CborReader& in, std::string_view& key) {
  CborItem item;
  if (!in.next(item)) return false;
  if (item.kind == Kind::kText || item.kind == Kind::kTextInParts) return text_of(in, item, key);
  return in.skip_inside(item);
}

template <class Columns>
bool CborValueDecoder::fill_missing(CborFields& fields, Columns columns, std::size_t row) {
  for (std::size_t i = 0; i < fields.fields.size(); ++i) {
    if (columns[i].size() > row) continue;
    const Type& type = fields.fields[i].node.type;
    if (options_.fail_on_missing_field || !type.nullable()) {
      mismatch(type, "no such field");
      return in_field(fields.fields[i].name);
    }
    columns[i].append_null();
  }
  return true;
}

bool CborValueDecoder::read_value(CborReader& in, CborNode& node, ColumnBuilder& out, int depth) {
  const CborReader begin = in;
  const std::size_t size = out.size();
  Tagged value;
  if (depth > kDeepestCbor) {
    reason_ = "nested too deep";
    return false;
  }
  if (!next(in, value)) return false;
  if (value.item.kind == Kind::kNull && node.type.nullable()) {
    out.append_null();
    return true;
  }
  if (store(in, value, node, out, depth)) return true;
  if (in.state() != CborReader::State::kWell) return false;
  if (options_.ignore_parse_errors && node.type.nullable()) {
    reason_.clear();
    out.truncate(size);
    out.append_null();
    in = begin;
    return in.skip();
  }
  return !reason_.empty() ? false : mismatch(node.type, described(value.item));
}

/// False with no reason: not what the type takes.
bool CborValueDecoder::store(CborReader& in, const Tagged& value, CborNode& node, ColumnBuilder& out,
                             int depth) {
  const bool map = value.item.kind == Kind::kMap;
  switch (node.type.kind()) {
    case TypeKind::kRow:
      if (!map || !read_members(in, value.item, *node.fields, RowFields{out}, out.size(), depth))
        return false;
      out.close_nested();
      return true;
    case TypeKind::kArray:
      return value.item.kind == Kind::kArray && !value.tag && store_array(in, value.item, node, out, depth);
    case TypeKind::kMap:
    case TypeKind::kMultiset:
      return map && store_map(in, value.item, node, out, depth);
    case TypeKind::kChar:
    case TypeKind::kVarChar:
      return store_text(in, value, out);
    case TypeKind::kBinary:
    case TypeKind::kVarBinary:
      return store_bytes(in, value, out);
    default:
      return store_scalar(in, value, node.type, out);
  }
}

bool CborValueDecoder::store_array(CborReader& in, const CborItem& array, CborNode& node, ColumnBuilder& out,
                                   int depth) {
  for (std::uint64_t left = array.number; in.more(left);)
    if (!read_value(in, node.children[0], out.child(0), depth + 1)) return false;
  out.close_nested();
  return true;
}

/// The last of several equal keys wins; the entries stay in the order of the message.
bool CborValueDecoder::store_map(CborReader& in, const CborItem& map, CborNode& node, ColumnBuilder& out,
                                 int depth) {
  struct Entry {
    CborReader at;
    std::string_view key;  // As it stands in the message.
    bool last = true;      // Of those with its key.
  };
  std::vector<Entry> entries;
  for (std::uint64_t left = map.number; in.more(left);) {
    Entry entry{.at = in, .key = {}};
    if (!in.skip()) return false;
    entry.key = in.between(entry.at);
    entries.push_back(entry);
    if (!in.skip()) return false;
  }
  std::unordered_set<std::string_view> later;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry)
    entry->last = later.insert(entry->key).second;
  for (Entry& entry : entries) {
    if (!entry.last) continue;
    if (!read_value(entry.at, node.children[0], out.child(0), depth + 1)) return false;
    if (!read_value(entry.at, node.children[1], out.child(1), depth + 1)) return false;
  }
  out.close_nested();
  return true;
}

// ---- Scalars ---------------------------------------------------------------------------------------------

/// The whole text of an item that is one; `out` is valid until the next.
bool CborValueDecoder::text_of(CborReader& in, const CborItem& item, std::string_view& out) {
  out = item.bytes;
  if (item.kind == Kind::kTextInParts || item.kind == Kind::kBytesInParts) {
    if (!in.join_parts(item, scratch_)) return false;
    out = scratch_;
  }
  const bool text = item.kind == Kind::kText || item.kind == Kind::kTextInParts;
  if (!text || valid_utf8(out)) return true;
  reason_ = "invalid UTF-8";
  return false;
}

/// A text, or the text of a number or a boolean.
bool CborValueDecoder::store_text(CborReader& in, const Tagged& value, ColumnBuilder& out) {
  std::string_view text;
  switch (value.item.kind) {
    case Kind::kText:
      if (!text_of(in, value.item, text)) return false;
      return out.append_view(text), true;
    case Kind::kTextInParts:
      if (!text_of(in, value.item, text)) return false;
      return out.append_string(text), true;
    case Kind::kBoolean:
      return out.append_string(value.item.number != 0 ? "true" : "false"), true;
    default:
      if (!number_text(in, value, digits_)) return false;
      return out.append_string(digits_), true;
  }
}

bool CborValueDecoder::store_bytes(CborReader& in, const Tagged& value, ColumnBuilder& out) {
  std::string_view bytes;
  if (value.item.kind == Kind::kBytes) return out.append_view(value.item.bytes), true;
  if (value.item.kind != Kind::kBytesInParts || !text_of(in, value.item, bytes)) return false;
  out.append_string(bytes);
  return true;
}

bool CborValueDecoder::store_scalar(CborReader& in, const Tagged& value, const Type& type,
                                    ColumnBuilder& out) {
  const Kind kind = value.item.kind;
  std::string_view text;
  const bool is_text = kind == Kind::kText || kind == Kind::kTextInParts;
  if (is_text && !text_of(in, value.item, text)) return false;
  if (type.kind() == TypeKind::kBoolean) {
    if (kind == Kind::kBoolean) out.append<std::uint8_t>(value.item.number != 0 ? 1 : 0);
    return kind == Kind::kBoolean;
  }
  if (type.is_timestamp() || type.kind() == TypeKind::kDate) return store_moment(value, text, type, out);
  if (is_text) return append_text_cell(text, type, out);
  if (type.kind() == TypeKind::kTime) return false;
  if (type.kind() == TypeKind::kDouble && kind == Kind::kFloat) return out.append(value.item.floating), true;
  if (type.kind() == TypeKind::kFloat && kind == Kind::kFloat)
    return out.append(static_cast<float>(value.item.floating)), true;
  if (const auto whole = whole_of(value); whole && type.is_integer())
    return append_integer_cell(type.kind(), *whole, out);
  else if (whole && type.kind() == TypeKind::kDouble)
    return out.append(static_cast<double>(*whole)), true;
  return number_text(in, value, digits_) && store_number(digits_, type, out);
}

/// A number whose text is known; integers take what is whole.
bool CborValueDecoder::store_number(std::string_view digits, const Type& type, ColumnBuilder& out) const {
  if (!type.is_integer() && !type.is_interval()) return append_text_cell(digits, type, out);
  Int128 whole = 0;
  Int128 tenths = 0;
  constexpr std::int32_t kMost = 37;
  const bool read = read_decimal(digits, kMost, 0, whole) == DecimalReading::kExact &&
                    read_decimal(digits, kMost + 1, 1, tenths) == DecimalReading::kExact;
  if (!read || tenths != whole * 10 || whole < INT64_MIN || whole > INT64_MAX) return false;
  return append_integer_cell(type.kind(), static_cast<std::int64_t>(whole), out);
}

bool CborValueDecoder::store_moment(const Tagged& value, std::string_view text, const Type& type,
                                    ColumnBuilder& out) const {
  if (type.kind() == TypeKind::kDate) {
    if (value.tag != kEpochDays || value.item.kind == Kind::kFloat || !is_number(value.item))
      return append_text_cell(text, type, out);
    if (value.item.number > static_cast<std::uint64_t>(INT32_MAX)) return false;
    const auto days = static_cast<std::int32_t>(value.item.number);
    out.append(value.item.kind == Kind::kNegative ? -1 - days : days);
    return true;
  }
  std::optional<std::int64_t> micros;
  if (is_number(value.item)) {
    if (value.tag == kEpochSeconds) micros = micros_of(value.item);
  } else {
    micros = read_moment(text, std::min(type.precision(), kKeptFractionDigits));
  }
  return micros && append_time_cell(*micros, type.precision(), out);
}

/// Integers, floats, bignums and decimal fractions as a decimal text; false with no reason: something else.
bool CborValueDecoder::number_text(CborReader& in, const Tagged& value, std::string& out) {
  out.clear();
  if (value.tag == kDecimalFraction) return fraction_text(in, value, out);
  const bool bytes = value.item.kind == Kind::kBytes || value.item.kind == Kind::kBytesInParts;
  if (bytes && (value.tag == kBigUnsigned || value.tag == kBigNegative)) {
    std::string_view digits;
    return text_of(in, value.item, digits) && append_bignum(digits, value.tag == kBigNegative, out);
  }
  if (!is_number(value.item)) return false;
  out = described(value.item);
  return true;
}

/// [exponent, mantissa] of ten.
bool CborValueDecoder::fraction_text(CborReader& in, const Tagged& value, std::string& out) {
  constexpr std::uint64_t kParts = 2;
  Tagged exponent;
  Tagged mantissa;
  std::uint64_t left = value.item.number;
  if (value.item.kind != Kind::kArray || (left != kParts && left != CborItem::kOpen)) return false;
  if (!in.more(left) || !next(in, exponent) || !in.more(left) || !next(in, mantissa)) return false;
  if (mantissa.tag == kDecimalFraction || mantissa.item.kind == Kind::kFloat) return false;
  if (exponent.item.kind != Kind::kUnsigned && exponent.item.kind != Kind::kNegative) return false;
  if (!number_text(in, mantissa, out)) return false;
  out += "e" + described(exponent.item);
  return !in.more(left);
}

// ---- Reasons ---------------------------------------------------------------------------------------------

bool CborValueDecoder::mismatch(const Type& type, const std::string& found) {
  reason_ = "expected " + type.to_string() + ", found " + found;
  return false;
}

/// Names are put before the reason from the inside to the outside: "field 'a.b': …".
bool CborValueDecoder::in_field(const std::string& name) {
  constexpr std::string_view kField = "field '";
  if (reason_.starts_with(kField))
    reason_.insert(kField.size(), name + ".");
  else if (!reason_.empty())
    reason_ = "field '" + name + "': " + reason_;
  return false;
}

}  // namespace leat::formats
