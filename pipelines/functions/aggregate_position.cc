// FIRST_VALUE and LAST_VALUE: by order of arrival; NULLs count only if that is asked for. Cells are kept
// encoded (codec.h), so every type is served. Where rows can be taken back, all values are kept.
#include "pipelines/column/codec.h"
#include "pipelines/functions/aggregate_base.h"
#include "pipelines/functions/aggregate_sequence.h"

namespace leat::functions {
namespace {

// state := string cell; an empty string is no value.
struct OneCell {
  std::string cell;
  [[nodiscard]] std::size_t heap_bytes() const { return cell.capacity() > 15 ? cell.capacity() + 1 : 0; }
};

template <class Base>
class Positional : public Base {
 public:
  Positional(Type argument, Position position, NullValues nulls)
      : argument_(std::move(argument)), position_(position), nulls_(nulls) {}

  [[nodiscard]] Type result_type() const override { return argument_.with_nullable(true); }
  [[nodiscard]] std::vector<Type> argument_types() const override { return {argument_}; }

 protected:
  [[nodiscard]] bool counts(const Column& column, std::size_t row) const {
    return nulls_ == NullValues::kCounted || !column.is_null(row);
  }
  static void encode(const Column& column, std::size_t row, std::string& cell) {
    cell.clear();
    ByteWriter writer(cell);
    write_cell(column, row, writer);
  }
  static void append(const std::string* cell, ColumnBuilder& out) {
    if (cell == nullptr || cell->empty()) {
      out.append_null();
      return;
    }
    ByteReader reader(*cell);
    if (!read_cell(reader, out)) out.append_null();
  }

  Type argument_;
  Position position_;
  NullValues nulls_;
};

class KeepOne final : public Positional<OverState<OneCell>> {
 public:
  using Positional::Positional;

  void update(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
              std::byte* const* states) const override {
    const Column& column = *arguments[0];
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::string& cell = at(states[i]).cell;
      const bool settled = position_ == Position::kFirst && !cell.empty();
      if (!settled && counts(column, rows[i])) encode(column, rows[i], cell);
    }
  }
  void retract(std::span<const ColumnPtr>, std::span<const std::uint32_t>, std::byte* const*) const override {
  }
  [[nodiscard]] bool retractable() const override { return false; }
  void merge(std::byte* into, const std::byte* from) const override {
    std::string& mine = at(into).cell;
    const std::string& later = at(from).cell;
    if (!later.empty() && (mine.empty() || position_ == Position::kLast)) mine = later;
  }
  void result(const std::byte* state, ColumnBuilder& out) const override { append(&at(state).cell, out); }
  void save(const std::byte* state, ByteWriter& out) const override { out.string(at(state).cell); }
  Status load(std::byte* state, ByteReader& in) const override {
    at(state).cell = in.string();
    if (!in.ok()) return fail(ErrorCode::kCorrupt, "state of FIRST_VALUE or LAST_VALUE ends early");
    return {};
  }
};

class KeepEvery final : public Positional<OverParts<CellSequence>> {
 public:
  using Positional::Positional;

  void update(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
              std::byte* const* states) const override {
    for_each(*arguments[0], rows, states, &CellSequence::add);
  }
  void retract(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
               std::byte* const* states) const override {
    for_each(*arguments[0], rows, states, &CellSequence::remove);
  }
  [[nodiscard]] bool retractable() const override { return true; }
  void merge(std::byte* into, const std::byte* from) const override { at(into).merge(at(from)); }
  void result(const std::byte* state, ColumnBuilder& out) const override {
    const CellSequence::Entries& entries = at(state).entries();
    if (entries.empty())
      append(nullptr, out);
    else
      append(&(position_ == Position::kFirst ? entries.begin() : std::prev(entries.end()))->second.cell, out);
  }

 private:
  void for_each(const Column& column, std::span<const std::uint32_t> rows, std::byte* const* states,
                void (CellSequence::*step)(const std::string&)) const {
    std::string cell;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!counts(column, rows[i])) continue;
      encode(column, rows[i], cell);
      (at(states[i]).*step)(cell);
    }
  }
};

}  // namespace

AggregatePtr make_positional(const Type& argument, Position position, NullValues nulls,
                             bool needs_retraction) {
  if (needs_retraction) return std::make_shared<const KeepEvery>(argument, position, nulls);
  return std::make_shared<const KeepOne>(argument, position, nulls);
}

}  // namespace leat::functions
