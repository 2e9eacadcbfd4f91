#include "pipelines/formats/avro_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <unordered_set>

#include "pipelines/base/time.h"
#include "pipelines/formats/read_cell.h"
#include "pipelines/formats/utf8.h"

namespace leat::formats {
namespace {

constexpr int kDeepestValue = 100;
constexpr std::size_t kDecimalBytes = 16;

/// The builders of a table's columns, or of a ROW's fields.
struct TopColumns {
  std::span<ColumnBuilder* const> builders;
  ColumnBuilder& operator[](std::size_t index) const { return *builders[index]; }
};
struct RowFields {
  ColumnBuilder& row;
  ColumnBuilder& operator[](std::size_t index) const { return row.child(index); }
};

bool read_long(WireReader& wire, std::int64_t& value) {
  std::uint64_t bits = 0;
  if (!wire.varint(bits)) return false;
  value = from_zigzag(bits);
  return true;
}

Int128 power_of_ten(std::int32_t exponent) {
  Int128 power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

/// Big-endian two's complement; nothing: more than 128 bits.
std::optional<Int128> big_endian(std::string_view bytes) {
  const bool negative = !bytes.empty() && static_cast<unsigned char>(bytes[0]) >= 0x80;
  const char sign = negative ? '\xff' : '\0';
  while (bytes.size() > kDecimalBytes && bytes[0] == sign) bytes.remove_prefix(1);
  if (bytes.size() > kDecimalBytes) return std::nullopt;
  if (!bytes.empty() && (static_cast<unsigned char>(bytes[0]) >= 0x80) != negative) return std::nullopt;
  absl::uint128 value = negative ? ~absl::uint128(0) : absl::uint128(0);
  for (const char byte : bytes) value = value << 8 | absl::uint128(static_cast<unsigned char>(byte));
  return static_cast<Int128>(value);
}

/// In the unit of its column; false: out of range.
bool append_time(const AvroNode& node, const Type& type, std::int64_t value, ColumnBuilder& out) {
  const bool millis =
      node.logical == AvroLogical::kTimeMillis || node.logical == AvroLogical::kTimestampMillis;
  if (millis && __builtin_mul_overflow(value, kMicrosPerMilli, &value)) return false;
  if (type.kind() == TypeKind::kTime && (value < 0 || value >= kMicrosPerDay)) return false;
  return append_time_cell(value, type.precision(), out);
}

template <class Float>
bool append_floating(Float value, const Type& type, ColumnBuilder& out) {
  if (type.kind() == TypeKind::kFloat)
    out.append(static_cast<float>(value));
  else
    out.append(static_cast<double>(value));
  return true;
}

bool append_integer(const AvroNode& node, const Type& type, std::int64_t value, ColumnBuilder& out) {
  if (type.kind() == TypeKind::kDate) return append_narrowed<std::int32_t>(value, out);
  if (type.kind() == TypeKind::kTime || type.is_timestamp()) return append_time(node, type, value, out);
  if (type.is_approximate()) return append_floating(value, type, out);
  return append_integer_cell(type.kind(), value, out);
}

}  // namespace

AvroDecoder::AvroDecoder(const AvroOptions& options, AvroFraming framing, AvroSchema schema,
                         const DecodeRequest& request)
    : options_(options), framing_(framing), schema_(std::move(schema)) {
  Type::Fields wanted;
  for (const std::size_t index : request.wanted) wanted.push_back(request.schema.fields[index]);
  std::vector<std::string> errors;  // The format has judged them all.
  shape_ = match_avro(schema_, wanted, AvroUse::kRead, errors);
}

DecodeCount AvroDecoder::decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                                std::vector<BadRecord>& bad) {
  DecodeCount count;
  // A record without any field has no bytes.
  if (payload.empty() && !schema_.at(schema_.root).empty) {
    ++count.empty;
    return count;
  }
  const std::size_t rows = columns.empty() ? 0 : columns[0]->size();
  if (read_message(payload, columns)) {
    ++count.decoded;
    ++count.rows;
    return count;
  }
  for (ColumnBuilder* const column : columns) column->truncate(rows);
  if (options_.ignore_parse_errors)
    ++count.skipped;
  else
    bad.push_back({payload, std::move(reason_)});
  return count;
}

bool AvroDecoder::read_message(std::string_view payload, std::span<ColumnBuilder* const> columns) {
  reason_.clear();
  WireReader wire(payload);
  if (framing_ == AvroFraming::kConfluent && !take_header(wire)) return false;
  if (!read_record(shape_, TopColumns{columns}, wire, 0)) {
    reason_ += fmt::format(" (at byte {})", payload.size() - wire.left());
    return false;
  }
  return wire.done() || fail(fmt::format("{} bytes behind the record: another schema wrote it", wire.left()));
}

bool AvroDecoder::take_header(WireReader& wire) {
  constexpr std::size_t kHeader = 5;
  std::string_view header;
  if (!wire.take(kHeader, header) || header[0] != '\0')
    return fail("no message of a schema registry: it begins with a zero byte and the schema's id");
  std::uint32_t id = 0;
  for (const char byte : header.substr(1)) id = id << 8 | static_cast<unsigned char>(byte);
  if (!options_.schema_id || *options_.schema_id == id) return true;
  return fail(fmt::format("schema {}, and 'avro-confluent.schema-id' is {}", id, *options_.schema_id));
}

// ---- What nobody wants -----------------------------------------------------------------------------------

bool AvroDecoder::skip(AvroIndex index, WireReader& wire, int depth) {
  const AvroNode& node = schema_.at(index);
  if (depth > kDeepestValue) return fail("nested too deep");
  if (node.empty) return true;  // Records of records of nothing would be walked over for ever.
  std::uint64_t branch = 0;
  switch (node.kind) {
    case AvroKind::kUnion:
      if (!length(wire, branch)) return false;
      if (branch >= node.children.size()) return fail("no such branch of a union");
      return skip(node.children[static_cast<std::size_t>(branch)], wire, depth + 1);
    case AvroKind::kRecord:
      return std::ranges::all_of(node.children,
                                 [&](AvroIndex child) { return skip(child, wire, depth + 1); });
    case AvroKind::kArray:
    case AvroKind::kMap:
      return skip_items(node.children[0], node.kind == AvroKind::kMap, wire, depth + 1);
    default:
      return skip_scalar(node, wire);
  }
}

bool AvroDecoder::skip_scalar(const AvroNode& node, WireReader& wire) {
  std::uint64_t bits = 0;
  std::string_view bytes;
  switch (node.kind) {
    case AvroKind::kBoolean:
      return wire.take(1, bytes) || cut();
    case AvroKind::kFloat:
      return wire.fixed32(bits) || cut();
    case AvroKind::kDouble:
      return wire.fixed64(bits) || cut();
    case AvroKind::kFixed:
      return wire.take(node.size, bytes) || cut();
    case AvroKind::kBytes:
    case AvroKind::kString:
      return length(wire, bits) && (wire.take(bits, bytes) || cut());
    default:
      return wire.varint(bits) || cut();
  }
}

bool AvroDecoder::skip_items(AvroIndex item, bool keyed, WireReader& wire, int depth) {
  for (std::uint64_t count = 0, bytes = 0;;) {
    if (!block(wire, count, bytes)) return false;
    if (count == 0) return true;
    std::string_view whole;
    if (bytes > 0) {
      if (!wire.take(bytes, whole)) return cut();
      continue;
    }
    if (!keyed && schema_.at(item).empty) continue;
    for (; count > 0; --count) {
      std::uint64_t key = 0;
      if (keyed && (!length(wire, key) || (!wire.take(key, whole) && !cut()))) return false;
      if (!skip(item, wire, depth)) return false;
    }
  }
}

/// The number of items that follow, and how many bytes they are if that is told (else 0); the last block has
/// none.
bool AvroDecoder::block(WireReader& wire, std::uint64_t& count, std::uint64_t& bytes) {
  std::int64_t number = 0;
  bytes = 0;
  if (!read_long(wire, number)) return cut();
  count = number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
  return number >= 0 || length(wire, bytes);
}

/// A number that is not negative: a length, the number of a branch or a symbol.
bool AvroDecoder::length(WireReader& wire, std::uint64_t& value) {
  std::int64_t number = 0;
  if (!read_long(wire, number)) return cut();
  if (number < 0) return fail("a negative length");
  value = static_cast<std::uint64_t>(number);
  return true;
}

// ---- Into columns ----------------------------------------------------------------------------------------

template <class Columns>
bool AvroDecoder::read_record(const AvroShape& shape, Columns columns, WireReader& wire, int depth) {
  const AvroNode& node = schema_.at(shape.node);
  if (depth > kDeepestValue) return fail("nested too deep");
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const std::uint32_t column = shape.columns[i];
    const bool read = column == AvroShape::kNoColumn
                          ? skip(node.children[i], wire, depth + 1)
                          : read_value(shape.children[column], columns[column], wire, depth + 1);
    if (!read) return in_field(node.names[i]);
  }
  return true;
}

