// SELECT DISTINCT is GROUP BY over all columns, without aggregates.
#include "pipelines/plan/aggregate_builder.h"
#include "pipelines/plan/bind_group.h"
#include "pipelines/plan/bind_grouping_sets.h"
#include "pipelines/plan/node_build.h"

namespace leat::plan {
namespace {

ExprPtr add_key(AggregateBuilder& builder, const Relation& relation, std::size_t column) {
  const ExprPtr key = column_of(*relation.node, column);
  builder.add_key(key);
  return builder.find_key(*key);
}

/// A column of a relation with windows.
ExprPtr add_column(AggregateBuilder& builder, const Relation& relation, std::size_t column) {
  const auto property = property_of_role(relation.roles[column]);
  if (!property) return add_key(builder, relation, column);
  builder.add_property(*property);
  return builder.find_property(*property, *relation.window);
}

}  // namespace

Relation bind_distinct(const Relation& relation, const BindContext& context) {
  const auto start = relation.find_role(ColumnRole::kWindowStart);
  const auto end = relation.find_role(ColumnRole::kWindowEnd);
  const bool windowed = start && end;
  AggregateBuilder builder(relation);
  std::vector<ExprPtr> columns;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < relation.schema().size(); ++i) {
    columns.push_back(windowed ? add_column(builder, relation, i) : add_key(builder, relation, i));
    names.push_back(relation.schema().fields[i].name);
  }
  Relation distinct;
  distinct.node =
      windowed ? builder.build_attached(*start, *end, *relation.window)
               : builder.build_unwindowed(context.settings.state_ttl,
                                          context.settings.batch ? Results::kFinal : Results::kChangelog);
  for (ExprPtr& column : columns) column = builder.settle(column);
  distinct.node = make_project(distinct.node, std::move(columns), names);
  distinct.roles = windowed ? relation.roles : plain_relation(distinct.node).roles;
  if (windowed) distinct.window = relation.window;
  return distinct;
}

}  // namespace leat::plan
