// Projection push-down: from what the sinks need, downwards, to what the decoder decodes.
#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>

#include "pipelines/plan/late_rows.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/plan/operator_node.h"
#include "pipelines/plan/rewrite.h"

namespace leat::plan {
namespace {

std::vector<std::size_t> identity(std::size_t size) {
  std::vector<std::size_t> index(size);
  for (std::size_t i = 0; i < size; ++i) index[i] = i;
  return index;
}

// ---- What a node needs of its input ----------------------------------------------------------------------

void project_needs(const ProjectNode& project, const Needs& own, Needs& input) {
  for (std::size_t i = 0; i < own.size(); ++i)
    if (own[i]) need(input, *project.exprs[i]);
}

void window_needs(const WindowSpec& window, Needs& input) {
  need(input, window.time_column);
  for (const std::size_t column : window.partition_by) need(input, column);
}

void aggregate_needs(const WindowAggregateNode& aggregate, const Needs& own, Needs& input) {
  for (const std::size_t key : aggregate.keys) need(input, key);
  for (std::size_t i = 0; i < aggregate.calls.size(); ++i) {
    if (!own[aggregate.keys.size() + i]) continue;
    for (const std::size_t argument : aggregate.calls[i].arguments) need(input, argument);
    if (aggregate.calls[i].filter) need(input, *aggregate.calls[i].filter);
  }
  if (aggregate.attached) {
    need(input, aggregate.attached->first);
    need(input, aggregate.attached->second);
  } else {
    window_needs(aggregate.window, input);
  }
}

void input_needs(const Node& node, const Needs& own, Needs& input) {
  const auto pass_on = [&] {
    for (std::size_t i = 0; i < input.size(); ++i)
      if (own[i]) input[i] = true;
  };
  switch (node.kind) {
    case NodeKind::kSink:
      input.assign(input.size(), true);
      return;
    case NodeKind::kFilter:
      pass_on();
      need(input, *static_cast<const FilterNode&>(node).predicate);
      return;
    case NodeKind::kProject:
      project_needs(static_cast<const ProjectNode&>(node), own, input);
      return;
    case NodeKind::kWindowAssign:
      pass_on();
      window_needs(static_cast<const WindowAssignNode&>(node).window, input);
      return;
    case NodeKind::kWindowAggregate:
      aggregate_needs(static_cast<const WindowAggregateNode&>(node), own, input);
      return;
    case NodeKind::kUnionAll:
      pass_on();
      return;
    case NodeKind::kScan:
    case NodeKind::kValues:
      return;
    default:  // An OperatorNode.
      break;
  }
}

/// A node that is read twice, or by one node on two ways, keeps what any of its readers needs.
void add_input_needs(const Node& node, std::unordered_map<const Node*, Needs>& needs) {
  const Needs& own = needs.at(&node);
  if (!is_operator_node(node)) {
    for (const NodePtr& input : node.inputs) input_needs(node, own, needs.at(input.get()));
    return;
  }
  std::vector<Needs> inputs;
  for (const NodePtr& input : node.inputs) inputs.emplace_back(input->schema.size());
  as_operator_node(node).add_needs(own, inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    for (std::size_t c = 0; c < inputs[i].size(); ++c)
      if (inputs[i][c]) needs.at(node.inputs[i].get())[c] = true;
}

/// The late-row table takes what it can get of the rows that reach an operator.
void add_late_needs(const Plan& plan, const Node& rows, std::unordered_map<const Node*, Needs>& needs) {
  for (const Type::Field& field : plan.sinks[plan.late_rows->sink]->schema.fields)
    if (const auto column = rows.schema.find(field.name)) needs.at(&rows)[*column] = true;
}

// ---- Building the nodes anew -----------------------------------------------------------------------------

Needs row_needs(const ScanNode& scan, const Needs& own) {
  Needs rows(scan.rows.size());
  for (std::size_t i = 0; i < own.size(); ++i)
    if (own[i]) need(rows, scan.output[i]);
  if (scan.filter) need(rows, *scan.filter);
  if (scan.deletion) need(rows, *scan.deletion);
  if (!scan.watermark) return rows;
  need(rows, scan.watermark->column);
  need(rows, *scan.watermark->expr);
  if (scan.watermark->partition_by) need(rows, *scan.watermark->partition_by);
  return rows;
}

void move_watermark(ScanNode& scan, const std::vector<std::size_t>& new_index) {
  if (!scan.watermark) return;
  WatermarkSpec& watermark = *scan.watermark;
  watermark.column = new_index[watermark.column];
  watermark.expr = remap_columns(watermark.expr, new_index);
  if (watermark.partition_by) watermark.partition_by = new_index[*watermark.partition_by];
}

/// Drops decoded columns that no row expression reads.
void prune_decoded(ScanNode& scan) {
  const std::size_t physical = scan.physical_wanted.size();
  Needs needs(physical + scan.metadata.size());
  for (const ExprPtr& row : scan.rows) need(needs, *row);
  std::vector<std::size_t> wanted;
  std::vector<ScanNode::Metadata> metadata;
  const std::vector<std::size_t> new_index = keep_needed(needs, [&](std::size_t i) {
    if (i < physical)
      wanted.push_back(scan.physical_wanted[i]);
    else
      metadata.push_back(scan.metadata[i - physical]);
  });
  scan.physical_wanted = std::move(wanted);
  scan.metadata = std::move(metadata);
  for (ExprPtr& row : scan.rows) row = remap_columns(row, new_index);
}

Pruned prune_scan(const ScanNode& node, const Needs& own) {
  auto scan = std::make_shared<ScanNode>(node);
  scan->rows.clear();
  scan->row_names.clear();
  const std::vector<std::size_t> new_row = keep_needed(row_needs(node, own), [&](std::size_t i) {
    scan->rows.push_back(node.rows[i]);
    scan->row_names.push_back(node.row_names[i]);
  });
  if (scan->filter) scan->filter = remap_columns(scan->filter, new_row);
  move_watermark(*scan, new_row);
  if (scan->deletion) scan->deletion = new_row[*scan->deletion];
  scan->output.clear();
  scan->schema.fields.clear();
  scan->time_attributes.clear();
  std::vector<std::size_t> new_index = keep_needed(own, [&](std::size_t i) {
    scan->output.push_back(new_row[node.output[i]]);
    scan->schema.fields.push_back(node.schema.fields[i]);
    scan->time_attributes.push_back(node.time_attributes[i]);
  });
  prune_decoded(*scan);
  return {std::move(scan), std::move(new_index)};
}

Pruned prune_filter(const FilterNode& filter, const Pruned& input) {
  return {make_filter(input.node, remap_columns(filter.predicate, input.new_index)), input.new_index};
}

Pruned prune_project(const ProjectNode& project, const Needs& own, const Pruned& input) {
  std::vector<ExprPtr> exprs;
  std::vector<std::string> names;
  std::vector<std::size_t> new_index = keep_needed(own, [&](std::size_t i) {
    exprs.push_back(remap_columns(project.exprs[i], input.new_index));
    names.push_back(project.schema.fields[i].name);
  });
  return {make_project(input.node, std::move(exprs), names), std::move(new_index)};
}

void move_window(WindowSpec& window, const std::vector<std::size_t>& new_index) {
  window.time_column = new_index[window.time_column];
  for (std::size_t& column : window.partition_by) column = new_index[column];
}

Pruned prune_assign(const WindowAssignNode& assign, const Pruned& input) {
  WindowSpec window = assign.window;
  move_window(window, input.new_index);
  std::vector<std::size_t> new_index = input.new_index;
  for (std::size_t i = 0; i < 3; ++i) new_index.push_back(input.node->schema.size() + i);
  return {make_window_assign(input.node, std::move(window)), std::move(new_index)};
}

Pruned prune_aggregate(const WindowAggregateNode& node, const Needs& own, const Pruned& input) {
  auto aggregate = std::make_shared<WindowAggregateNode>(node);
  aggregate->inputs = {input.node};
  aggregate->calls.clear();
  aggregate->properties.clear();
  for (std::size_t& key : aggregate->keys) key = input.new_index[key];
  Needs kept = own;
  std::fill_n(kept.begin(), node.keys.size(), true);
  std::vector<std::size_t> new_index = keep_needed(kept, [&](std::size_t i) {
    if (i < node.keys.size()) return;
    i -= node.keys.size();
    if (i >= node.calls.size())
      return aggregate->properties.push_back(node.properties[i - node.calls.size()]);
    aggregate->calls.push_back(node.calls[i]);
    for (std::size_t& argument : aggregate->calls.back().arguments) argument = input.new_index[argument];
    if (auto& filter = aggregate->calls.back().filter) filter = input.new_index[*filter];
  });
  if (aggregate->attached)
    aggregate->attached =
        std::pair(input.new_index[node.attached->first], input.new_index[node.attached->second]);
  else
    move_window(aggregate->window, input.new_index);
  derive_aggregate_schema(*aggregate);
  return {std::move(aggregate), std::move(new_index)};
}

// All branches must look alike.
Pruned prune_union(const UnionAllNode& node, const Needs& own, const std::vector<Pruned>& inputs) {
  std::vector<NodePtr> branches;
  for (const Pruned& input : inputs) branches.push_back(picked(input, own));
  std::vector<std::string> names;
  std::vector<std::size_t> new_index =
      keep_needed(own, [&](std::size_t i) { names.push_back(node.schema.fields[i].name); });
  return {make_union_all(std::move(branches), names), std::move(new_index)};
}

Pruned prune(const NodePtr& node, const Needs& own, const std::vector<Pruned>& inputs) {
  switch (node->kind) {
    case NodeKind::kScan:
      return prune_scan(static_cast<const ScanNode&>(*node), own);
    case NodeKind::kFilter:
      return prune_filter(static_cast<const FilterNode&>(*node), inputs[0]);
    case NodeKind::kProject:
      return prune_project(static_cast<const ProjectNode&>(*node), own, inputs[0]);
    case NodeKind::kWindowAssign:
      return prune_assign(static_cast<const WindowAssignNode&>(*node), inputs[0]);
    case NodeKind::kWindowAggregate:
      return prune_aggregate(static_cast<const WindowAggregateNode&>(*node), own, inputs[0]);
    case NodeKind::kUnionAll:
      return prune_union(static_cast<const UnionAllNode&>(*node), own, inputs);
    case NodeKind::kSink:
      if (inputs.empty()) return {node, {}};  // Of late rows.
      return {with_inputs(*node, {picked(inputs[0], Needs(node->schema.size(), true))}), {}};
    case NodeKind::kValues:
      return {node, identity(node->schema.size())};
    default:  // An OperatorNode.
      break;
  }
  return as_operator_node(*node).prune(own, inputs);
}

}  // namespace

void prune_columns(Plan& plan) {
  std::vector<NodePtr> order;
  for_each_node(plan, [&](const NodePtr& node) { order.push_back(node); });
  std::unordered_map<const Node*, Needs> needs;
  for (const NodePtr& node : order) needs[node.get()].assign(node->schema.size(), false);
  for (auto node = order.rbegin(); node != order.rend(); ++node) {
    add_input_needs(**node, needs);
    if (!plan.late_rows || !drops_late_rows(**node)) continue;
    for (const NodePtr& input : (*node)->inputs) add_late_needs(plan, *input, needs);
  }

  std::unordered_map<const Node*, Pruned> done;
  for (const NodePtr& node : order) {
    std::vector<Pruned> inputs;
    for (const NodePtr& input : node->inputs) inputs.push_back(done.at(input.get()));
    done[node.get()] = prune(node, needs.at(node.get()), inputs);
  }
  for (auto& sink : plan.sinks) sink = std::static_pointer_cast<const SinkNode>(done.at(sink.get()).node);
  for (auto& scan : plan.scans) scan = std::static_pointer_cast<const ScanNode>(done.at(scan.get()).node);
}

}  // namespace leat::plan