bool AvroDecoder::read_value(const AvroShape& shape, ColumnBuilder& out, WireReader& wire, int depth) {
  if (shape.is_union) {
    bool null = false;
    if (!read_branch(shape, out, wire, null)) return false;
    if (null) return true;
  }
  switch (schema_.at(shape.node).kind) {
    case AvroKind::kRecord:
      if (!read_record(shape, RowFields{out}, wire, depth)) return false;
      out.close_nested();
      return true;
    case AvroKind::kArray:
      return read_array(shape, out, wire, depth);
    case AvroKind::kMap:
      return read_map(shape, out, wire, depth);
    default:
      return read_scalar(shape, out, wire);
  }
}

bool AvroDecoder::read_branch(const AvroShape& shape, ColumnBuilder& out, WireReader& wire, bool& null) {
  std::uint64_t branch = 0;
  if (!length(wire, branch)) return false;
  if (branch == shape.value_branch) return true;
  if (branch != shape.null_branch) return fail("no such branch of a union");
  if (!shape.type.nullable()) return fail("null, and its column is NOT NULL");
  out.append_null();
  null = true;
  return true;
}

bool AvroDecoder::read_array(const AvroShape& shape, ColumnBuilder& out, WireReader& wire, int depth) {
  for (std::uint64_t count = 0, bytes = 0;;) {
    if (!block(wire, count, bytes)) return false;
    if (count == 0) break;
    // Each element has a byte at least, so that none is made of nothing.
    if (count > wire.left()) return cut();
    for (; count > 0; --count)
      if (!read_value(shape.children[0], out.child(0), wire, depth + 1)) return false;
  }
  out.close_nested();
  return true;
}

