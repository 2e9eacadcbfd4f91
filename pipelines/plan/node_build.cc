#include "pipelines/plan/node_build.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "pipelines/plan/operator_node.h"
#include "pipelines/plan/processing_clock.h"

namespace leat::plan {

ExprPtr column_of(const Node& input, std::size_t index) {
  const Type::Field& field = input.schema.fields[index];
  return make_column(index, field.type, field.name);
}

TimeAttribute time_attribute_of(const Expr& expr, const Node& input) {
  if (expr.kind == ExprKind::kColumn) return input.time_attributes[expr.column];
  if (expr.kind == ExprKind::kCall && expr.name == "PROCTIME") return TimeAttribute::kProcTime;
  return TimeAttribute::kNone;
}

NodePtr make_filter(NodePtr input, ExprPtr predicate) {
  auto node = std::make_shared<FilterNode>();
  node->schema = input->schema;
  node->time_attributes = input->time_attributes;
  node->updating = input->updating;
  node->predicate = std::move(predicate);
  node->inputs = {std::move(input)};
  return node;
}

NodePtr make_project(NodePtr input, std::vector<ExprPtr> exprs, std::span<const std::string> names) {
  auto node = std::make_shared<ProjectNode>();
  for (std::size_t i = 0; i < exprs.size(); ++i) {
    node->schema.fields.push_back({names[i], exprs[i]->type});
    node->time_attributes.push_back(time_attribute_of(*exprs[i], *input));
  }
  node->updating = input->updating;
  node->exprs = std::move(exprs);
  node->inputs = {std::move(input)};
  return node;
}

NodePtr make_union_all(std::vector<NodePtr> inputs, std::span<const std::string> names) {
  auto node = std::make_shared<UnionAllNode>();
  node->time_attributes = inputs[0]->time_attributes;
  for (std::size_t c = 0; c < names.size(); ++c) {
    Type type = inputs[0]->schema.fields[c].type;
    for (const NodePtr& input : inputs) {
      if (input->schema.fields[c].type.nullable()) type = type.with_nullable(true);
      if (input->time_attributes[c] != node->time_attributes[c])
        node->time_attributes[c] = TimeAttribute::kNone;
    }
    node->schema.fields.push_back({names[c], type});
  }
  node->updating = std::ranges::any_of(inputs, [](const NodePtr& input) { return input->updating; });
  node->inputs = std::move(inputs);
  return node;
}

Type window_property_type(WindowProperty property, const WindowSpec& window) {
  const bool local = property == WindowProperty::kTime && window.local_time;
  return (local ? Type::timestamp_ltz(3) : Type::timestamp(3)).with_nullable(false);
}

std::string_view window_property_name(WindowProperty property) {
  switch (property) {
    case WindowProperty::kStart:
      return kWindowStart;
    case WindowProperty::kEnd:
      return kWindowEnd;
    case WindowProperty::kTime:
      return kWindowTime;
  }
  return {};
}

namespace {
void append_property(Node& node, WindowProperty property, const WindowSpec& window) {
  node.schema.fields.push_back(
      {std::string(window_property_name(property)), window_property_type(property, window)});
  node.time_attributes.push_back(property == WindowProperty::kTime ? TimeAttribute::kRowTime
                                                                   : TimeAttribute::kNone);
}
}  // namespace

NodePtr make_window_assign(NodePtr input, WindowSpec window) {
  if (std::exchange(window.processing_time, false))
    input = make_processing_clock(std::move(input), window.time_column);
  auto node = std::make_shared<WindowAssignNode>();
  node->schema = input->schema;
  node->time_attributes.assign(input->schema.size(), TimeAttribute::kNone);
  node->updating = input->updating;
  for (const WindowProperty property : {WindowProperty::kStart, WindowProperty::kEnd, WindowProperty::kTime})
    append_property(*node, property, window);
  node->window = std::move(window);
  node->inputs = {std::move(input)};
  return node;
}

void derive_aggregate_schema(WindowAggregateNode& node) {
  node.schema.fields.clear();
  for (const std::size_t key : node.keys) node.schema.fields.push_back(node.inputs[0]->schema.fields[key]);
  for (const AggregateCall& call : node.calls)
    node.schema.fields.push_back({call.name, call.function->result_type()});
  node.time_attributes.assign(node.schema.size(), TimeAttribute::kNone);
  for (const WindowProperty property : node.properties) append_property(node, property, node.window);
  node.updating = node.emit.has_value();
}

namespace {
template <class NodeType>
NodePtr copy_with(const Node& node, std::vector<NodePtr> inputs) {
  auto copy = std::make_shared<NodeType>(static_cast<const NodeType&>(node));
  copy->inputs = std::move(inputs);
  return copy;
}
}  // namespace

NodePtr with_inputs(const Node& node, std::vector<NodePtr> inputs) {
  switch (node.kind) {
    case NodeKind::kScan:
      return copy_with<ScanNode>(node, std::move(inputs));
    case NodeKind::kValues:
      return copy_with<ValuesNode>(node, std::move(inputs));
    case NodeKind::kFilter:
      return copy_with<FilterNode>(node, std::move(inputs));
    case NodeKind::kProject:
      return copy_with<ProjectNode>(node, std::move(inputs));
    case NodeKind::kWindowAssign:
      return copy_with<WindowAssignNode>(node, std::move(inputs));
    case NodeKind::kWindowAggregate:
      return copy_with<WindowAggregateNode>(node, std::move(inputs));
    case NodeKind::kUnionAll:
      return copy_with<UnionAllNode>(node, std::move(inputs));
    case NodeKind::kSink:
      return copy_with<SinkNode>(node, std::move(inputs));
    default:  // An OperatorNode.
      break;
  }
  std::shared_ptr<OperatorNode> copy = as_operator_node(node).clone();
  copy->inputs = std::move(inputs);
  return copy;
}

namespace {
void visit_inputs_first(const NodePtr& node, std::unordered_set<const Node*>& seen,
                        const std::function<void(const NodePtr&)>& visit) {
  if (!seen.insert(node.get()).second) return;
  for (const NodePtr& input : node->inputs) visit_inputs_first(input, seen, visit);
  visit(node);
}
}  // namespace

void for_each_node(const Plan& plan, const std::function<void(const NodePtr&)>& visit) {
  std::unordered_set<const Node*> seen;
  for (const auto& sink : plan.sinks) visit_inputs_first(sink, seen, visit);
}

}  // namespace leat::plan
