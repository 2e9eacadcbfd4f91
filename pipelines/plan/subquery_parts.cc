#include "pipelines/plan/subquery_parts.h"

#include "pipelines/plan/aggregate_builder.h"
#include "pipelines/plan/node_build.h"

namespace leat::plan {

ExprPtr truth(bool value) {
  return make_literal(Type::boolean().with_nullable(false), Value::boolean(value));
}
ExprPtr unknown() {
  return make_literal(Type::boolean(), Value::null());
}

ExprPtr zero() {
  return make_literal(Type::big_int().with_nullable(false), Value::integer(0));
}

ExprPtr count_or_zero(const ExprPtr& count) {
  return std::make_shared<const Expr>(Expr{.kind = ExprKind::kCoalesce,
                                           .type = Type::big_int().with_nullable(false),
                                           .children = {count, zero()},
                                           .name = "COALESCE"});
}

ExprPtr column_at(const Relation& relation, std::size_t index) {
  return column_of(*relation.node, index);
}

ExprPtr over_no_rows(const ExprPtr& joined, const Type& type) {
  return type.nullable() || !type.is_integer() ? joined : count_or_zero(joined);
}

std::vector<std::size_t> last_columns(const Relation& relation, std::size_t count) {
  std::vector<std::size_t> columns;
  for (std::size_t i = relation.schema().size() - count; i < relation.schema().size(); ++i)
    columns.push_back(i);
  return columns;
}

Relation marks_of(const Relation& inner, std::span<const std::size_t> keys, const ExprPtr& condition,
                  const BindContext& context) {
  Relation rows = inner;
  if (condition) rows.node = make_filter(rows.node, condition);
  AggregateBuilder builder(rows);
  for (const std::size_t key : keys) builder.add_key(column_at(rows, key));
  builder.add_key(truth(true));
  return plain_relation(builder.build_unwindowed(
      context.settings.state_ttl, context.settings.batch ? Results::kFinal : Results::kChangelog));
}

}  // namespace leat::plan
