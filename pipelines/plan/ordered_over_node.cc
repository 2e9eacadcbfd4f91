#include "pipelines/plan/ordered_over_node.h"

namespace leat::plan {
namespace {

std::string listed(std::span<const std::size_t> indexes, std::span<const std::string> columns) {
  std::string text;
  for (const std::size_t index : indexes) text += (text.empty() ? "" : ", ") + columns[index];
  return text;
}

std::string edge_text(const FrameEdge& edge, OrderedFrame::Unit unit, std::string_view unbounded,
                      std::span<const std::string> columns) {
  if (edge.kind == FrameEdge::Kind::kUnbounded) return "UNBOUNDED " + std::string(unbounded);
  if (edge.kind == FrameEdge::Kind::kCurrentRow) return "CURRENT ROW";
  if (unit == OrderedFrame::Unit::kRange) return columns[edge.column];
  return edge.offset < 0 ? std::to_string(-edge.offset) + " PRECEDING"
                         : std::to_string(edge.offset) + " FOLLOWING";
}

std::string frame_text(const OrderedFrame& frame, std::span<const std::string> columns) {
  std::string text = frame.unit == OrderedFrame::Unit::kRows ? " ROWS " : " RANGE ";
  if (frame.has_value_edges()) text += "of " + columns[frame.value] + " ";
  return text + "BETWEEN " + edge_text(frame.lower, frame.unit, "PRECEDING", columns) + " AND " +
         edge_text(frame.upper, frame.unit, "FOLLOWING", columns);
}

/// Calls `visit` with each column that the call reads.
template <class Call, class Visit>
void for_each_column(Call& call, const Visit& visit) {
  for (auto& argument : call.call.arguments) visit(argument);
  if (call.call.filter) visit(*call.call.filter);
  if (call.number_column) visit(*call.number_column);
  if (!call.frame.has_value_edges()) return;
  visit(call.frame.value);
  for (auto* edge : {&call.frame.lower, &call.frame.upper})
    if (edge->kind == FrameEdge::Kind::kOffset) visit(edge->column);
}

}  // namespace

std::string to_string(const OrderedOverCall& call, std::span<const std::string> columns) {
  std::string text = call.call.kind + "(" + listed(call.call.arguments, columns) + ")";
  if (call.nulls == OrderedOverCall::Nulls::kIgnore) text += " IGNORE NULLS";
  if (call.call.filter) text += " filter(" + columns[*call.call.filter] + ")";
  if (call.number_column) text += " by(" + columns[*call.number_column] + ")";
  return call.kind == OrderedOverCall::Kind::kAggregate ? text + frame_text(call.frame, columns) : text;
}

std::string OrderedOverNode::text(std::span<const std::string> columns) const {
  std::string text;
  if (!partition_by.empty()) text += " partition by(" + listed(partition_by, columns) + ")";
  if (!order.empty()) text += " order by(" + sort_text(order, columns) + ")";
  text += " calls(";
  for (std::size_t i = 0; i < calls.size(); ++i) text += (i > 0 ? ", " : "") + to_string(calls[i], columns);
  return text + ")";
}

std::string OverBatchNode::line() const {
  const std::vector<std::string> columns = column_names(inputs[0]->schema);
  return "OverBatch" + text(columns) + (arrival ? " arrival(" + columns[*arrival] + ")" : "");
}

void OverBatchNode::add_own_needs(const Needs& own_needed, Needs& input) const {
  OrderedOverNode::add_own_needs(own_needed, input);
  if (arrival) input[*arrival] = true;
}

void OverBatchNode::move_own(const Needs& own_needed, std::span<const std::size_t> new_index) {
  OrderedOverNode::move_own(own_needed, new_index);
  if (arrival) arrival = new_index[*arrival];
}

std::string OverBatchNode::own_identity(std::span<const std::string> texts) const {
  return OrderedOverNode::own_identity(texts) + (arrival ? " arrival(" + texts[*arrival] + ")" : "");
}

std::string OverChangesNode::line() const {
  return "OverChanges" + text(column_names(inputs[0]->schema)) +
         (state_ttl.count() > 0 ? " ttl=" + format_duration(state_ttl) : "");
}

std::vector<Type::Field> OrderedOverNode::own_columns() const {
  std::vector<Type::Field> columns;
  for (const OrderedOverCall& call : calls) columns.push_back({call.call.name, call.type});
  return columns;
}

void OrderedOverNode::add_own_needs(const Needs& own_needed, Needs& input) const {
  need(input, partition_by);
  need(input, order);
  for (std::size_t i = 0; i < calls.size(); ++i)
    if (own_needed[i]) for_each_column(calls[i], [&](std::size_t column) { need(input, column); });
}

void OrderedOverNode::move_own(const Needs& own_needed, std::span<const std::size_t> new_index) {
  partition_by = moved(partition_by, new_index);
  move_keys(order, new_index);
  std::vector<OrderedOverCall> kept;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!own_needed[i]) continue;
    kept.push_back(std::move(calls[i]));
    for_each_column(kept.back(), [&](std::size_t& column) { column = new_index[column]; });
  }
  calls = std::move(kept);
}

std::string OrderedOverNode::own_identity(std::span<const std::string> texts) const {
  return std::string(operator_name()) + text(texts);
}

}  // namespace leat::plan
