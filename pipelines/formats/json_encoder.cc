#include "pipelines/formats/json_encoder.h"

#include <cmath>

#include "pipelines/column/text.h"
#include "pipelines/formats/write_scalar.h"

namespace leat::formats {
JsonEncoder::Member JsonEncoder::member_of(const std::string& name, const Type& type) {
  Member member;
  member.key.push_back(',');
  append_json_string(name, member.key);
  member.key.push_back(':');
  for (const Type::Field& field : type.fields()) member.fields.push_back(member_of(field.name, field.type));
  return member;
}

JsonEncoder::JsonEncoder(const JsonOptions& options, const Schema& schema) : options_(options) {
  for (const Type::Field& field : schema.fields) members_.push_back(member_of(field.name, field.type));
}

void JsonEncoder::encode(const Batch& batch, EncodedSink& out,
                         std::vector<std::pair<std::uint32_t, std::string>>& bad) {
  for (std::size_t row = 0; row < batch.size; ++row) {
    buffer_.assign(1, '{');
    bool written = true;
    for (std::size_t i = 0; i < members_.size() && written; ++i)
      written = write_member(*batch.columns[i], members_[i], row, 1);
    buffer_.push_back('}');
    if (written)
      out.record(row, buffer_);
    else
      bad.emplace_back(
          static_cast<std::uint32_t>(row),
          "a MAP with a NULL key; see 'json.map-null-key.mode' for what else can be done with it");
  }
}

/// Nothing for a NULL that is to be left out. `begin` is where the members of the object begin in the buffer.
bool JsonEncoder::write_member(const Column& column, const Member& member, std::size_t row,
                               std::size_t begin) {
  const bool null = column.is_null(row);
  if (null && options_.ignore_null_fields) return true;
  const std::size_t comma = buffer_.size() > begin ? 0 : 1;
  buffer_.append(member.key, comma);
  return null ? write_null() : write_value(column, member, row);
}

bool JsonEncoder::write_cell(const Column& column, const Member& member, std::size_t row) {
  return column.is_null(row) ? write_null() : write_value(column, member, row);
}

bool JsonEncoder::write_null() {
  buffer_ += "null";
  return true;
}

bool JsonEncoder::write_value(const Column& column, const Member& member, std::size_t row) {
  switch (column.type().kind()) {
    case TypeKind::kArray:
      return write_array(column, member, row);
    case TypeKind::kMap:
    case TypeKind::kMultiset:
      return write_map(column, member, row);
    case TypeKind::kRow:
      return write_row(column, member, row);
    default:
      write_scalar(column, row);
      return true;
  }
}

void JsonEncoder::write_scalar(const Column& column, std::size_t row) {
  const Type& type = column.type();
  if (type.is_character()) return append_json_string(column.strings()[row], buffer_);
  if (!type.is_binary() && type.kind() != TypeKind::kDate && type.kind() != TypeKind::kTime &&
      !type.is_timestamp())
    return write_number(column, row);
  buffer_.push_back('"');
  append_date_or_bytes(column, row, timestamp_syntax(options_.timestamp_format, Zone::kNone).separator,
                       buffer_);
  buffer_.push_back('"');
}

/// NaN and the infinities are no numbers in JSON; they stand in quotes, as Flink (Jackson) writes and reads
/// them.
void JsonEncoder::write_number(const Column& column, std::size_t row) {
  const auto style =
      options_.decimal_as_plain_number ? DecimalStyle::kDeclaredScale : DecimalStyle::kScientificJava;
  const TypeKind kind = column.type().kind();
  const bool quoted = (kind == TypeKind::kDouble && !std::isfinite(column.values<double>()[row])) ||
                      (kind == TypeKind::kFloat && !std::isfinite(column.values<float>()[row]));
  if (quoted) buffer_.push_back('"');
  append_number(column, row, style, buffer_);
  if (quoted) buffer_.push_back('"');
}

bool JsonEncoder::write_row(const Column& column, const Member& member, std::size_t row) {
  buffer_.push_back('{');
  const std::size_t begin = buffer_.size();
  for (std::size_t i = 0; i < member.fields.size(); ++i)
    if (!write_member(*column.child(i), member.fields[i], row, begin)) return false;
  buffer_.push_back('}');
  return true;
}

bool JsonEncoder::write_array(const Column& column, const Member& member, std::size_t row) {
  buffer_.push_back('[');
  const std::size_t begin = buffer_.size();
  for (std::size_t i = column.offsets()[row]; i < column.offsets()[row + 1]; ++i) {
    if (buffer_.size() > begin) buffer_.push_back(',');
    if (!write_cell(*column.child(0), member.fields[0], i)) return false;
  }
  buffer_.push_back(']');
  return true;
}

/// Tables whose keys are no strings are refused; where rows of a query are shown, such keys have their text.
void JsonEncoder::append_key(const Column& keys, std::size_t row) {
  if (keys.type().is_character()) return append_json_string(keys.strings()[row], buffer_);
  std::string text;
  append_text(keys, row, {}, text);
  append_json_string(text, buffer_);
}

bool JsonEncoder::write_map(const Column& column, const Member& member, std::size_t row) {
  const Column& keys = *column.child(0);
  buffer_.push_back('{');
  const std::size_t begin = buffer_.size();
  for (std::size_t i = column.offsets()[row]; i < column.offsets()[row + 1]; ++i) {
    const bool null = keys.is_null(i);
    if (null && options_.map_null_key == MapNullKey::kFail) return false;
    if (null && options_.map_null_key == MapNullKey::kDrop) continue;
    if (buffer_.size() > begin) buffer_.push_back(',');
    if (null)
      append_json_string(options_.map_null_key_literal, buffer_);
    else
      append_key(keys, i);
    buffer_.push_back(':');
    if (!write_cell(*column.child(1), member.fields[1], i)) return false;
  }
  buffer_.push_back('}');
  return true;
}

}  // namespace leat::formats
