// Builds one column row by row (decoders, aggregates' results, tests) and hands it out whole.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "pipelines/column/column.h"

namespace leat {

/// Bump-allocated string memory in chunks; what it holds never moves. Shared by the columns that point into
/// it.
class StringHeap {
 public:
  std::string_view copy(std::string_view text);
  /// Uninitialised room for `length` bytes.
  char* allocate(std::size_t length);
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::vector<std::unique_ptr<char[]>> chunks_;
  char* next_ = nullptr;
  std::size_t room_ = 0;
  std::size_t bytes_ = 0;
};

class ColumnBuilder {
 public:
  explicit ColumnBuilder(Type type);
  ~ColumnBuilder();
  ColumnBuilder(ColumnBuilder&&) noexcept;
  ColumnBuilder& operator=(ColumnBuilder&&) noexcept;

  [[nodiscard]] const Type& type() const { return type_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  void reserve(std::size_t rows);

  void append_null();
  /// T must be the layout's type (see column.h); not for strings and nested types.
  template <class T>
  void append(T value) {
    if (size_ == capacity_) grow(size_ + 1);
    static_cast<T*>(values_)[size_] = value;
    if (!validity_.empty()) validity_.push_back(1);
    ++size_;
  }
  /// Copies the bytes into the builder's heap.
  void append_string(std::string_view text);
  /// Takes the view as it is; `keep` must have been called for the memory it points into.
  void append_view(std::string_view text) { append<std::string_view>(text); }
  /// The finished column will keep `heap` alive.
  void keep(HeapPtr heap);

  /// ARRAY, MAP, MULTISET: append the elements to child(0) (keys) and child(1) (values), then close the row.
  /// ROW: append one value to each child, then close the row.
  [[nodiscard]] ColumnBuilder& child(std::size_t index) { return *children_[index]; }
  void close_nested();

  /// Any value that fits the type (slow).
  void append_value(const Value& value);
  /// A cell of a column of the same layout; copies string bytes.
  void append_cell(const Column& column, std::size_t row);

  /// Takes back everything behind the first `size` rows (a row that turned out to be undecodable).
  void truncate(std::size_t size);

  /// The column so far; the builder is empty afterwards and may be used again.
  ColumnPtr finish();

 private:
  void grow(std::size_t rows);
  void mark_null();

  Type type_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::size_t width_ = 0;
  void* values_ = nullptr;  // == buffer_.data(), kept apart for the tight loop
  ValueBuffer buffer_;
  std::vector<std::uint8_t> validity_;  // Empty until the first NULL.
  std::vector<std::uint32_t> offsets_;
  std::vector<std::unique_ptr<ColumnBuilder>> children_;
  std::shared_ptr<StringHeap> heap_;
  std::vector<HeapPtr> heaps_;
};

}  // namespace leat