/// The last of several equal keys wins; the entries stay in the order of the message.
bool AvroDecoder::read_map(const AvroShape& shape, ColumnBuilder& out, WireReader& wire, int depth) {
  struct Entry {
    std::string_view key;
    WireReader value;
    bool last = true;  // Of those with its key.
  };
  std::vector<Entry> entries;
  for (std::uint64_t count = 0, bytes = 0;;) {
    if (!block(wire, count, bytes)) return false;
    if (count == 0) break;
    if (count > wire.left()) return cut();
    for (; count > 0; --count) {
      std::uint64_t size = 0;
      std::string_view key;
      if (!length(wire, size) || (!wire.take(size, key) && !cut())) return false;
      if (!valid_utf8(key)) return fail("a key that is no UTF-8");
      entries.push_back({key, wire});
      if (!skip(schema_.at(shape.node).children[0], wire, depth + 1)) return false;
    }
  }
  std::unordered_set<std::string_view> later;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry)
    entry->last = later.insert(entry->key).second;
  for (Entry& entry : entries) {
    if (!entry.last) continue;
    out.child(0).append_view(entry.key);
    if (!read_value(shape.children[0], out.child(1), entry.value, depth + 1)) return false;
  }
  out.close_nested();
  return true;
}

bool AvroDecoder::read_scalar(const AvroShape& shape, ColumnBuilder& out, WireReader& wire) {
  const AvroNode& node = schema_.at(shape.node);
  std::uint64_t bits = 0;
  switch (node.kind) {
    case AvroKind::kBoolean:
      return read_boolean(out, wire);
    case AvroKind::kInt:
    case AvroKind::kLong:
      return read_integer(shape, out, wire);
    case AvroKind::kFloat:
      if (!wire.fixed32(bits)) return cut();
      return append_floating(std::bit_cast<float>(static_cast<std::uint32_t>(bits)), shape.type, out);
    case AvroKind::kDouble:
      if (!wire.fixed64(bits)) return cut();
      return append_floating(std::bit_cast<double>(bits), shape.type, out);
    case AvroKind::kEnum:
      if (!length(wire, bits)) return false;
      if (bits >= node.names.size()) return fail("no such symbol of the enum");
      return out.append_string(node.names[static_cast<std::size_t>(bits)]), true;
    case AvroKind::kString:
      return read_text(out, wire);
    default:
      return read_bytes(shape, out, wire);
  }
}

