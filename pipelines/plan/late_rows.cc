#include "pipelines/plan/late_rows.h"

#include <algorithm>

#include "pipelines/base/nearest.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/plan/operator_node.h"
#include "pipelines/plan/rewrite.h"

namespace leat::plan {

bool drops_late_rows(const Node& node) {
  if (is_operator_node(node)) return as_operator_node(node).drops_late_rows();
  if (node.kind == NodeKind::kWindowAssign)
    return static_cast<const WindowAssignNode&>(node).window.kind == WindowKind::kSession;
  return node.kind == NodeKind::kWindowAggregate;
}

// ---- The table -------------------------------------------------------------------------------------------

namespace {

std::string plain(const Type& type) {
  return type.with_nullable(true).to_string();
}

/// One of the tables has a column of this name, whose values go into it.
bool check_column(const TableColumn& column, std::span<const Table* const> read, sql::SourceSpan span,
                  const BindContext& context) {
  std::vector<std::string> known;
  std::string other_type;
  for (const Table* table : read) {
    for (const TableColumn& from : table->columns) {
      known.push_back(from.name());
      if (from.name() != column.name()) continue;
      if (functions::implicitly_castable(from.type, column.type)) return true;
      other_type = plain(from.type);
    }
  }
  if (other_type.empty())
    context.diagnostics.error(span, "the late-row table has a column '" + column.name() +
                                        "', but no table that is read has one" +
                                        did_you_mean(column.name(), known));
  else
    context.diagnostics.error(span, "the column '" + column.name() + "' of the late-row table is " +
                                        plain(column.type) + ", but the rows have " + other_type);
  return false;
}

void add_column(const Table& table, const TableColumn& column, SinkNode& sink) {
  const std::size_t index = sink.schema.size();
  sink.schema.fields.push_back({column.name(), column.type});
  sink.time_attributes.push_back(TimeAttribute::kNone);
  if (!column.physical()) sink.metadata.emplace_back(index, column.metadata_key);
  if (!table.primary_key_definition) return;
  for (const sql::Identifier& key : table.primary_key_definition->columns)
    if (key.text == column.name()) sink.primary_key.push_back(index);
}

}  // namespace

std::shared_ptr<const SinkNode> bind_late_sink(Table& table, std::span<const Table* const> read,
                                               sql::SourceSpan span, const BindContext& context) {
  if (table.broken || !table.connector) return nullptr;
  if (!table.connector->can_write) {
    context.diagnostics.error(span, "late rows cannot go to '" + table.name + "': the connector '" +
                                        table.connector->name + "' only reads");
    return nullptr;
  }
  table.written = true;
  auto sink = std::make_shared<SinkNode>();
  sink->table = table.unique_name;
  sink->connector = table.connector->name;
  sink->options = table.option_map();
  bool whole = true;
  for (const TableColumn& column : table.columns) {
    if (!column.persisted()) continue;
    whole = check_column(column, read, span, context) && whole;
    if (!column.type.nullable()) {
      context.diagnostics.error(
          span,
          "the column '" + column.name() + "' of the late-row table is NOT NULL, but late rows may lack it",
          "declare it without NOT NULL");
      whole = false;
    }
    add_column(table, column, *sink);
  }
  set_partitions(table, *sink);
  return whole ? sink : nullptr;
}

// ---- Carrying columns ------------------------------------------------------------------------------------

namespace {

/// The relation with a column of this name, added where it was projected away; null: there is none below.
NodePtr with_column(const NodePtr& node, const std::string& name) {
  if (node->schema.find(name)) return node;
  if (node->kind == NodeKind::kFilter) {
    const NodePtr input = with_column(node->inputs[0], name);
    return input ? make_filter(input, static_cast<const FilterNode&>(*node).predicate) : nullptr;
  }
  if (node->kind != NodeKind::kProject) return nullptr;
  const NodePtr input = with_column(node->inputs[0], name);
  if (!input) return nullptr;
  std::vector<ExprPtr> exprs = static_cast<const ProjectNode&>(*node).exprs;
  std::vector<std::string> names;
  for (const Type::Field& field : node->schema.fields) names.push_back(field.name);
  exprs.push_back(column_of(*input, *input->schema.find(name)));
  names.push_back(name);
  return make_project(input, std::move(exprs), names);
}

}  // namespace

namespace {

/// The columns that the late-row table wants, of rows like these; NULL where there is none that fits.
std::vector<ExprPtr> late_columns(const Node& rows, const Schema& wanted, const BindContext& context) {
  std::vector<ExprPtr> columns;
  for (const Type::Field& field : wanted.fields) {
    const std::optional<std::size_t> column = rows.schema.find(field.name);
    const bool fits = column && functions::implicitly_castable(rows.schema.fields[*column].type, field.type);
    columns.push_back(fits ? coerce(column_of(rows, *column), field.type, {}, context)
                           : make_literal(field.type, Value::null()));
  }
  return columns;
}

}  // namespace

void carry_late_columns(Plan& plan) {
  if (!plan.late_rows) return;
  const Schema wanted = plan.sinks[plan.late_rows->sink]->schema;
  rewrite_nodes(plan, [&](const NodePtr& node) -> NodePtr {
    // Columns behind its own change nothing for an aggregate; the other operators have whole rows.
    if (node->kind != NodeKind::kWindowAggregate) return nullptr;
    NodePtr input = node->inputs[0];
    for (const Type::Field& field : wanted.fields)
      if (NodePtr carried = with_column(input, field.name)) input = std::move(carried);
    return input == node->inputs[0] ? nullptr : with_inputs(*node, {input});
  });
}

void route_late_rows(Plan& plan, const BindContext& context) {
  if (!plan.late_rows) return;
  const Schema wanted = plan.sinks[plan.late_rows->sink]->schema;
  for_each_node(plan, [&](const NodePtr& node) {
    if (!drops_late_rows(*node)) return;
    for (std::size_t input = 0; input < node->inputs.size(); ++input)
      plan.late_rows->routes.push_back({node, input, late_columns(*node->inputs[input], wanted, context)});
  });
}

}  // namespace leat::plan
