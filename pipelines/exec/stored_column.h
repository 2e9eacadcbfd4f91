// One column of the rows that a RowStore keeps: a value per slot, in memory as a batch has it, so that rows
// go in and out without encoding. Slots are set, cleared and set again in any order.
//
// Strings of up to 15 bytes live in their slot; longer ones, and the cells of nested types (as
// column/codec.h writes them), own memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pipelines/column/column.h"
#include "pipelines/column/column_builder.h"

namespace leat::exec {

class StoredColumn {
 public:
  /// In `gather`: a NULL.
  static constexpr std::uint32_t kNoSlot = static_cast<std::uint32_t>(-1);

  explicit StoredColumn(Type type);

  /// Makes room for slots below `slots`.
  void reach(std::size_t slots);
  /// Row `row` of `column` becomes the value of the slot. NaNs get one spelling, as in saved state.
  void set(std::uint32_t slot, const Column& column, std::size_t row);
  void clear(std::uint32_t slot);
  [[nodiscard]] bool equals(std::uint32_t slot, const Column& column, std::size_t row) const;
  /// Appends the value to a builder of its type.
  void append(std::uint32_t slot, ColumnBuilder& out) const;
  /// The values of these slots, in this order.
  [[nodiscard]] ColumnPtr gather(std::span<const std::uint32_t> slots) const;

  [[nodiscard]] const Type& type() const { return type_; }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  [[nodiscard]] bool owns_text() const { return width_ == 0; }
  void set_text(std::uint32_t slot, std::string_view text);
  [[nodiscard]] ColumnPtr gather_fixed(std::span<const std::uint32_t> slots) const;

  Type type_;
  Layout layout_;
  std::size_t width_ = 0;            // Of a fixed-width value; 0: texts_ holds them.
  std::vector<std::uint8_t> valid_;  // By slot, as all below.
  std::vector<std::byte> values_;    // width_ bytes each.
  std::vector<std::string> texts_;
  std::size_t text_heap_bytes_ = 0;
};

}  // namespace leat::exec
