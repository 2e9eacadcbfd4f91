#include "pipelines/formats/influx_decoder.h"

#include <limits>
#include <optional>

#include "pipelines/base/time.h"
#include "pipelines/formats/lines.h"
#include "pipelines/formats/read_cell.h"
#include "pipelines/formats/read_scalar.h"
#include "pipelines/formats/utf8.h"

namespace leat::formats {
namespace {

using Step = InfluxLine::Step;
using Kind = InfluxValue::Kind;

// What stands behind backslashes.
constexpr std::string_view kInMeasurements = ", ";
constexpr std::string_view kInKeys = ", =";  // And in tags.
constexpr std::string_view kInTexts = "\"\\";

/// Micros, cut to the fraction digits of the type; nothing when out of range.
std::optional<std::int64_t> micros_of(std::int64_t value, InfluxPrecision precision) {
  switch (precision) {
    case InfluxPrecision::kNanos:
      return floor_div(value, std::int64_t{1000});
    case InfluxPrecision::kMicros:
      return value;
    default:
      break;
  }
  const std::int64_t unit = precision == InfluxPrecision::kMillis ? kMicrosPerMilli : kMicrosPerSecond;
  if (__builtin_mul_overflow(value, unit, &value)) return std::nullopt;
  return value;
}

bool is_text(Kind kind) {
  return kind == Kind::kText || kind == Kind::kTag || kind == Kind::kMeasurement;
}

/// A number that is whole, whatever its type in the line.
bool append_whole(const InfluxValue& value, TypeKind kind, ColumnBuilder& out) {
  const std::string_view text = value.text.text;
  if (value.kind != Kind::kFloat) {
    const auto integer = read_integer(text);
    return integer && append_integer_cell(kind, *integer, out);
  }
  const double number = read_double(text).value_or(std::numeric_limits<double>::infinity());
  constexpr double kBeyond = 9223372036854775808.0;  // 2^63
  if (number < -kBeyond || number >= kBeyond) return false;
  const auto whole = static_cast<std::int64_t>(number);
  return static_cast<double>(whole) == number && append_integer_cell(kind, whole, out);
}

void append_double(std::string_view text, ColumnBuilder& out) {
  NumberParts parts;
  const char* const end = text.data() + text.size();
  if (scan_number(text.data(), end, parts) == end)
    out.append(to_double(parts, text));
  else
    out.append(read_double(text).value_or(0));
}

}  // namespace

InfluxDecoder::InfluxDecoder(const InfluxOptions& options, const DecodeRequest& request)
    : options_(options), framing_(request.framing) {
  const std::vector<InfluxRole> roles = influx_roles(options, request.schema);
  for (const std::size_t index : request.wanted) {
    const Type::Field& column = request.schema.fields[index];
    slots_.push_back({.name = column.name, .type = column.type, .role = roles[index]});
  }
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].role == InfluxRole::kField || slots_[i].role == InfluxRole::kTag)
      by_name_.emplace(slots_[i].name, static_cast<std::uint32_t>(i));
}

DecodeCount InfluxDecoder::decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                                  std::vector<BadRecord>& bad) {
  Pass pass{columns, bad, {}, valid_utf8(payload)};
  if (framing_ == Framing::kMessage) payload = without_byte_order_mark(payload);
  if (payload.empty()) ++pass.count.empty;
  while (!payload.empty()) {
    const std::size_t length = first_influx_line(payload, Behind::kNothing);
    read_line(without_line_end(payload.substr(0, length)), pass);
    payload.remove_prefix(length);
  }
  return pass.count;
}

void InfluxDecoder::read_line(std::string_view line, Pass& pass) {
  if (is_influx_comment(line)) {
    ++pass.count.empty;
    return;
  }
  const std::size_t rows = pass.columns.empty() ? 0 : pass.columns[0]->size();
  const bool valid = pass.valid_utf8 || valid_utf8(line) || fail("invalid UTF-8");
  const Line read = valid ? read_row(line, pass) : Line::kBad;
  if (read != Line::kBad) {
    ++pass.count.decoded;
    pass.count.rows += read == Line::kRow ? 1 : 0;
    return;
  }
  for (ColumnBuilder* const column : pass.columns) column->truncate(rows);
  if (options_.ignore_parse_errors)
    ++pass.count.skipped;
  else
    pass.bad.push_back({line, std::move(reason_)});
}

InfluxDecoder::Line InfluxDecoder::read_row(std::string_view line, Pass& pass) {
  const Line read = collect(line);
  if (read != Line::kRow) return read;
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (!store(slots_[i], *pass.columns[i])) return Line::kBad;
  return Line::kRow;
}

// ---- From the line ---------------------------------------------------------------------------------------

InfluxDecoder::Line InfluxDecoder::collect(std::string_view line) {
  InfluxLine in(line);
  InfluxText measurement;
  Step step = in.measurement(measurement);
  const bool other = step == Step::kItem && !options_.measurement.empty() &&
                     plain(measurement, kInMeasurements) != options_.measurement;
  if (other) return Line::kOtherMeasurement;
  for (Slot& slot : slots_) {
    slot.value.kind = Kind::kAbsent;
    if (slot.role == InfluxRole::kMeasurement) slot.value = {Kind::kMeasurement, measurement};
  }
  std::size_t position = 0;
  for (InfluxText key, tag; step == Step::kItem; ++position) {
    step = in.tag(key, tag);
    if (step != Step::kItem) break;
    if (Slot* const slot = find(tags_, position, key)) slot->value = {Kind::kTag, tag};
  }
  if (step == Step::kEnd) return collect_fields(in);
  fail("not line protocol at " + in.problem());
  return Line::kBad;
}

