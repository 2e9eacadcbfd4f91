#include "pipelines/column/column.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>

#include "pipelines/column/column_builder.h"

namespace leat {
namespace {

constexpr std::align_val_t kValueAlignment{16};

void add_heaps(std::vector<HeapPtr>& into, std::span<const HeapPtr> heaps) {
  for (const HeapPtr& heap : heaps)
    if (std::find(into.begin(), into.end(), heap) == into.end()) into.push_back(heap);
}

template <class T>
void gather_values(const Column& from, std::span<const std::uint32_t> rows, void* into) {
  const T* const values = from.values<T>().data();
  T* const out = static_cast<T*>(into);
  for (std::size_t i = 0; i < rows.size(); ++i) out[i] = values[rows[i]];
}

void gather_slots(const Column& from, std::span<const std::uint32_t> rows, void* into) {
  switch (slot_width(from.type().layout())) {
    case 1:
      return gather_values<std::uint8_t>(from, rows, into);
    case 2:
      return gather_values<std::uint16_t>(from, rows, into);
    case 4:
      return gather_values<std::uint32_t>(from, rows, into);
    case 8:
      return gather_values<std::uint64_t>(from, rows, into);
    default:
      break;
  }
  if (from.type().layout() == Layout::kBytes) return gather_values<std::string_view>(from, rows, into);
  gather_values<Int128>(from, rows, into);
}

std::vector<std::uint8_t> gather_validity(const Column& from, std::span<const std::uint32_t> rows) {
  std::vector<std::uint8_t> validity;
  const auto source = from.validity();
  if (source.empty()) return validity;
  validity.resize(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) validity[i] = source[rows[i]];
  return validity;
}

void gather_lists(const Column& from, std::span<const std::uint32_t> rows, Column::Parts& parts) {
  std::vector<std::uint32_t> elements;
  parts.offsets.reserve(rows.size() + 1);
  parts.offsets.push_back(0);
  for (const std::uint32_t row : rows) {
    for (std::uint32_t e = from.offsets()[row]; e < from.offsets()[row + 1]; ++e) elements.push_back(e);
    parts.offsets.push_back(static_cast<std::uint32_t>(elements.size()));
  }
  for (std::size_t c = 0; c < from.child_count(); ++c)
    parts.children.push_back(gather(from.child(c), elements));
}

void concat_lists(std::span<const ColumnPtr> columns, Column::Parts& parts) {
  parts.offsets.reserve(parts.size + 1);
  parts.offsets.push_back(0);
  for (const ColumnPtr& column : columns) {
    const std::uint32_t base = parts.offsets.back() - column->offsets()[0];
    for (std::size_t row = 0; row < column->size(); ++row)
      parts.offsets.push_back(base + column->offsets()[row + 1]);
  }
}

void concat_children(std::span<const ColumnPtr> columns, Column::Parts& parts) {
  for (std::size_t c = 0; c < columns[0]->child_count(); ++c) {
    std::vector<ColumnPtr> children;
    for (const ColumnPtr& column : columns) children.push_back(column->child(c));
    parts.children.push_back(concat(children));
  }
}

void concat_slots(std::span<const ColumnPtr> columns, Column::Parts& parts) {
  const std::size_t width = slot_width(parts.type.layout());
  parts.values = ValueBuffer(parts.size, width);
  auto* out = static_cast<char*>(parts.values.data());
  for (const ColumnPtr& column : columns) {
    const std::size_t bytes = column->size() * width;
    if (bytes > 0) std::memcpy(out, column->values<char>().data(), bytes);
    out += bytes;
  }
}

Value list_value(const Column& column, std::size_t row) {
  Value::List values;
  for (std::size_t e = column.offsets()[row]; e < column.offsets()[row + 1]; ++e)
    for (std::size_t c = 0; c < column.child_count(); ++c) values.push_back(column.child(c)->value(e));
  return Value::list(std::move(values));
}

Value struct_value(const Column& column, std::size_t row) {
  Value::List values;
  for (std::size_t c = 0; c < column.child_count(); ++c) values.push_back(column.child(c)->value(row));
  return Value::list(std::move(values));
}

std::vector<std::uint32_t> row_range(std::size_t begin, std::size_t count) {
  std::vector<std::uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(begin));
  return rows;
}

}  // namespace

ValueBuffer::ValueBuffer(std::size_t count, std::size_t width)
    : data_(count * width == 0 ? nullptr : ::operator new(count* width, kValueAlignment)) {}

void ValueBuffer::Release::operator()(void* memory) const {
  ::operator delete(memory, kValueAlignment);
}

std::size_t slot_width(Layout layout) {
  switch (layout) {
    case Layout::kU8:
    case Layout::kI8:
      return 1;
    case Layout::kI16:
      return 2;
    case Layout::kI32:
    case Layout::kF32:
      return 4;
    case Layout::kI64:
    case Layout::kF64:
      return 8;
    case Layout::kI128:
      return sizeof(Int128);
    case Layout::kBytes:
      return sizeof(std::string_view);
    case Layout::kList:
    case Layout::kStruct:
    case Layout::kNone:
      return 0;
  }
  return 0;
}

