// IN, ANY, SOME and ALL as values.
#include <numeric>
#include <set>
#include <utility>

#include "pipelines/plan/bind_join.h"
#include "pipelines/plan/bind_subquery_value.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/plan/subquery_parts.h"

namespace leat::plan {

ExprPtr SubqueryValues::membership_value(const sql::Subquery& query) {
  const std::optional<std::vector<ExprPtr>> operands = bind_operands(query);
  if (!operands) return nullptr;
  Correlated correlated(outer());
  const std::optional<Relation> inner = queries_.bind_correlated(*query.query, correlated);
  if (!inner || !check_width(query, inner->schema().size() - correlated.keys.size(), context_))
    return nullptr;
  const bool by_equality = query.use == sql::Subquery::Use::kIn && operands->size() == 1;
  return by_equality ? in_value(query, *inner, correlated, (*operands)[0])
                     : counted_value(query, *inner, correlated, *operands);
}

// `x IN (q)`: TRUE where a q equals x; else NULL if x is NULL and there is a q, or if one of the q is NULL.
ExprPtr SubqueryValues::in_value(const sql::Subquery& query, const Relation& inner,
                                 const Correlated& correlated, const ExprPtr& operand) {
  const std::size_t key_count = correlated.keys.size();
  std::vector<std::size_t> keys = last_columns(inner, key_count);
  keys.push_back(0);
  const Relation values = marks_of(inner, keys, nullptr, context_);
  auto conditions = key_conditions(correlated, *values.node, 0, query.span, context_);
  if (!conditions) return nullptr;
  conditions->push_back(make_call(
      "=", {column_at(values, key_count), shift_columns(operand, 0, kOuterColumns)}, query.span, context_));
  if (!conditions->back()) return nullptr;
  const auto first = attach(values, std::move(*conditions), query.span);
  if (!first) return nullptr;
  std::vector<ExprPtr> cases = {is_joined(*first + key_count + 1, query.span), truth(true)};
  if (inner.schema().fields[0].type.nullable()) {
    const ExprPtr null = make_call("IS NULL", {column_at(inner, 0)}, query.span, context_);
    cases.push_back(null ? mark(query, inner, correlated, null) : nullptr);
    cases.push_back(unknown());
  }
  if (operand->type.nullable()) {
    const ExprPtr null = make_call("IS NULL", {operand}, query.span, context_);
    const ExprPtr any = mark(query, inner, correlated, nullptr);
    cases.push_back(null && any ? make_condition(ExprKind::kAnd, {null, any}) : nullptr);
    cases.push_back(unknown());
  }
  for (const ExprPtr& part : cases)
    if (!part) return nullptr;
  if (cases.size() == 2) return cases[0];
  cases.push_back(truth(false));
  return make_case(std::move(cases), Type::boolean());
}

// ---- Comparisons with each row ---------------------------------------------------------------------------

/// `left comparison right`, of ALL its contrary; of rows all parts must be equal.
ExprPtr SubqueryValues::compare(const sql::Subquery& query, std::span<const ExprPtr> left,
                                std::span<const ExprPtr> right) const {
  std::vector<ExprPtr> parts;
  for (std::size_t i = 0; i < left.size(); ++i) {
    parts.push_back(make_call(query.op, {left[i], right[i]}, query.span, context_));
    if (!parts.back()) return nullptr;
  }
  ExprPtr all = make_condition(ExprKind::kAnd, std::move(parts));
  return query.use == sql::Subquery::Use::kAll ? make_call("NOT", {all}, query.span, context_) : all;
}

// Each combination of operands and keys that occurs meets the rows for which the comparison is not FALSE.
ExprPtr SubqueryValues::counted_value(const sql::Subquery& query, const Relation& inner,
                                      const Correlated& correlated, const std::vector<ExprPtr>& operands) {
  std::set<std::size_t> read;
  for (const ExprPtr& operand : operands)
    for (const std::size_t column : columns_of(*operand)) read.insert(column);
  for (const Correlated::Match& match : correlated.matches)
    for (const std::size_t column : columns_of(*match.outer)) read.insert(column);
  const std::vector<std::size_t> columns(read.begin(), read.end());
  const std::optional<Relation> pairs = comparisons(query, inner, correlated, operands, columns);
  if (!pairs) return nullptr;
  const ExprPtr some = is_among(query, *pairs, columns, column_at(*pairs, columns.size()));
  const ExprPtr open = some ? is_among(query, *pairs, columns, nullptr) : nullptr;
  if (!open) return nullptr;
  const bool all = query.use == sql::Subquery::Use::kAll;
  return make_case({some, truth(!all), open, unknown(), truth(all)}, Type::boolean());
}

/// TRUE where the outer row's `columns` are among those of `pairs` for which `condition` is TRUE.
ExprPtr SubqueryValues::is_among(const sql::Subquery& query, const Relation& pairs,
                                 const std::vector<std::size_t>& columns, const ExprPtr& condition) {
  std::vector<std::size_t> keys(columns.size());
  std::iota(keys.begin(), keys.end(), 0);
  const Relation marks = marks_of(pairs, keys, condition, context_);
  std::vector<ExprPtr> conditions;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const ExprPtr outer = shift_columns(column_at(relation_, columns[i]), 0, kOuterColumns);
    conditions.push_back(
        make_call("IS NOT DISTINCT FROM", {column_at(marks, i), outer}, query.span, context_));
    if (!conditions.back()) return nullptr;
  }
  const auto first = attach(marks, std::move(conditions), query.span);
  return first ? is_joined(*first + columns.size(), query.span) : nullptr;
}

