#include "pipelines/plan/bind_correlated.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "pipelines/plan/aggregate_builder.h"
#include "pipelines/plan/bind_join.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/node_build.h"

namespace leat::plan {

ExprPtr joined_columns(const ExprPtr& expr, std::size_t left_width) {
  const std::vector<std::size_t> columns = columns_of(*expr);
  if (columns.empty()) return expr;
  std::vector<std::size_t> places(columns.back() + 1);
  for (const std::size_t column : columns)
    places[column] = column >= kOuterColumns ? column - kOuterColumns : left_width + column;
  return remap_columns(expr, places);
}

std::optional<std::vector<ExprPtr>> match_conditions(const Correlated& correlated,
                                                     std::span<const ExprPtr> keys, sql::SourceSpan span,
                                                     const BindContext& context) {
  std::vector<ExprPtr> conditions;
  for (std::size_t i = 0; i < correlated.matches.size(); ++i) {
    const Correlated::Match& match = correlated.matches[i];
    const bool nulls = match.nulls == JoinKey::Nulls::kMatch;
    ExprPtr condition = make_call(nulls ? "IS NOT DISTINCT FROM" : "=",
                                  {keys[i], shift_columns(match.outer, 0, kOuterColumns)}, span, context);
    if (!condition) return std::nullopt;
    conditions.push_back(std::move(condition));
  }
  return conditions;
}

std::optional<std::vector<ExprPtr>> key_conditions(const Correlated& correlated, const Node& inner,
                                                   std::size_t first, sql::SourceSpan span,
                                                   const BindContext& context) {
  std::vector<ExprPtr> keys;
  for (std::size_t i = 0; i < correlated.matches.size(); ++i) keys.push_back(column_of(inner, first + i));
  return match_conditions(correlated, keys, span, context);
}

Relation distinct_columns(const Relation& rows, std::span<const std::size_t> columns,
                          const BindContext& context) {
  AggregateBuilder builder(rows);
  for (const std::size_t column : columns) builder.add_key(column_of(*rows.node, column));
  return plain_relation(builder.build_unwindowed(
      context.settings.state_ttl, context.settings.batch ? Results::kFinal : Results::kChangelog));
}

namespace {

using OnColumn = std::function<void(const sql::Name&)>;

void for_each_column(const sql::Expression& part, const OnColumn& found) {
  if (const auto* column = sql::as<sql::ColumnName>(part)) return found(column->name);
  sql::for_each_child(part, [&](const sql::Expression& child) { for_each_column(child, found); });
}

void for_each_column(const sql::GroupItem& item, const OnColumn& found) {
  for (const sql::ExpressionPtr& value : item.values) for_each_column(*value, found);
  for (const sql::GroupItem& part : item.items) for_each_column(part, found);
}

/// Those behind WHERE, but names of the list's items.
void for_each_column_behind_where(const sql::Select& select, const OnColumn& found) {
  const auto is_alias = [&](const sql::Name& name) {
    return name.parts.size() == 1 && std::ranges::any_of(select.items, [&](const sql::SelectItem& item) {
             return item.alias && item.alias->text == name.last();
           });
  };
  const OnColumn unless_alias = [&](const sql::Name& name) {
    if (!is_alias(name)) found(name);
  };
  for (const sql::SelectItem& item : select.items) for_each_column(*item.value, unless_alias);
  for (const sql::GroupItem& item : select.group_by) for_each_column(item, unless_alias);
  if (select.having) for_each_column(*select.having, unless_alias);
  if (select.qualify) for_each_column(*select.qualify, unless_alias);
}

/// What a name is, if it is known there.
ExprPtr known(const Scope& scope, const sql::Name& name, const BindContext& context) {
  sql::Diagnostics silent;
  return scope.resolve(name, {silent, context.catalog, context.settings, context.session});
}

}  // namespace

bool check_reach(const sql::Select& select, const Scope& scope, const Correlated* correlated,
                 std::span<const Scope* const> around, const BindContext& context) {
  bool whole = true;
  const OnColumn check = [&](const sql::Name& name) {
    if (known(scope, name, context)) return;
    if (correlated && known(correlated->outer.scope, name, context)) return;
    if (std::ranges::none_of(around, [&](const Scope* far) { return known(*far, name, context) != nullptr; }))
      return;
    context.not_yet(name.span, "'" + name.to_string() + "', a column of a query that is not directly around,",
                    "join its table in the query between, and read it from there");
    whole = false;
  };
  if (around.empty()) return true;
  if (select.where) for_each_column(*select.where, check);
  for_each_column_behind_where(select, check);
  return whole;
}

namespace {

class KeyMaker {
 public:
  KeyMaker(const sql::Select& select, Relation& input, Scope& scope, Correlated& correlated,
           const BindContext& context)
      : select_(select), input_(input), scope_(scope), correlated_(correlated), context_(context) {}

