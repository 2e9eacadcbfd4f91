// Evaluates an expression for one row at a time: what column-wise evaluation is too heavy for, because each
// row has its own partners (the conditions of MATCH_RECOGNIZE over earlier rows). Knows the common shapes
// only: comparisons, logic, NULL tests, + - *, CASE and widening casts over numbers, BOOLEANs and times. None
// of them can fail. Everything else is the Evaluator's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "pipelines/column/column.h"
#include "pipelines/plan/expr.h"

namespace leat::exec {

/// Integers, times and BOOLEANs as they are, FLOAT and DOUBLE by the bits of a double.
struct RowCell {
  std::int64_t bits = 0;
  bool is_null = true;
};
/// True if values of the type can be cells.
bool fits_cell(const Type& type);
RowCell cell_of(const Column& column, std::size_t row);

class RowExpr {
 public:
  /// None: it has a shape that is not known here.
  static std::optional<RowExpr> compile(const plan::Expr& expr);

  /// `cells` has the value of column `columns()[i]` at i.
  [[nodiscard]] RowCell evaluate(std::span<const RowCell> cells) const { return at(root_, cells); }
  [[nodiscard]] const std::vector<std::size_t>& columns() const { return columns_; }

 private:
  enum class Op : std::uint8_t {
    kCell,
    kLiteral,
    kNot,
    kAnd,
    kOr,
    kIsNull,
    kIsNotNull,
    kLessInteger,
    kEqualInteger,
    kLessDouble,
    kEqualDouble,
    kAddInteger,
    kSubtractInteger,
    kMultiplyInteger,
    kAddDouble,
    kSubtractDouble,
    kMultiplyDouble,
    kToDouble,
    kCase,
  };
  struct Step {
    Op op = Op::kLiteral;
    std::vector<std::uint32_t> children = {};
    RowCell literal = {};
    std::uint32_t cell = 0;
    std::uint8_t width = 8;  // Bytes that integer arithmetic wraps at.
  };

  std::optional<std::uint32_t> add(const plan::Expr& expr);
  std::optional<std::uint32_t> add_call(const plan::Expr& expr, std::vector<std::uint32_t> children);
  std::optional<std::uint32_t> add_comparison(const plan::Expr& expr, std::vector<std::uint32_t> children);
  std::optional<std::uint32_t> add_arithmetic(const plan::Expr& expr, std::vector<std::uint32_t> children);
  std::optional<std::uint32_t> add_cast(const plan::Expr& expr, std::uint32_t child);
  std::uint32_t push(Op op, std::vector<std::uint32_t> children);
  [[nodiscard]] RowCell at(std::uint32_t index, std::span<const RowCell> cells) const;
  [[nodiscard]] RowCell logical(const Step& step, std::span<const RowCell> cells, bool decides) const;
  [[nodiscard]] RowCell choose(const Step& step, std::span<const RowCell> cells) const;
  [[nodiscard]] RowCell binary(const Step& step, std::span<const RowCell> cells) const;

  std::vector<Step> steps_;
  std::uint32_t root_ = 0;
  std::vector<std::size_t> columns_;
};

}  // namespace leat::exec