ColumnPtr Column::constant(const Type& type, const Value& value, std::size_t size) {
  ColumnBuilder one(type);
  one.append_value(value);
  const ColumnPtr single = one.finish();
  return size == 1 ? single : gather(single, std::vector<std::uint32_t>(size, 0));
}

ColumnPtr Column::nulls(const Type& type, std::size_t size) {
  ColumnBuilder builder(type);
  builder.reserve(size);
  for (std::size_t i = 0; i < size; ++i) builder.append_null();
  return builder.finish();
}

Value Column::value(std::size_t row) const {
  if (is_null(row)) return {};
  switch (type().layout()) {
    case Layout::kU8:
      return Value::boolean(values<std::uint8_t>()[row] != 0);
    case Layout::kI8:
      return Value::integer(values<std::int8_t>()[row]);
    case Layout::kI16:
      return Value::integer(values<std::int16_t>()[row]);
    case Layout::kI32:
      return Value::integer(values<std::int32_t>()[row]);
    case Layout::kI64:
      return Value::integer(values<std::int64_t>()[row]);
    case Layout::kF32:
      return Value::float64(static_cast<double>(values<float>()[row]));
    case Layout::kF64:
      return Value::float64(values<double>()[row]);
    case Layout::kI128:
      return Value::decimal(values<Int128>()[row]);
    case Layout::kBytes:
      return Value::string(std::string(strings()[row]));
    case Layout::kList:
      return list_value(*this, row);
    case Layout::kStruct:
      return struct_value(*this, row);
    case Layout::kNone:
      break;
  }
  return {};
}

ColumnPtr gather(const ColumnPtr& column, std::span<const std::uint32_t> rows) {
  Column::Parts parts{.type = column->type(), .size = rows.size()};
  const Layout layout = column->type().layout();
  parts.validity = gather_validity(*column, rows);
  parts.heaps.assign(column->heaps().begin(), column->heaps().end());
  if (layout == Layout::kList) {
    gather_lists(*column, rows, parts);
  } else if (layout == Layout::kStruct) {
    for (std::size_t c = 0; c < column->child_count(); ++c)
      parts.children.push_back(gather(column->child(c), rows));
  } else if (layout != Layout::kNone) {
    parts.values = ValueBuffer(rows.size(), slot_width(layout));
    gather_slots(*column, rows, parts.values.data());
  }
  return std::make_shared<const Column>(std::move(parts));
}

ColumnPtr slice(const ColumnPtr& column, std::size_t begin, std::size_t count) {
  if (begin == 0 && count == column->size()) return column;
  const std::size_t width = slot_width(column->type().layout());
  if (width == 0) return gather(column, row_range(begin, count));
  Column::Parts parts{.type = column->type(), .size = count, .values = ValueBuffer(count, width)};
  if (!column->validity().empty()) {
    const auto validity = column->validity().subspan(begin, count);
    parts.validity.assign(validity.begin(), validity.end());
  }
  if (count > 0)
    std::memcpy(parts.values.data(), column->values<char>().data() + begin * width, count * width);
  parts.heaps.assign(column->heaps().begin(), column->heaps().end());
  return std::make_shared<const Column>(std::move(parts));
}

ColumnPtr concat(std::span<const ColumnPtr> columns) {
  if (columns.size() == 1) return columns[0];
  Column::Parts parts{.type = columns[0]->type()};
  bool nulls = false;
  for (const ColumnPtr& column : columns) {
    parts.size += column->size();
    nulls = nulls || !column->validity().empty();
    add_heaps(parts.heaps, column->heaps());
  }
  for (const ColumnPtr& column : columns) {
    if (!nulls) break;
    const auto validity = column->validity();
    if (validity.empty()) parts.validity.insert(parts.validity.end(), column->size(), 1);
    parts.validity.insert(parts.validity.end(), validity.begin(), validity.end());
  }
  const Layout layout = parts.type.layout();
  if (layout == Layout::kList) concat_lists(columns, parts);
  if (layout == Layout::kList || layout == Layout::kStruct) concat_children(columns, parts);
  if (slot_width(layout) > 0) concat_slots(columns, parts);
  return std::make_shared<const Column>(std::move(parts));
}

ColumnPtr retype(const ColumnPtr& column, const Type& type) {
  if (column->type() == type) return column;
  Column::Parts parts{.type = type, .size = column->size()};
  parts.validity.assign(column->validity().begin(), column->validity().end());
  parts.offsets.assign(column->offsets().begin(), column->offsets().end());
  for (std::size_t c = 0; c < column->child_count(); ++c)
    parts.children.push_back(retype(column->child(c), type.fields()[c].type));
  parts.heaps.assign(column->heaps().begin(), column->heaps().end());
  if (const std::size_t width = slot_width(type.layout()); width > 0) {
    parts.values = ValueBuffer(parts.size, width);
    if (parts.size > 0) std::memcpy(parts.values.data(), column->values<char>().data(), parts.size * width);
  }
  return std::make_shared<const Column>(std::move(parts));
}

}  // namespace leat
