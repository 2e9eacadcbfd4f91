#include "pipelines/plan/expr.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace leat::plan {

ExprPtr make_column(std::size_t index, Type type, std::string name) {
  return std::make_shared<const Expr>(
      Expr{.kind = ExprKind::kColumn, .type = std::move(type), .column = index, .name = std::move(name)});
}

ExprPtr make_literal(Type type, Value value) {
  return std::make_shared<const Expr>(
      Expr{.kind = ExprKind::kLiteral, .type = std::move(type), .literal = std::move(value)});
}

bool is_deterministic(const Expr& expr) {
  if (!expr.call.deterministic) return false;
  return std::ranges::all_of(expr.children, [](const ExprPtr& child) { return is_deterministic(*child); });
}

namespace {
void collect_columns(const Expr& expr, std::vector<std::size_t>& columns) {
  if (expr.kind == ExprKind::kColumn) columns.push_back(expr.column);
  for (const ExprPtr& child : expr.children) collect_columns(*child, columns);
}

/// Rebuilds the expression with every column replaced by what `replace` gives; parts without columns are
/// shared with the original.
template <class Replace>
ExprPtr replace_columns(const ExprPtr& expr, const Replace& replace) {
  if (expr->kind == ExprKind::kColumn) return replace(expr);
  std::vector<ExprPtr> children;
  children.reserve(expr->children.size());
  bool changed = false;
  for (const ExprPtr& child : expr->children) {
    children.push_back(replace_columns(child, replace));
    changed = changed || children.back() != child;
  }
  if (!changed) return expr;
  Expr copy = *expr;
  copy.children = std::move(children);
  return std::make_shared<const Expr>(std::move(copy));
}
}  // namespace

std::vector<std::size_t> columns_of(const Expr& expr) {
  std::vector<std::size_t> columns;
  collect_columns(expr, columns);
  std::ranges::sort(columns);
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

ExprPtr remap_columns(const ExprPtr& expr, const std::vector<std::size_t>& new_index) {
  return replace_columns(expr, [&](const ExprPtr& column) -> ExprPtr {
    if (new_index[column->column] == column->column) return column;
    return make_column(new_index[column->column], column->type, column->name);
  });
}

ExprPtr substitute_columns(const ExprPtr& expr, std::span<const ExprPtr> replacements) {
  return replace_columns(expr, [&](const ExprPtr& column) { return replacements[column->column]; });
}

std::vector<ExprPtr> conjuncts_of(const ExprPtr& predicate) {
  if (!predicate) return {};
  if (predicate->kind != ExprKind::kAnd) return {predicate};
  std::vector<ExprPtr> all;
  for (const ExprPtr& child : predicate->children) {
    const std::vector<ExprPtr> part = conjuncts_of(child);
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

ExprPtr make_logical(ExprKind kind, std::span<const ExprPtr> operands) {
  if (operands.size() == 1) return operands[0];
  const std::size_t half = (operands.size() + 1) / 2;
  ExprPtr left = make_logical(kind, operands.first(half));
  ExprPtr right = make_logical(kind, operands.subspan(half));
  const bool nullable = left->type.nullable() || right->type.nullable();
  return std::make_shared<const Expr>(Expr{.kind = kind,
                                           .type = Type::boolean().with_nullable(nullable),
                                           .children = {std::move(left), std::move(right)},
                                           .name = kind == ExprKind::kAnd ? "AND" : "OR"});
}

ExprPtr conjunction_of(std::span<const ExprPtr> conjuncts) {
  return conjuncts.empty() ? nullptr : make_logical(ExprKind::kAnd, conjuncts);
}

bool is_total(const Expr& expr) {
  static constexpr std::array<std::string_view, 10> kTotalCalls = {
      "=", "<>", "<", "<=", ">", ">=", "IS NULL", "IS NOT NULL", "NOT", "IN"};
  const bool total_kind =
      expr.kind == ExprKind::kColumn || expr.kind == ExprKind::kLiteral || expr.kind == ExprKind::kAnd ||
      expr.kind == ExprKind::kOr ||
      (expr.kind == ExprKind::kCall && std::ranges::find(kTotalCalls, expr.name) != kTotalCalls.end());
  return total_kind && std::ranges::all_of(expr.children, [](const ExprPtr& c) { return is_total(*c); });
}

}  // namespace leat::plan