InfluxDecoder::Line InfluxDecoder::collect_fields(InfluxLine& in) {
  std::size_t position = 0;
  InfluxText key;
  InfluxValue value;
  Step step = in.field(key, value);
  for (; step == Step::kItem; step = in.field(key, value), ++position)
    if (Slot* const slot = find(fields_, position, key); slot && slot->role == InfluxRole::kField)
      slot->value = value;
  if (step == Step::kEnd && collect_timestamp(in)) return Line::kRow;
  fail("not line protocol at " + in.problem());
  return Line::kBad;
}

bool InfluxDecoder::collect_timestamp(InfluxLine& in) {
  std::string_view digits;
  const Step step = in.timestamp(digits);
  if (step != Step::kItem) return step == Step::kEnd;
  for (Slot& slot : slots_)
    if (slot.role == InfluxRole::kTimestamp) slot.value = {Kind::kInteger, {digits}};
  return true;
}

InfluxDecoder::Slot* InfluxDecoder::find(KeyOrder& order, std::size_t& position, const InfluxText& key) {
  std::uint32_t field = kUnwantedField;
  if (!order.recall(position, key.text, field)) {
    const auto found = by_name_.find(plain(key, kInKeys));
    field = found == by_name_.end() ? kUnwantedField : found->second;
    order.remember(position, key.text, field);
  }
  return field == kUnwantedField ? nullptr : &slots_[field];
}

/// Without the backslashes before what is `escapable`; valid until the next call.
std::string_view InfluxDecoder::plain(const InfluxText& text, std::string_view escapable) {
  if (!text.escaped) return text.text;
  scratch_.clear();
  for (std::size_t i = 0; i < text.text.size(); ++i) {
    const bool escape = text.text[i] == '\\' && i + 1 < text.text.size() &&
                        escapable.find(text.text[i + 1]) != std::string_view::npos;
    scratch_.push_back(escape ? text.text[++i] : text.text[i]);
  }
  return scratch_;
}

std::string_view InfluxDecoder::plain_value(const InfluxValue& value) {
  if (value.kind == Kind::kText) return plain(value.text, kInTexts);
  return plain(value.text, value.kind == Kind::kMeasurement ? kInMeasurements : kInKeys);
}

// ---- Into columns ----------------------------------------------------------------------------------------

bool InfluxDecoder::store(const Slot& slot, ColumnBuilder& out) {
  const bool absent = slot.value.kind == Kind::kAbsent;
  const std::size_t size = out.size();
  const bool stored =
      !absent && (slot.role == InfluxRole::kTimestamp ? store_timestamp(slot.value.text.text, slot.type, out)
                                                      : store_value(slot.value, slot.type, out));
  if (stored) return true;
  out.truncate(size);
  if (slot.type.nullable() && (absent || options_.ignore_parse_errors)) {
    out.append_null();
    return true;
  }
  const std::string what = slot.role == InfluxRole::kTimestamp ? "the timestamp" : "'" + slot.name + "'";
  const std::string quote = is_text(slot.value.kind) ? "\"" : "";
  return fail(what + ": expected " + slot.type.to_string() + ", found " +
              (absent ? "none" : quote + shown(slot.value.text.text) + quote));
}

bool InfluxDecoder::store_value(const InfluxValue& value, const Type& type, ColumnBuilder& out) {
  if (type.is_character() || is_text(value.kind)) return store_text(value, type, out);
  const std::string_view text = value.text.text;
  if (value.kind == Kind::kBoolean || type.kind() == TypeKind::kBoolean) {
    bool boolean = false;
    if (type.kind() != TypeKind::kBoolean || !read_influx_boolean(text, boolean)) return false;
    out.append<std::uint8_t>(boolean ? 1 : 0);
    return true;
  }
  if (type.is_integer()) return append_whole(value, type.kind(), out);
  if (type.kind() == TypeKind::kDouble) {
    formats::append_double(text, out);
    return true;
  }
  return type.is_numeric() && append_text_cell(text, type, out);
}

/// A text or tag into any type, or anything into a text.
bool InfluxDecoder::store_text(const InfluxValue& value, const Type& type, ColumnBuilder& out) {
  const std::string_view text = plain_value(value);
  if (type.is_character()) {
    if (value.text.escaped)
      out.append_string(text);
    else
      out.append_view(text);
    return true;
  }
  if (type.kind() != TypeKind::kBoolean) return append_text_cell(text, type, out);
  bool boolean = false;
  if (!read_influx_boolean(text, boolean)) return false;
  out.append<std::uint8_t>(boolean ? 1 : 0);
  return true;
}

bool InfluxDecoder::store_timestamp(std::string_view digits, const Type& type, ColumnBuilder& out) const {
  const auto value = read_integer(digits);
  if (!value) return false;
  if (type.kind() == TypeKind::kBigInt) {
    out.append(*value);
    return true;
  }
  const auto micros = micros_of(*value, options_.precision);
  return micros && append_time_cell(*micros, type.precision(), out);
}

bool InfluxDecoder::fail(std::string reason) {
  reason_ = std::move(reason);
  return false;
}

}  // namespace leat::formats