/// The outer `columns`, then TRUE where the comparison is, NULL where it is unknown.
std::optional<Relation> SubqueryValues::comparisons(const sql::Subquery& query, const Relation& inner,
                                                    const Correlated& correlated,
                                                    const std::vector<ExprPtr>& operands,
                                                    const std::vector<std::size_t>& columns) const {
  std::vector<std::size_t> places(columns.empty() ? 0 : columns.back() + 1);
  for (std::size_t i = 0; i < columns.size(); ++i) places[columns[i]] = i;
  const std::size_t width = columns.size();
  std::vector<ExprPtr> left;
  std::vector<ExprPtr> right;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    left.push_back(remap_columns(operands[i], places));
    right.push_back(shift_columns(column_at(inner, i), 0, width));
  }
  const ExprPtr condition = compare(query, left, right);
  const ExprPtr open = condition ? make_call("IS NOT FALSE", {condition}, query.span, context_) : nullptr;
  if (!open) return std::nullopt;
  if (columns.empty()) {
    Relation rows = inner;
    rows.node = make_filter(rows.node, open);
    return project(rows, {{make_case({condition, truth(true), unknown()}, Type::boolean()), "holds"}});
  }
  JoinParts parts{
      JoinType::kInner, distinct_columns(relation_, columns, context_), inner, {open}, query.span};
  for (std::size_t i = 0; i < correlated.matches.size(); ++i) {
    const Correlated::Match& match = correlated.matches[i];
    const bool nulls = match.nulls == JoinKey::Nulls::kMatch;
    parts.conditions.push_back(make_call(
        nulls ? "IS NOT DISTINCT FROM" : "=",
        {shift_columns(column_at(inner, operands.size() + i), 0, width), remap_columns(match.outer, places)},
        query.span, context_));
    if (!parts.conditions.back()) return std::nullopt;
  }
  std::optional<Relation> joined = make_join(std::move(parts), context_);
  if (!joined) return std::nullopt;
  std::vector<SelectColumn> output;
  for (std::size_t i = 0; i < width; ++i)
    output.push_back({column_at(*joined, i), joined->schema().fields[i].name});
  output.push_back({make_case({condition, truth(true), unknown()}, Type::boolean()), "holds"});
  return project(*joined, std::move(output));
}

}  // namespace leat::plan
