#include "pipelines/plan/processing_clock.h"

namespace leat::plan {

NodePtr make_processing_clock(NodePtr input, std::size_t time_column) {
  auto node = std::make_shared<ProcessingClockNode>();
  node->schema = input->schema;
  node->time_attributes.assign(input->schema.size(), TimeAttribute::kNone);
  node->time_attributes[time_column] = TimeAttribute::kRowTime;
  node->updating = input->updating;
  node->time_column = time_column;
  node->inputs = {std::move(input)};
  return node;
}

std::string ProcessingClockNode::line() const {
  return "ProcessingClock " + schema.fields[time_column].name;
}

void ProcessingClockNode::add_needs(const Needs& own, std::span<Needs> below) const {
  below[0] = own;
  need(below[0], time_column);
}

Pruned ProcessingClockNode::prune(const Needs& own, std::span<const Pruned> below) const {
  (void)own;
  return {make_processing_clock(below[0].node, below[0].new_index[time_column]), below[0].new_index};
}

std::string ProcessingClockNode::identity(std::span<const std::vector<std::string>> columns) const {
  return columns[0][time_column];
}

std::shared_ptr<OperatorNode> ProcessingClockNode::clone() const {
  return std::make_shared<ProcessingClockNode>(*this);
}

}  // namespace leat::plan
