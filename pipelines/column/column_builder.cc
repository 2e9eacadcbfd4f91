#include "pipelines/column/column_builder.h"

#include <algorithm>
#include <utility>

namespace leat {
namespace {

constexpr std::size_t kFirstChunk = 4096;
constexpr std::size_t kLargestChunk = 1 << 20;
constexpr std::size_t kFirstRows = 64;

std::vector<std::unique_ptr<ColumnBuilder>> builders_of(const Type& type) {
  std::vector<std::unique_ptr<ColumnBuilder>> children;
  for (const Type::Field& field : type.fields())
    children.push_back(std::make_unique<ColumnBuilder>(field.type));
  return children;
}

}  // namespace

char* StringHeap::allocate(std::size_t length) {
  if (length > room_) {
    const std::size_t doubled = std::clamp(bytes_, kFirstChunk, kLargestChunk);
    const std::size_t size = std::max(length, doubled);
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    next_ = chunks_.back().get();
    room_ = size;
    bytes_ += size;
  }
  char* const memory = next_;
  next_ += length;
  room_ -= length;
  return memory;
}

std::string_view StringHeap::copy(std::string_view text) {
  if (text.empty()) return {};
  char* const memory = allocate(text.size());
  std::memcpy(memory, text.data(), text.size());
  return {memory, text.size()};
}

ColumnBuilder::ColumnBuilder(Type type)
    : type_(std::move(type)), width_(slot_width(type_.layout())), children_(builders_of(type_)) {
  if (type_.layout() == Layout::kList) offsets_.push_back(0);
}

ColumnBuilder::~ColumnBuilder() = default;
ColumnBuilder::ColumnBuilder(ColumnBuilder&&) noexcept = default;
ColumnBuilder& ColumnBuilder::operator=(ColumnBuilder&&) noexcept = default;

void ColumnBuilder::reserve(std::size_t rows) {
  if (rows > capacity_) grow(rows);
}

void ColumnBuilder::grow(std::size_t rows) {
  const std::size_t capacity = std::max({rows, capacity_ * 2, kFirstRows});
  if (width_ > 0) {
    ValueBuffer larger(capacity, width_);
    if (size_ > 0) std::memcpy(larger.data(), values_, size_ * width_);
    buffer_ = std::move(larger);
    values_ = buffer_.data();
  }
  capacity_ = capacity;
}

void ColumnBuilder::mark_null() {
  if (validity_.empty()) validity_.assign(size_, 1);
  validity_.push_back(0);
}

void ColumnBuilder::append_null() {
  mark_null();
  if (width_ > 0) {
    if (size_ == capacity_) grow(size_ + 1);
    std::memset(static_cast<char*>(values_) + size_ * width_, 0, width_);
  }
  if (type_.layout() == Layout::kList) offsets_.push_back(offsets_.back());
  if (type_.layout() == Layout::kStruct)
    for (auto& child : children_) child->append_null();
  ++size_;
}

void ColumnBuilder::append_string(std::string_view text) {
  if (!heap_) heap_ = std::make_shared<StringHeap>();
  append_view(heap_->copy(text));
}

void ColumnBuilder::keep(HeapPtr heap) {
  for (auto& child : children_) child->keep(heap);
  if (std::find(heaps_.begin(), heaps_.end(), heap) == heaps_.end()) heaps_.push_back(std::move(heap));
}

void ColumnBuilder::close_nested() {
  if (type_.layout() == Layout::kList) offsets_.push_back(static_cast<std::uint32_t>(children_[0]->size()));
  if (!validity_.empty()) validity_.push_back(1);
  ++size_;
}

void ColumnBuilder::append_value(const Value& value) {
  if (value.is_null()) return append_null();
  switch (type_.layout()) {
    case Layout::kU8:
      return append<std::uint8_t>(value.as_boolean() ? 1 : 0);
    case Layout::kI8:
      return append(static_cast<std::int8_t>(value.as_integer()));
    case Layout::kI16:
      return append(static_cast<std::int16_t>(value.as_integer()));
    case Layout::kI32:
      return append(static_cast<std::int32_t>(value.as_integer()));
    case Layout::kI64:
      return append(value.as_integer());
    case Layout::kF32:
      return append(static_cast<float>(value.as_double()));
    case Layout::kF64:
      return append(value.as_double());
    case Layout::kI128:
      return append(value.as_decimal());
    case Layout::kBytes:
      return append_string(value.as_string());
    case Layout::kNone:
      return append_null();
    case Layout::kList:
    case Layout::kStruct:
      break;
  }
  const Value::List& values = value.as_list();
  for (std::size_t i = 0; i < values.size(); ++i) children_[i % children_.size()]->append_value(values[i]);
  close_nested();
}

void ColumnBuilder::append_cell(const Column& column, std::size_t row) {
  if (column.is_null(row)) return append_null();
  switch (type_.layout()) {
    case Layout::kU8:
      return append(column.values<std::uint8_t>()[row]);
    case Layout::kI8:
      return append(column.values<std::int8_t>()[row]);
    case Layout::kI16:
      return append(column.values<std::int16_t>()[row]);
    case Layout::kI32:
      return append(column.values<std::int32_t>()[row]);
    case Layout::kI64:
      return append(column.values<std::int64_t>()[row]);
    case Layout::kF32:
      return append(column.values<float>()[row]);
    case Layout::kF64:
      return append(column.values<double>()[row]);
    case Layout::kI128:
      return append(column.values<Int128>()[row]);
    case Layout::kBytes:
      return append_string(column.strings()[row]);
    case Layout::kNone:
      return append_null();
    case Layout::kList:
      for (std::size_t e = column.offsets()[row]; e < column.offsets()[row + 1]; ++e)
        for (std::size_t c = 0; c < children_.size(); ++c) children_[c]->append_cell(*column.child(c), e);
      return close_nested();
    case Layout::kStruct:
      for (std::size_t c = 0; c < children_.size(); ++c) children_[c]->append_cell(*column.child(c), row);
      return close_nested();
  }
}

void ColumnBuilder::truncate(std::size_t size) {
  if (size >= size_ && type_.layout() != Layout::kList && type_.layout() != Layout::kStruct) return;
  size_ = std::min(size, size_);
  if (!validity_.empty()) validity_.resize(size_);
  if (type_.layout() == Layout::kList) {
    offsets_.resize(size_ + 1);
    for (auto& child : children_) child->truncate(offsets_.back());
  }
  if (type_.layout() == Layout::kStruct)
    for (auto& child : children_) child->truncate(size_);
}

ColumnPtr ColumnBuilder::finish() {
  Column::Parts parts{.type = type_,
                      .size = size_,
                      .validity = std::move(validity_),
                      .values = std::move(buffer_),
                      .offsets = std::move(offsets_)};
  for (auto& child : children_) parts.children.push_back(child->finish());
  parts.heaps = std::move(heaps_);
  if (heap_) parts.heaps.push_back(std::move(heap_));
  *this = ColumnBuilder(std::move(type_));
  return std::make_shared<const Column>(std::move(parts));
}

}  // namespace leat
