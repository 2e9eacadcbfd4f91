#include "pipelines/exec/sort_key.h"

#include <absl/numeric/int128.h>

#include <bit>
#include <cmath>
#include <cstdint>

namespace leat::exec {
namespace {

void write_bits(std::uint64_t bits, std::string& key) {
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>((bits >> shift) & 0xff));
}

void write_integer(std::int64_t value, std::string& key) {
  write_bits(static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << 63), key);
}

void write_float(double value, std::string& key) {
  if (std::isnan(value)) return write_bits(~std::uint64_t{0}, key);
  const auto bits = std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value);
  const std::uint64_t sign = std::uint64_t{1} << 63;
  write_bits((bits & sign) != 0 ? ~bits : bits | sign, key);
}

void write_text(std::string_view text, std::string& key) {
  for (const char c : text) {
    key.push_back(c);
    if (c == '\0') key.push_back('\xff');
  }
  key.append(2, '\0');
}

void write_value(const Column& column, std::size_t row, std::string& key) {
  switch (column.type().layout()) {
    case Layout::kU8:
      return write_integer(column.values<std::uint8_t>()[row], key);
    case Layout::kI8:
      return write_integer(column.values<std::int8_t>()[row], key);
    case Layout::kI16:
      return write_integer(column.values<std::int16_t>()[row], key);
    case Layout::kI32:
      return write_integer(column.values<std::int32_t>()[row], key);
    case Layout::kI64:
      return write_integer(column.values<std::int64_t>()[row], key);
    case Layout::kF32:
      return write_float(static_cast<double>(column.values<float>()[row]), key);
    case Layout::kF64:
      return write_float(column.values<double>()[row], key);
    case Layout::kI128: {
      const Int128 value = column.values<Int128>()[row];
      write_integer(absl::Int128High64(value), key);
      return write_bits(absl::Int128Low64(value), key);
    }
    case Layout::kBytes:
      return write_text(column.strings()[row], key);
    case Layout::kList:
    case Layout::kStruct:
    case Layout::kNone:
      return;  // The binder refuses an order of these.
  }
}

}  // namespace

void SortKeyWriter::write(std::span<const ColumnPtr> columns, std::size_t row, std::string& key) const {
  key.clear();
  for (const plan::SortKey& order : keys_) {
    const Column& column = *columns[order.column];
    if (column.is_null(row)) {
      key.push_back(order.nulls == plan::NullPlace::kFirst ? '\0' : '\2');
      continue;
    }
    key.push_back('\1');
    const std::size_t begin = key.size();
    write_value(column, row, key);
    if (order.direction == plan::SortDirection::kAscending) continue;
    for (std::size_t i = begin; i < key.size(); ++i) key[i] = static_cast<char>(~key[i]);
  }
}

}  // namespace leat::exec
