#include "pipelines/plan/normalize_node.h"

#include <algorithm>
#include <utility>

namespace leat::plan {

std::string NormalizeNode::line() const {
  return "Normalize key(" + names_of(inputs[0]->schema, keys) + ")" +
         (state_ttl.count() > 0 ? " ttl=" + format_duration(state_ttl) : "");
}

/// In terms of the columns that are given out, if all of the key are.
std::optional<std::vector<std::size_t>> NormalizeNode::upsert_key() const {
  std::vector<std::size_t> key;
  for (const std::size_t column : keys) {
    const auto found = std::ranges::find(passed, column);
    if (found == passed.end()) return std::nullopt;
    key.push_back(static_cast<std::size_t>(found - passed.begin()));
  }
  return key;
}

void NormalizeNode::add_own_needs(const Needs&, Needs& input) const {
  need(input, keys);
  need(input, deletion);
}

void NormalizeNode::move_own(const Needs&, std::span<const std::size_t> new_index) {
  keys = moved(keys, new_index);
  deletion = new_index[deletion];
}

std::string NormalizeNode::own_identity(std::span<const std::string> texts) const {
  std::string text = "normalize key(";
  for (const std::size_t key : keys) text += texts[key] + ", ";
  return text + ") gone " + texts[deletion];
}

NodePtr make_normalize(NodePtr input, std::vector<std::size_t> keys, std::size_t deletion, Micros state_ttl) {
  auto node = std::make_shared<NormalizeNode>();
  for (std::size_t i = 0; i < input->schema.size(); ++i)
    if (i != deletion) node->passed.push_back(i);
  node->inputs = {std::move(input)};
  node->keys = std::move(keys);
  node->deletion = deletion;
  node->state_ttl = state_ttl;
  node->derive_schema();
  return node;
}

}  // namespace leat::plan
