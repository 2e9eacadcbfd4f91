#include "pipelines/column/codec.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace leat {
namespace {

constexpr std::uint8_t kNullCell = 0;
constexpr std::uint8_t kValueCell = 1;

/// One spelling for values that GROUP BY takes as equal.
double canonical(double value) {
  return std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value;
}

float canonical(float value) {
  return std::isnan(value) ? std::numeric_limits<float>::quiet_NaN() : value;
}

enum class Form : std::uint8_t { kAsHeld, kKey };

void write(const Column& column, std::size_t row, Form form, ByteWriter& out);

void write_entry(const Column& column, std::size_t entry, Form form, ByteWriter& out) {
  for (std::size_t c = 0; c < column.child_count(); ++c) write(*column.child(c), entry, form, out);
}

/// The entries by their bytes: as a key, a MAP has no order.
void write_sorted(const Column& column, std::size_t begin, std::size_t end, ByteWriter& out) {
  std::vector<std::string> entries(end - begin);
  for (std::size_t e = begin; e < end; ++e) {
    ByteWriter entry(entries[e - begin]);
    write_entry(column, e, Form::kKey, entry);
  }
  std::ranges::sort(entries);
  for (const std::string& entry : entries) out.raw(entry);
}

void write_list(const Column& column, std::size_t row, Form form, ByteWriter& out) {
  const std::uint32_t begin = column.offsets()[row];
  const std::uint32_t end = column.offsets()[row + 1];
  out.varint(end - begin);
  if (form == Form::kKey && column.child_count() > 1) return write_sorted(column, begin, end, out);
  for (std::uint32_t e = begin; e < end; ++e) write_entry(column, e, form, out);
}

void write_value(const Column& column, std::size_t row, Form form, ByteWriter& out) {
  switch (column.type().layout()) {
    case Layout::kU8:
      return out.u8(column.values<std::uint8_t>()[row]);
    case Layout::kI8:
      return out.zigzag(column.values<std::int8_t>()[row]);
    case Layout::kI16:
      return out.zigzag(column.values<std::int16_t>()[row]);
    case Layout::kI32:
      return out.zigzag(column.values<std::int32_t>()[row]);
    case Layout::kI64:
      return out.zigzag(column.values<std::int64_t>()[row]);
    case Layout::kF32:
      return out.fixed32(std::bit_cast<std::uint32_t>(canonical(column.values<float>()[row])));
    case Layout::kF64:
      return out.float64(canonical(column.values<double>()[row]));
    case Layout::kI128: {
      const Int128 value = column.values<Int128>()[row];
      out.fixed64(absl::Int128Low64(value));
      return out.fixed64(static_cast<std::uint64_t>(absl::Int128High64(value)));
    }
    case Layout::kBytes:
      return out.string(column.strings()[row]);
    case Layout::kList:
      return write_list(column, row, form, out);
    case Layout::kStruct:
      return write_entry(column, row, form, out);
    case Layout::kNone:
      return;
  }
}

void write(const Column& column, std::size_t row, Form form, ByteWriter& out) {
  if (column.is_null(row)) return out.u8(kNullCell);
  out.u8(kValueCell);
  write_value(column, row, form, out);
}

Status corrupt_cell(const Type& type) {
  return fail(ErrorCode::kCorrupt, "a saved cell of type " + type.to_string() + " cannot be read");
}

Status read_children(ByteReader& in, ColumnBuilder& out, std::uint64_t count) {
  const std::size_t children = out.type().fields().size();
  for (std::uint64_t e = 0; e < count; ++e)
    for (std::size_t c = 0; c < children; ++c) LEAT_TRY(read_cell(in, out.child(c)));
  out.close_nested();
  return {};
}

Status read_nested(ByteReader& in, ColumnBuilder& out) {
  const std::size_t before = out.size();
  // A count beyond the bytes at hand cannot be right; without this check a damaged one would loop for ever.
  const std::uint64_t count = out.type().layout() == Layout::kList ? in.varint() : 1;
  if (!in.ok() || (count > in.rest().size() && count > 1)) return corrupt_cell(out.type());
  Status read = read_children(in, out, count);
  if (!read) out.truncate(before);
  return read;
}

Int128 read_int128(ByteReader& in) {
  const std::uint64_t low = in.fixed64();
  const std::uint64_t high = in.fixed64();
  return absl::MakeInt128(static_cast<std::int64_t>(high), low);
}

void append_value(ByteReader& in, ColumnBuilder& out) {
  switch (out.type().layout()) {
    case Layout::kU8:
      return out.append(in.u8());
    case Layout::kI8:
      return out.append(static_cast<std::int8_t>(in.zigzag()));
    case Layout::kI16:
      return out.append(static_cast<std::int16_t>(in.zigzag()));
    case Layout::kI32:
      return out.append(static_cast<std::int32_t>(in.zigzag()));
    case Layout::kI64:
      return out.append(in.zigzag());
    case Layout::kF32:
      return out.append(std::bit_cast<float>(in.fixed32()));
    case Layout::kF64:
      return out.append(in.float64());
    case Layout::kI128:
      return out.append(read_int128(in));
    case Layout::kBytes:
      return out.append_string(in.string());
    case Layout::kList:
    case Layout::kStruct:
    case Layout::kNone:
      return out.append_null();
  }
}

}  // namespace

void write_cell(const Column& column, std::size_t row, ByteWriter& out) {
  write(column, row, Form::kAsHeld, out);
}

void write_key_cell(const Column& column, std::size_t row, ByteWriter& out) {
  write(column, row, Form::kKey, out);
}

std::string key_cell(const Column& column, std::size_t row) {
  std::string bytes;
  ByteWriter writer(bytes);
  write_key_cell(column, row, writer);
  return bytes;
}

bool holds_entries(const Type& type) {
  if (type.kind() == TypeKind::kMap || type.kind() == TypeKind::kMultiset) return true;
  return type.is_nested() && std::ranges::any_of(type.fields(), [](const Type::Field& field) {
           return holds_entries(field.type);
         });
}

Status read_cell(ByteReader& in, ColumnBuilder& out) {
  const std::uint8_t tag = in.u8();
  if (!in.ok() || tag > kValueCell) return corrupt_cell(out.type());
  if (tag == kNullCell) {
    out.append_null();
    return {};
  }
  const Layout layout = out.type().layout();
  if (layout == Layout::kList || layout == Layout::kStruct) return read_nested(in, out);
  const std::size_t before = out.size();
  append_value(in, out);
  if (in.ok()) return {};
  out.truncate(before);
  return corrupt_cell(out.type());
}

}  // namespace leat
