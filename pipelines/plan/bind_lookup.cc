// FOR SYSTEM_TIME AS OF a processing time.
#include <algorithm>
#include <utility>

#include "pipelines/plan/bind_join.h"
#include "pipelines/plan/lookup_node.h"

namespace leat::plan {
namespace {

/// The table that is looked up, as its CREATE TABLE has it.
const ScanNode* table_of(const Relation& side) {
  return side.node->kind == NodeKind::kScan ? static_cast<const ScanNode*>(side.node.get()) : nullptr;
}

bool only_physical(const ScanNode& scan) {
  return scan.metadata.empty() && std::ranges::all_of(scan.rows, [](const ExprPtr& column) {
           return column->kind == ExprKind::kColumn;
         });
}

bool check_sides(const JoinParts& parts, const BindContext& context) {
  if (parts.type != JoinType::kInner && parts.type != JoinType::kLeft) {
    context.diagnostics.error(parts.span, "FOR SYSTEM_TIME AS OF goes with INNER and LEFT joins only");
    return false;
  }
  if (!parts.left.node->updating) return true;
  context.diagnostics.error(parts.span,
                            "the rows before a lookup join must not change: a row that is taken back might "
                            "meet another row of the table than it did when it came",
                            "look up first, then aggregate");
  return false;
}

/// Null: it cannot be looked up, reported.
const ScanNode* check_table(const JoinParts& parts, const BindContext& context) {
  const ScanNode* scan = table_of(parts.right);
  if (scan == nullptr) {
    context.diagnostics.error(parts.span, "a lookup join takes a table, not a view or a query",
                              "join the table itself, and put the other conditions into ON");
    return nullptr;
  }
  const ConnectorInfo* connector = context.catalog.find_connector(scan->connector);
  if (connector == nullptr || !connector->can_look_up) {
    std::string known;
    for (const ConnectorInfo& other : context.catalog.connectors)
      if (other.can_look_up) known += (known.empty() ? "'" : ", '") + other.name + "'";
    context.diagnostics.error(parts.span,
                              "rows of '" + scan->table + "' cannot be looked up: the connector '" +
                                  scan->connector + "' gives its rows once, in order",
                              "tables of these connectors can: " + known);
    return nullptr;
  }
  const std::string refusal = connector->refuse_lookup ? connector->refuse_lookup(scan->options) : "";
  if (!refusal.empty()) {
    context.diagnostics.error(parts.span, "rows of '" + scan->table + "' cannot be looked up: " + refusal,
                              "keep them in a table with 'connector' = 'sqlite', and look them up there");
    return nullptr;
  }
  if (scan->updating) {
    context.diagnostics.error(
        parts.span,
        "'" + scan->table + "' is a changelog, whose rows come and go: there is nothing to look up",
        "join it as a stream, without FOR SYSTEM_TIME AS OF");
    return nullptr;
  }
  if (only_physical(*scan)) return scan;
  context.diagnostics.error(
      parts.span,
      "'" + scan->table +
          "' has computed or METADATA columns or is PARTITIONED BY some, which a look-up "
          "does not give",
      "declare it without them, and compute in the query");
  return nullptr;
}

}  // namespace

std::optional<Relation> lookup_join(JoinParts parts, const BindContext& context) {
  if (!check_sides(parts, context)) return std::nullopt;
  const ScanNode* const scan = check_table(parts, context);
  if (scan == nullptr) return std::nullopt;
  auto table = std::make_shared<LookupTableNode>();
  table->scan = std::static_pointer_cast<const ScanNode>(parts.right.node);
  for (std::size_t i = 0; i < scan->physical.size(); ++i) table->columns.push_back(i);
  table->derive();
  parts.right.node = std::move(table);
  auto join = std::make_shared<LookupJoinNode>();
  join->type = parts.type;
  finish_join(*join, parts, KeyForm::kRightColumns);
  if (join->keys.empty()) {
    context.diagnostics.error(
        parts.span, "a lookup join needs an equality with a column of '" + scan->table + "' in ON",
        "where types differ, cast the other side: CAST(l.k AS <type of the column>) = d.k");
    return std::nullopt;
  }
  Relation relation{.node = join, .roles = parts.left.roles, .window = parts.left.window};
  relation.roles.resize(join->schema.size(), ColumnRole::kPlain);
  return relation;
}

}  // namespace leat::plan
