#include "pipelines/exec/row_expr.h"

#include <algorithm>
#include <bit>

namespace leat::exec {
namespace {

bool is_double(const Type& type) {
  return type.layout() == Layout::kF64 || type.layout() == Layout::kF32;
}

std::uint8_t bytes_of(Layout layout) {
  switch (layout) {
    case Layout::kI8:
      return 1;
    case Layout::kI16:
      return 2;
    case Layout::kI32:
      return 4;
    default:
      return 8;
  }
}

/// As an integer of so many bytes that wraps.
std::int64_t wrap(std::uint64_t value, std::uint8_t bytes) {
  const int shift = 64 - 8 * bytes;
  return static_cast<std::int64_t>(value << shift) >> shift;
}

RowCell of_bool(bool value) {
  return {value ? 1 : 0, false};
}
RowCell of_double(double value) {
  return {std::bit_cast<std::int64_t>(value), false};
}
double as_double(const RowCell& cell) {
  return std::bit_cast<double>(cell.bits);
}

}  // namespace

bool fits_cell(const Type& type) {
  switch (type.layout()) {
    case Layout::kU8:
    case Layout::kI8:
    case Layout::kI16:
    case Layout::kI32:
    case Layout::kI64:
    case Layout::kF32:
    case Layout::kF64:
      return true;
    default:
      return false;
  }
}

RowCell cell_of(const Column& column, std::size_t row) {
  if (column.is_null(row)) return {};
  switch (column.type().layout()) {
    case Layout::kU8:
      return {column.values<std::uint8_t>()[row], false};
    case Layout::kI8:
      return {column.values<std::int8_t>()[row], false};
    case Layout::kI16:
      return {column.values<std::int16_t>()[row], false};
    case Layout::kI32:
      return {column.values<std::int32_t>()[row], false};
    case Layout::kF32:
      return of_double(static_cast<double>(column.values<float>()[row]));
    case Layout::kF64:
      return of_double(column.values<double>()[row]);
    default:
      return {column.values<std::int64_t>()[row], false};
  }
}

// ---- Compilation
// -------------------------------------------------------------------------------------------

std::optional<RowExpr> RowExpr::compile(const plan::Expr& expr) {
  RowExpr compiled;
  const std::optional<std::uint32_t> root = compiled.add(expr);
  if (!root) return std::nullopt;
  compiled.root_ = *root;
  return compiled;
}

std::uint32_t RowExpr::push(Op op, std::vector<std::uint32_t> children) {
  steps_.push_back({.op = op, .children = std::move(children)});
  return static_cast<std::uint32_t>(steps_.size() - 1);
}

std::optional<std::uint32_t> RowExpr::add(const plan::Expr& expr) {
  if (!fits_cell(expr.type) && expr.kind != plan::ExprKind::kLiteral) return std::nullopt;
  if (expr.kind == plan::ExprKind::kColumn) {
    const auto known = std::ranges::find(columns_, expr.column);
    const auto index = static_cast<std::uint32_t>(known - columns_.begin());
    if (known == columns_.end()) columns_.push_back(expr.column);
    const std::uint32_t step = push(Op::kCell, {});
    steps_[step].cell = index;
    return step;
  }
  if (expr.kind == plan::ExprKind::kLiteral) {
    if (!fits_cell(expr.type) && !expr.literal.is_null()) return std::nullopt;
    const std::uint32_t step = push(Op::kLiteral, {});
    if (!expr.literal.is_null())
      steps_[step].literal = cell_of(*Column::constant(expr.type, expr.literal, 1), 0);
    return step;
  }
  std::vector<std::uint32_t> children;
  for (const plan::ExprPtr& child : expr.children) {
    const std::optional<std::uint32_t> added = add(*child);
    if (!added) return std::nullopt;
    children.push_back(*added);
  }
  switch (expr.kind) {
    case plan::ExprKind::kAnd:
      return push(Op::kAnd, std::move(children));
    case plan::ExprKind::kOr:
      return push(Op::kOr, std::move(children));
    case plan::ExprKind::kCase:
      return push(Op::kCase, std::move(children));
    case plan::ExprKind::kCast:
      return add_cast(expr, children[0]);
    case plan::ExprKind::kCall:
      return add_call(expr, std::move(children));
    default:
      return std::nullopt;
  }
}

std::optional<std::uint32_t> RowExpr::add_cast(const plan::Expr& expr, std::uint32_t child) {
  const Type& from = expr.children[0]->type;
  if (!from.is_numeric() || !expr.type.is_numeric()) return std::nullopt;
  if (from.layout() == expr.type.layout()) return child;
  if (expr.type.layout() == Layout::kF64) return is_double(from) ? child : push(Op::kToDouble, {child});
  const bool widens =
      !is_double(from) && !is_double(expr.type) && bytes_of(expr.type.layout()) > bytes_of(from.layout());
  return widens ? std::optional(child) : std::nullopt;
}

std::optional<std::uint32_t> RowExpr::add_call(const plan::Expr& expr, std::vector<std::uint32_t> children) {
  if (expr.name == "IS NULL") return push(Op::kIsNull, std::move(children));
  if (expr.name == "IS NOT NULL") return push(Op::kIsNotNull, std::move(children));
  if (expr.name == "NOT") return push(Op::kNot, std::move(children));
  if (children.size() != 2) return std::nullopt;
  if (expr.name == "+" || expr.name == "-" || expr.name == "*")
    return add_arithmetic(expr, std::move(children));
  return add_comparison(expr, std::move(children));
}

// Greater is less with the sides changed; "at most" is "not greater", which NaN makes false, so doubles get
// an OR.
std::optional<std::uint32_t> RowExpr::add_comparison(const plan::Expr& expr,
                                                     std::vector<std::uint32_t> children) {
  const Type& left = expr.children[0]->type;
  const Type& right = expr.children[1]->type;
  if (is_double(left) != is_double(right) || left.layout() == Layout::kNone ||
      right.layout() == Layout::kNone)
    return std::nullopt;
  const Op less = is_double(left) ? Op::kLessDouble : Op::kLessInteger;
  const Op equal = is_double(left) ? Op::kEqualDouble : Op::kEqualInteger;
  const std::vector<std::uint32_t> swapped = {children[1], children[0]};
  if (expr.name == "=") return push(equal, std::move(children));
  if (expr.name == "<>") return push(Op::kNot, {push(equal, std::move(children))});
  if (expr.name == "<") return push(less, std::move(children));
  if (expr.name == ">") return push(less, swapped);
  if (expr.name != "<=" && expr.name != ">=") return std::nullopt;
  const std::uint32_t strict = push(less, expr.name == "<=" ? children : swapped);
  return push(Op::kOr, {strict, push(equal, std::move(children))});
}

std::optional<std::uint32_t> RowExpr::add_arithmetic(const plan::Expr& expr,
                                                     std::vector<std::uint32_t> children) {
  const Type& left = expr.children[0]->type;
  const Type& right = expr.children[1]->type;
  const Layout layout = expr.type.layout();
  if (!expr.type.is_numeric() || left.layout() != layout || right.layout() != layout ||
      layout == Layout::kF32)
    return std::nullopt;
  const bool real = layout == Layout::kF64;
  const Op op = expr.name == "+"   ? (real ? Op::kAddDouble : Op::kAddInteger)
                : expr.name == "-" ? (real ? Op::kSubtractDouble : Op::kSubtractInteger)
                                   : (real ? Op::kMultiplyDouble : Op::kMultiplyInteger);
  const std::uint32_t step = push(op, std::move(children));
  steps_[step].width = bytes_of(layout);
  return step;
}

// ---- Evaluation
// --------------------------------------------------------------------------------------------

RowCell RowExpr::at(std::uint32_t index, std::span<const RowCell> cells) const {
  const Step& step = steps_[index];
  switch (step.op) {
    case Op::kCell:
      return cells[step.cell];
    case Op::kLiteral:
      return step.literal;
    case Op::kAnd:
      return logical(step, cells, false);
    case Op::kOr:
      return logical(step, cells, true);
    case Op::kCase:
      return choose(step, cells);
    case Op::kIsNull:
      return of_bool(at(step.children[0], cells).is_null);
    case Op::kIsNotNull:
      return of_bool(!at(step.children[0], cells).is_null);
    case Op::kNot: {
      const RowCell value = at(step.children[0], cells);
      return value.is_null ? value : of_bool(value.bits == 0);
    }
    case Op::kToDouble: {
      const RowCell value = at(step.children[0], cells);
      return value.is_null ? value : of_double(static_cast<double>(value.bits));
    }
    default:
      return binary(step, cells);
  }
}

RowCell RowExpr::binary(const Step& step, std::span<const RowCell> cells) const {
  const RowCell a = at(step.children[0], cells);
  const RowCell b = at(step.children[1], cells);
  if (a.is_null || b.is_null) return {};
  const auto x = static_cast<std::uint64_t>(a.bits);
  const auto y = static_cast<std::uint64_t>(b.bits);
  switch (step.op) {
    case Op::kLessInteger:
      return of_bool(a.bits < b.bits);
    case Op::kEqualInteger:
      return of_bool(a.bits == b.bits);
    case Op::kLessDouble:
      return of_bool(as_double(a) < as_double(b));
    case Op::kEqualDouble:
      return of_bool(as_double(a) == as_double(b));
    case Op::kAddInteger:
      return {wrap(x + y, step.width), false};
    case Op::kSubtractInteger:
      return {wrap(x - y, step.width), false};
    case Op::kMultiplyInteger:
      return {wrap(x * y, step.width), false};
    case Op::kAddDouble:
      return of_double(as_double(a) + as_double(b));
    case Op::kSubtractDouble:
      return of_double(as_double(a) - as_double(b));
    default:
      return of_double(as_double(a) * as_double(b));
  }
}

RowCell RowExpr::logical(const Step& step, std::span<const RowCell> cells, bool decides) const {
  bool unknown = false;
  for (const std::uint32_t child : step.children) {
    const RowCell value = at(child, cells);
    if (value.is_null)
      unknown = true;
    else if ((value.bits != 0) == decides)
      return of_bool(decides);
  }
  return unknown ? RowCell{} : of_bool(!decides);
}

RowCell RowExpr::choose(const Step& step, std::span<const RowCell> cells) const {
  std::size_t i = 0;
  for (; i + 1 < step.children.size(); i += 2) {
    const RowCell when = at(step.children[i], cells);
    if (!when.is_null && when.bits != 0) return at(step.children[i + 1], cells);
  }
  return i < step.children.size() ? at(step.children[i], cells) : RowCell{};
}

}  // namespace leat::exec
