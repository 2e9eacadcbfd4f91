#include "pipelines/plan/lookup_node.h"

namespace leat::plan {

// ---- The table -------------------------------------------------------------------------------------------

void LookupTableNode::derive() {
  schema.fields.clear();
  for (const std::size_t column : columns) schema.fields.push_back(scan->physical.fields[column]);
  time_attributes.assign(schema.size(), TimeAttribute::kNone);
}

std::string LookupTableNode::line() const {
  return "Lookup table " + scan->table + " (" + scan->connector + ")";
}

void LookupTableNode::add_needs(const Needs& own, std::span<Needs> input_needs) const {
  (void)own;
  (void)input_needs;
}

Pruned LookupTableNode::prune(const Needs& own, std::span<const Pruned> pruned_inputs) const {
  (void)pruned_inputs;
  auto copy = std::make_shared<LookupTableNode>(*this);
  copy->columns.clear();
  std::vector<std::size_t> new_index =
      keep_needed(own, [&](std::size_t i) { copy->columns.push_back(columns[i]); });
  copy->derive();
  return {std::move(copy), std::move(new_index)};
}

std::string LookupTableNode::identity(std::span<const std::vector<std::string>> input_columns) const {
  (void)input_columns;
  std::vector<std::string> texts;
  for (const Type::Field& field : schema.fields) texts.push_back("`" + field.name + "`");
  return "`" + scan->table + "` " + typed_columns(schema, texts);
}

std::shared_ptr<OperatorNode> LookupTableNode::clone() const {
  return std::make_shared<LookupTableNode>(*this);
}

// ---- The join --------------------------------------------------------------------------------------------

void LookupJoinNode::derive() {
  derive_schema(KeptTimes::kLeft);
  updating = false;
}

std::shared_ptr<OperatorNode> LookupJoinNode::clone() const {
  return std::make_shared<LookupJoinNode>(*this);
}

std::string LookupJoinNode::own_text(std::span<const std::string> left,
                                     std::span<const std::string> right) const {
  (void)left;
  (void)right;
  return {};
}

}  // namespace leat::plan
