#include "pipelines/formats/influx_encoder.h"

#include <cmath>

#include "pipelines/base/time.h"
#include "pipelines/formats/write_scalar.h"

namespace leat::formats {
namespace {

constexpr std::string_view kInMeasurements = ", ";
constexpr std::string_view kInKeys = ", =";  // And in tags.

bool is_finite(const Column& column, std::size_t row) {
  if (column.type().kind() == TypeKind::kDouble) return std::isfinite(column.values<double>()[row]);
  return column.type().kind() != TypeKind::kFloat || std::isfinite(column.values<float>()[row]);
}

bool is_number(const Type& type) {
  return type.is_numeric() || type.kind() == TypeKind::kBoolean;
}

/// A scalar as the text of a tag, or of a field that is no number.
void append_plain(const Column& column, std::size_t row, std::string& out) {
  if (column.type().is_character())
    out += column.strings()[row];
  else if (is_number(column.type()))
    append_number(column, row, DecimalStyle::kDeclaredScale, out);
  else
    append_date_or_bytes(column, row, ' ', out);
}

void append_quoted(std::string_view text, std::string& out) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

/// Nothing when out of range.
bool in_unit(std::int64_t& micros, InfluxPrecision precision) {
  switch (precision) {
    case InfluxPrecision::kNanos:
      return !__builtin_mul_overflow(micros, std::int64_t{1000}, &micros);
    case InfluxPrecision::kMillis:
      micros = floor_div(micros, kMicrosPerMilli);
      return true;
    case InfluxPrecision::kSeconds:
      micros = floor_div(micros, kMicrosPerSecond);
      return true;
    default:
      return true;
  }
}

}  // namespace

InfluxEncoder::InfluxEncoder(const InfluxOptions& options, const Schema& schema)
    : options_(options), roles_(influx_roles(options, schema)) {
  for (const Type::Field& field : schema.fields) {
    names_.push_back(field.name);
    buffer_.clear();
    append_escaped(field.name, kInKeys, field.name);  // The format has judged the names.
    keys_.push_back(buffer_ + "=");
  }
}

void InfluxEncoder::encode(const Batch& batch, EncodedSink& out,
                           std::vector<std::pair<std::uint32_t, std::string>>& bad) {
  for (std::size_t row = 0; row < batch.size; ++row) {
    buffer_.clear();
    if (write_line(batch, row))
      out.record(row, buffer_);
    else
      bad.emplace_back(static_cast<std::uint32_t>(row), std::move(reason_));
  }
}

bool InfluxEncoder::write_line(const Batch& batch, std::size_t row) {
  if (!write_measurement(batch, row)) return false;
  for (std::size_t i = 0; i < roles_.size(); ++i)
    if (roles_[i] == InfluxRole::kTag && !write_tag(i, *batch.columns[i], row)) return false;
  if (!write_fields(batch, row)) return false;
  for (std::size_t i = 0; i < roles_.size(); ++i)
    if (roles_[i] == InfluxRole::kTimestamp && !write_timestamp(*batch.columns[i], row)) return false;
  return true;
}

/// Of the column, and where that is NULL or there is none, the one of the options.
bool InfluxEncoder::write_measurement(const Batch& batch, std::size_t row) {
  std::string_view name = options_.measurement;
  for (std::size_t i = 0; i < roles_.size(); ++i)
    if (roles_[i] == InfluxRole::kMeasurement && !batch.columns[i]->is_null(row))
      name = batch.columns[i]->strings()[row];
  if (name.empty()) return fail("a line needs a measurement, and the row has none");
  if (name.starts_with('#')) return fail("a measurement that begins with '#' would be a comment");
  return append_escaped(name, kInMeasurements, "the measurement");
}

/// Nothing for NULL and the empty text, which no tag can be.
bool InfluxEncoder::write_tag(std::size_t index, const Column& column, std::size_t row) {
  if (column.is_null(row)) return true;
  text_.clear();
  append_plain(column, row, text_);
  if (text_.empty()) return true;
  buffer_.push_back(',');
  buffer_ += keys_[index];
  return append_escaped(text_, kInKeys, "tag '" + names_[index] + "'");
}

bool InfluxEncoder::write_fields(const Batch& batch, std::size_t row) {
  const std::size_t begin = buffer_.size();
  for (std::size_t i = 0; i < roles_.size(); ++i) {
    if (roles_[i] != InfluxRole::kField || batch.columns[i]->is_null(row)) continue;
    buffer_.push_back(buffer_.size() == begin ? ' ' : ',');
    if (!write_field(i, *batch.columns[i], row)) return false;
  }
  return buffer_.size() > begin || fail("a line needs a field, and all of the row's are NULL");
}

bool InfluxEncoder::write_field(std::size_t index, const Column& column, std::size_t row) {
  buffer_ += keys_[index];
  const Type& type = column.type();
  if (!is_finite(column, row))
    return fail("field '" + names_[index] + "': line protocol has neither NaN nor infinite numbers");
  if (is_number(type)) {
    append_number(column, row, DecimalStyle::kDeclaredScale, buffer_);
    if (type.is_integer()) buffer_.push_back('i');
    return true;
  }
  text_.clear();
  append_plain(column, row, text_);
  append_quoted(text_, buffer_);
  return true;
}

bool InfluxEncoder::write_timestamp(const Column& column, std::size_t row) {
  if (column.is_null(row)) return true;
  std::int64_t value = column.values<std::int64_t>()[row];
  if (column.type().is_timestamp() && !in_unit(value, options_.precision))
    return fail("the timestamp is out of the range of nanoseconds");
  buffer_.push_back(' ');
  append_integer(value, buffer_);
  return true;
}

/// Names and tags: with a backslash before what is `special`.
bool InfluxEncoder::append_escaped(std::string_view text, std::string_view special, const std::string& what) {
  for (const char c : text) {
    if (c == '\n' || c == '\r') return fail(what + ": only fields can have ends of lines");
    if (special.find(c) != std::string_view::npos) buffer_.push_back('\\');
    buffer_.push_back(c);
  }
  if (text.ends_with('\\'))
    return fail(what + ": a backslash at the end would take the meaning of what follows");
  return true;
}

bool InfluxEncoder::fail(std::string reason) {
  reason_ = std::move(reason);
  return false;
}

}  // namespace leat::formats