  bool make() {
    find_outer_columns();
    if (outer_columns_.empty() && take_equalities()) return true;
    return join_outer_values();
  }

 private:
  // ---- Outer columns outside of WHERE --------------------------------------------------------------------

  void find_outer_columns() {
    for_each_column_behind_where(select_, [this](const sql::Name& name) {
      if (known(scope_, name, context_)) return;
      if (const ExprPtr outer = known(correlated_.outer.scope, name, context_))
        for (const std::size_t index : columns_of(*outer)) outer_columns_.insert(index);
    });
  }

  // ---- Keys of the inner query ---------------------------------------------------------------------------

  bool take_equalities() {
    std::vector<ExprPtr> inner;
    std::vector<Correlated::Match> matches;
    for (const ExprPtr& condition : correlated_.conditions) {
      const std::optional<Equality> equality = equality_of(*condition, kOuterColumns);
      if (!equality) return false;
      inner.push_back(equality->left);
      matches.push_back({equality->right, equality->nulls});
    }
    std::vector<std::size_t> places;
    input_.node = with_key_columns(input_.node, inner, places);
    input_.roles.resize(input_.schema().size(), ColumnRole::kPlain);
    for (const std::size_t place : places) correlated_.keys.push_back(column_of(*input_.node, place));
    correlated_.matches = std::move(matches);
    correlated_.conditions.clear();
    return true;
  }

  // ---- Values of the outer query -------------------------------------------------------------------------

  /// The inner rows, each with the outer values that it belongs to in front.
  bool join_outer_values() {
    for (const ExprPtr& condition : correlated_.conditions)
      for (const std::size_t column : columns_of(*condition))
        if (column >= kOuterColumns) outer_columns_.insert(column - kOuterColumns);
    const std::optional<Relation> rows = correlated_.outer.rows();
    if (!rows) return false;
    std::vector<std::size_t> columns;
    std::vector<std::size_t> places(*outer_columns_.rbegin() + 1);
    for (const std::size_t column : outer_columns_) {
      places[column] = columns.size();
      columns.push_back(column - correlated_.outer.first);
      correlated_.matches.push_back({column_of_outer(*rows, column), JoinKey::Nulls::kMatch});
    }
    JoinParts parts{JoinType::kInner, distinct_columns(*rows, columns, context_), input_, {}, select_.span};
    for (const ExprPtr& condition : correlated_.conditions)
      parts.conditions.push_back(in_join(condition, places, columns.size()));
    std::optional<Relation> joined = make_join(std::move(parts), context_);
    if (!joined) return false;
    input_ = std::move(*joined);
    scope_.transform([&](const ExprPtr& expr) { return shift_columns(expr, 0, columns.size()); });
    scope_.set_outer(&correlated_.outer.scope, std::move(places));
    for (std::size_t i = 0; i < columns.size(); ++i) correlated_.keys.push_back(column_of(*input_.node, i));
    correlated_.conditions.clear();
    return true;
  }

  [[nodiscard]] ExprPtr column_of_outer(const Relation& rows, std::size_t column) const {
    const Type::Field& field = rows.schema().fields[column - correlated_.outer.first];
    return make_column(column, field.type, field.name);
  }

  static ExprPtr in_join(const ExprPtr& condition, const std::vector<std::size_t>& outer_places,
                         std::size_t width) {
    std::vector<std::size_t> places(columns_of(*condition).back() + 1);
    for (const std::size_t column : columns_of(*condition))
      places[column] = column >= kOuterColumns ? outer_places[column - kOuterColumns] : width + column;
    return remap_columns(condition, places);
  }

  const sql::Select& select_;
  Relation& input_;
  Scope& scope_;
  Correlated& correlated_;
  const BindContext& context_;
  std::set<std::size_t> outer_columns_;
};

}  // namespace

bool make_keys(const sql::Select& select, Relation& input, Scope& scope, Correlated& correlated,
               const BindContext& context) {
  return KeyMaker(select, input, scope, correlated, context).make();
}

std::optional<Relation> QueryBinder::bind_correlated(const sql::Query& query, Correlated& correlated) {
  correlated_ = &correlated;
  std::optional<Relation> relation = bind(query);
  correlated_ = nullptr;
  return relation;
}

}  // namespace leat::plan
