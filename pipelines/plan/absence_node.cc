#include "pipelines/plan/absence_node.h"

namespace leat::plan {

void derive_absence_schema(AbsenceNode& node) {
  const Schema& input = node.inputs[0]->schema;
  const Type time = input.fields[node.time_column].type;
  for (const std::size_t key : node.keys) node.schema.fields.push_back(input.fields[key]);
  node.schema.fields.push_back({"state", Type::string().with_nullable(false)});
  node.schema.fields.push_back({"last_seen", time.with_nullable(false)});
  node.schema.fields.push_back({"rowtime", time.with_nullable(false)});
  node.time_attributes.assign(node.schema.size(), TimeAttribute::kNone);
  node.time_attributes.back() = TimeAttribute::kRowTime;
}

std::string AbsenceNode::line() const {
  const Schema& input = inputs[0]->schema;
  return "Absence(" + names_of(input, keys) + ") " + input.fields[time_column].name + " timeout " +
         format_duration(timeout);
}

void AbsenceNode::add_needs(const Needs& own, std::span<Needs> needs) const {
  (void)own;
  need(needs[0], keys);
  need(needs[0], time_column);
}

Pruned AbsenceNode::prune(const Needs& own, std::span<const Pruned> pruned) const {
  auto node = std::make_shared<AbsenceNode>(*this);
  node->inputs = {pruned[0].node};
  node->keys = moved(keys, pruned[0].new_index);
  node->time_column = pruned[0].new_index[time_column];
  std::vector<std::size_t> same(own.size());
  for (std::size_t i = 0; i < same.size(); ++i) same[i] = i;
  return {std::move(node), std::move(same)};
}

std::string AbsenceNode::identity(std::span<const std::vector<std::string>> columns) const {
  return "by " + typed_columns(inputs[0]->schema, columns[0], keys) + "time " + columns[0][time_column] +
         " timeout " + std::to_string(timeout.count());
}

std::shared_ptr<OperatorNode> AbsenceNode::clone() const {
  return std::make_shared<AbsenceNode>(*this);
}

}  // namespace leat::plan
