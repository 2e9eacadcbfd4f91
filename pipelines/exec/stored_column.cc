#include "pipelines/exec/stored_column.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "pipelines/column/codec.h"

namespace leat::exec {
namespace {

constexpr std::size_t kInlineText = 15;  // What std::string holds without the heap.

template <class T>
T canonical(T value) {
  return std::isnan(value) ? std::numeric_limits<T>::quiet_NaN() : value;
}

/// Copies a value of a fixed-width layout, in the one spelling that equal values have.
void copy_value(const Column& column, std::size_t row, Layout layout, std::size_t width, std::byte* to) {
  if (layout == Layout::kF64) {
    const double value = canonical(column.values<double>()[row]);
    std::memcpy(to, &value, sizeof value);
  } else if (layout == Layout::kF32) {
    const float value = canonical(column.values<float>()[row]);
    std::memcpy(to, &value, sizeof value);
  } else {
    std::memcpy(to, column.values<std::byte>().data() + row * width, width);
  }
}

template <std::size_t kWidth>
void gather_values(const std::byte* from, std::span<const std::uint32_t> slots, std::byte* to) {
  for (const std::uint32_t slot : slots) {
    if (slot != StoredColumn::kNoSlot)
      std::memcpy(to, from + slot * kWidth, kWidth);
    else
      std::memset(to, 0, kWidth);
    to += kWidth;
  }
}

void gather_values(std::size_t width, const std::byte* from, std::span<const std::uint32_t> slots,
                   std::byte* to) {
  switch (width) {
    case 1:
      return gather_values<1>(from, slots, to);
    case 2:
      return gather_values<2>(from, slots, to);
    case 4:
      return gather_values<4>(from, slots, to);
    case 8:
      return gather_values<8>(from, slots, to);
    default:
      return gather_values<16>(from, slots, to);
  }
}

template <class T>
void append_value(const std::byte* from, ColumnBuilder& out) {
  T value;
  std::memcpy(&value, from, sizeof value);
  out.append(value);
}

void append_value(Layout layout, const std::byte* from, ColumnBuilder& out) {
  switch (layout) {
    case Layout::kU8:
      return append_value<std::uint8_t>(from, out);
    case Layout::kI8:
      return append_value<std::int8_t>(from, out);
    case Layout::kI16:
      return append_value<std::int16_t>(from, out);
    case Layout::kI32:
      return append_value<std::int32_t>(from, out);
    case Layout::kI64:
      return append_value<std::int64_t>(from, out);
    case Layout::kF32:
      return append_value<float>(from, out);
    case Layout::kF64:
      return append_value<double>(from, out);
    case Layout::kI128:
      return append_value<Int128>(from, out);
    case Layout::kBytes:
    case Layout::kList:
    case Layout::kStruct:
    case Layout::kNone:
      return;  // These are texts.
  }
}

std::string encoded(const Column& column, std::size_t row) {
  std::string cell;
  ByteWriter writer(cell);
  write_cell(column, row, writer);
  return cell;
}

bool same_cell(const std::string& kept, const Column& column, std::size_t row) {
  const std::string cell = encoded(column, row);
  if (kept == cell) return true;
  if (!holds_entries(column.type()) || kept.size() != cell.size()) return false;
  ColumnBuilder builder(column.type());
  ByteReader reader(kept);
  return read_cell(reader, builder) && key_cell(*builder.finish(), 0) == key_cell(column, row);
}

}  // namespace

StoredColumn::StoredColumn(Type type)
    : type_(std::move(type)),
      layout_(type_.layout()),
      width_(layout_ == Layout::kBytes ? 0 : slot_width(layout_)) {}

void StoredColumn::reach(std::size_t slots) {
  if (valid_.size() >= slots) return;
  valid_.resize(slots);
  if (owns_text())
    texts_.resize(slots);
  else
    values_.resize(slots * width_);
}

void StoredColumn::set_text(std::uint32_t slot, std::string_view text) {
  std::string& held = texts_[slot];
  if (held.capacity() > kInlineText) text_heap_bytes_ -= held.capacity();
  held.assign(text);
  if (held.capacity() > kInlineText) text_heap_bytes_ += held.capacity();
}

void StoredColumn::set(std::uint32_t slot, const Column& column, std::size_t row) {
  valid_[slot] = column.is_null(row) ? 0 : 1;
  if (!owns_text()) return copy_value(column, row, layout_, width_, values_.data() + slot * width_);
  if (valid_[slot] == 0) return;
  if (layout_ == Layout::kBytes)
    set_text(slot, column.strings()[row]);
  else
    set_text(slot, encoded(column, row));
}

void StoredColumn::clear(std::uint32_t slot) {
  valid_[slot] = 0;
  if (!owns_text() || texts_[slot].capacity() <= kInlineText) return;
  text_heap_bytes_ -= texts_[slot].capacity();
  std::string().swap(texts_[slot]);
}

bool StoredColumn::equals(std::uint32_t slot, const Column& column, std::size_t row) const {
  const bool valid = !column.is_null(row);
  if (valid != (valid_[slot] != 0)) return false;
  if (!valid) return true;
  if (layout_ == Layout::kBytes) return texts_[slot] == column.strings()[row];
  if (owns_text()) return same_cell(texts_[slot], column, row);
  std::byte value[sizeof(Int128)];
  copy_value(column, row, layout_, width_, value);
  return std::memcmp(value, values_.data() + slot * width_, width_) == 0;
}

void StoredColumn::append(std::uint32_t slot, ColumnBuilder& out) const {
  if (valid_[slot] == 0) return out.append_null();
  if (layout_ == Layout::kBytes) return out.append_string(texts_[slot]);
  if (!owns_text()) return append_value(layout_, values_.data() + slot * width_, out);
  ByteReader reader(texts_[slot]);
  if (!read_cell(reader, out)) out.append_null();  // It was written by `set`.
}

ColumnPtr StoredColumn::gather_fixed(std::span<const std::uint32_t> slots) const {
  Column::Parts parts{.type = type_, .size = slots.size(), .values = ValueBuffer(slots.size(), width_)};
  gather_values(width_, values_.data(), slots, static_cast<std::byte*>(parts.values.data()));
  bool nulls = false;
  for (const std::uint32_t slot : slots) nulls = nulls || slot == kNoSlot || valid_[slot] == 0;
  if (!nulls) return std::make_shared<const Column>(std::move(parts));
  parts.type = type_.with_nullable(true);
  parts.validity.reserve(slots.size());
  for (const std::uint32_t slot : slots) parts.validity.push_back(slot == kNoSlot ? 0 : valid_[slot]);
  return std::make_shared<const Column>(std::move(parts));
}

ColumnPtr StoredColumn::gather(std::span<const std::uint32_t> slots) const {
  if (!owns_text()) return gather_fixed(slots);
  ColumnBuilder builder(type_);
  builder.reserve(slots.size());
  for (const std::uint32_t slot : slots) {
    if (slot == kNoSlot)
      builder.append_null();
    else
      append(slot, builder);
  }
  return builder.finish();
}

std::size_t StoredColumn::memory_bytes() const {
  return valid_.capacity() + values_.capacity() + texts_.capacity() * sizeof(std::string) + text_heap_bytes_;
}

}  // namespace leat::exec
