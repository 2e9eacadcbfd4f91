// A column: the values of one type for the rows of a batch, immutable once built and shared by pointer.
//
// Physical layout by Type::layout():
//   fixed width   `values<T>()` with T = uint8_t (BOOLEAN), int8_t … int64_t, float, double, Int128
//   kBytes        `values<std::string_view>()`; the views point into `heaps()`, which the column keeps alive.
//                 A heap may be the message's own payload: decoding copies no string that needs no
//                 unescaping.
//   kList         `offsets()` has size()+1 entries; row i's elements are child rows [offsets[i],
//   offsets[i+1]) kStruct       child f has size() rows
// Validity is one byte per row, 1 = has a value; an empty validity means that no row is NULL. The value slot
// of a NULL row is zero (an empty view), so kernels may compute on it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "pipelines/column/type.h"
#include "pipelines/column/value.h"

namespace leat {

class Column;
using ColumnPtr = std::shared_ptr<const Column>;
/// Memory that string views of a column point into.
using HeapPtr = std::shared_ptr<const void>;

/// Storage of fixed-width values: raw, aligned for Int128, not initialised by resize.
class ValueBuffer {
 public:
  ValueBuffer() = default;
  ValueBuffer(std::size_t count, std::size_t width);
  [[nodiscard]] void* data() const { return data_.get(); }

 private:
  struct Release {
    void operator()(void* memory) const;
  };
  std::unique_ptr<void, Release> data_;
};

class Column {
 public:
  /// Everything a column consists of; what the layout does not use stays empty.
  struct Parts {
    Type type;
    std::size_t size = 0;
    std::vector<std::uint8_t> validity;  ///< Empty, or one byte per row.
    ValueBuffer values;
    std::vector<std::uint32_t> offsets;
    std::vector<ColumnPtr> children;
    std::vector<HeapPtr> heaps;
  };
  explicit Column(Parts parts) : parts_(std::move(parts)) {}

  /// `size` rows of `value`, which must fit the type.
  static ColumnPtr constant(const Type& type, const Value& value, std::size_t size);
  /// A fixed-width column without NULLs from its values.
  template <class T>
  static ColumnPtr of(const Type& type, std::span<const T> values);
  static ColumnPtr nulls(const Type& type, std::size_t size);

  [[nodiscard]] const Type& type() const { return parts_.type; }
  [[nodiscard]] std::size_t size() const { return parts_.size; }
  [[nodiscard]] bool may_have_nulls() const {
    return !parts_.validity.empty() || parts_.type.kind() == TypeKind::kNull;
  }
  [[nodiscard]] bool is_null(std::size_t row) const {
    if (parts_.type.kind() == TypeKind::kNull) return true;
    return !parts_.validity.empty() && parts_.validity[row] == 0;
  }
  /// Empty when no row is NULL.
  [[nodiscard]] std::span<const std::uint8_t> validity() const { return parts_.validity; }
  template <class T>
  [[nodiscard]] std::span<const T> values() const {
    return {static_cast<const T*>(parts_.values.data()), parts_.size};
  }
  [[nodiscard]] std::span<const std::string_view> strings() const { return values<std::string_view>(); }
  [[nodiscard]] std::span<const std::uint32_t> offsets() const { return parts_.offsets; }
  [[nodiscard]] const ColumnPtr& child(std::size_t index) const { return parts_.children[index]; }
  [[nodiscard]] std::size_t child_count() const { return parts_.children.size(); }
  [[nodiscard]] std::span<const HeapPtr> heaps() const { return parts_.heaps; }

  /// The cell as a value (slow: tests, literals, messages).
  [[nodiscard]] Value value(std::size_t row) const;

 private:
  Parts parts_;
};

/// The rows of `column` named by `rows`, in that order (a row may come more than once). Copies no string
/// bytes.
ColumnPtr gather(const ColumnPtr& column, std::span<const std::uint32_t> rows);
/// Rows [begin, begin + count). Copies values, not string bytes.
ColumnPtr slice(const ColumnPtr& column, std::size_t begin, std::size_t count);
/// One after the other; all of the same type. At least one.
ColumnPtr concat(std::span<const ColumnPtr> columns);
/// The same values under another type of the same layout (nullability, precision, field names).
ColumnPtr retype(const ColumnPtr& column, const Type& type);

/// Bytes of a value slot of this layout; 0 for kList, kStruct and kNone.
std::size_t slot_width(Layout layout);

template <class T>
ColumnPtr Column::of(const Type& type, std::span<const T> values) {
  Parts parts{.type = type, .size = values.size(), .values = ValueBuffer(values.size(), sizeof(T))};
  std::copy(values.begin(), values.end(), static_cast<T*>(parts.values.data()));
  return std::make_shared<const Column>(std::move(parts));
}

}  // namespace leat