bool AvroDecoder::read_boolean(ColumnBuilder& out, WireReader& wire) {
  std::string_view byte;
  if (!wire.take(1, byte)) return cut();
  if (byte[0] != '\0' && byte[0] != '\1') return fail("no boolean");
  out.append(static_cast<std::uint8_t>(byte[0]));
  return true;
}

bool AvroDecoder::read_integer(const AvroShape& shape, ColumnBuilder& out, WireReader& wire) {
  std::int64_t number = 0;
  if (!read_long(wire, number)) return cut();
  return append_integer(schema_.at(shape.node), shape.type, number, out) ||
         fail(fmt::format("{} is out of the range of {}", number, shape.type.to_string()));
}

bool AvroDecoder::read_text(ColumnBuilder& out, WireReader& wire) {
  std::uint64_t size = 0;
  std::string_view text;
  if (!length(wire, size) || (!wire.take(size, text) && !cut())) return false;
  if (!valid_utf8(text)) return fail("invalid UTF-8");
  out.append_view(text);
  return true;
}

bool AvroDecoder::read_bytes(const AvroShape& shape, ColumnBuilder& out, WireReader& wire) {
  const AvroNode& node = schema_.at(shape.node);
  std::uint64_t size = node.size;
  std::string_view bytes;
  if (node.kind == AvroKind::kBytes && !length(wire, size)) return false;
  if (!wire.take(size, bytes)) return cut();
  if (shape.type.kind() == TypeKind::kDecimal) return store_decimal(shape, bytes, out);
  out.append_view(bytes);
  return true;
}

/// One with too many digits is NULL, as in json.
bool AvroDecoder::store_decimal(const AvroShape& shape, std::string_view bytes, ColumnBuilder& out) {
  const auto value = big_endian(bytes);
  const Int128 limit = power_of_ten(shape.type.precision());
  if (value && *value<limit&& * value> - limit)
    out.append(*value);
  else if (shape.type.nullable())
    out.append_null();
  else
    return fail("out of the range of " + shape.type.to_string());
  return true;
}

// ---- Reasons ---------------------------------------------------------------------------------------------

bool AvroDecoder::cut() {
  return fail("the message ends too early: it is cut, or another schema wrote it");
}

bool AvroDecoder::fail(std::string reason) {
  reason_ = std::move(reason);
  return false;
}

/// Names are put before the reason from the inside to the outside: "field 'a.b': …".
bool AvroDecoder::in_field(const std::string& name) {
  constexpr std::string_view kField = "field '";
  if (reason_.starts_with(kField))
    reason_.insert(kField.size(), name + ".");
  else
    reason_ = "field '" + name + "': " + reason_;
  return false;
}

}  // namespace leat::formats
