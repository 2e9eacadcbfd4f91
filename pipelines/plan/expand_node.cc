#include "pipelines/plan/expand_node.h"

#include <algorithm>
#include <utility>

namespace leat::plan {

std::shared_ptr<ExpandNode> make_expand(NodePtr input, std::vector<std::size_t> keys,
                                        std::vector<std::vector<bool>> sets) {
  auto node = std::make_shared<ExpandNode>();
  node->schema = input->schema;
  node->time_attributes = input->time_attributes;
  node->updating = input->updating;
  for (const std::size_t key : keys) {
    const Type::Field& field = input->schema.fields[key];
    node->schema.fields.push_back({field.name, field.type.with_nullable(true)});
  }
  node->schema.fields.push_back({std::string(kExpandId), Type::big_int().with_nullable(false)});
  node->time_attributes.resize(node->schema.size(), TimeAttribute::kNone);
  node->keys = std::move(keys);
  node->sets = std::move(sets);
  node->inputs = {std::move(input)};
  return node;
}

std::string ExpandNode::line() const {
  std::string text = "Expand(";
  for (const std::vector<bool>& set : sets) {
    std::vector<std::size_t> present;
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (set[i]) present.push_back(keys[i]);
    text += (text.back() == '(' ? "{" : ", {") + names_of(inputs[0]->schema, present) + "}";
  }
  return text + ")";
}

void ExpandNode::add_needs(const Needs& own, std::span<Needs> needs) const {
  for (std::size_t i = 0; i < needs[0].size(); ++i)
    if (own[i]) need(needs[0], i);
  need(needs[0], keys);
}

Pruned ExpandNode::prune(const Needs& own, std::span<const Pruned> pruned) const {
  (void)own;
  const Pruned& input = pruned[0];
  const std::size_t old_width = inputs[0]->schema.size();
  Pruned result{make_expand(input.node, moved(keys, input.new_index), sets), input.new_index};
  for (std::size_t i = old_width; i < schema.size(); ++i)
    result.new_index.push_back(i - old_width + input.node->schema.size());
  return result;
}

std::string ExpandNode::identity(std::span<const std::vector<std::string>> columns) const {
  std::string text = typed_columns(inputs[0]->schema, columns[0], keys);
  for (const std::vector<bool>& set : sets) {
    text += " ";
    for (const bool has : set) text += has ? "1" : "0";
  }
  return text;
}

std::shared_ptr<OperatorNode> ExpandNode::clone() const {
  return std::make_shared<ExpandNode>(*this);
}

}  // namespace leat::plan
