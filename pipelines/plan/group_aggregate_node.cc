#include "pipelines/plan/group_aggregate_node.h"

#include <algorithm>
#include <numeric>

namespace leat::plan {

// A group without calls never changes: it comes, and it goes only if its rows are taken back.
void derive_group_schema(GroupAggregateNode& node) {
  const Node& input = *node.inputs[0];
  node.schema.fields.clear();
  for (const std::size_t key : node.keys) node.schema.fields.push_back(input.schema.fields[key]);
  for (const AggregateCall& call : node.calls)
    node.schema.fields.push_back({call.name, call.function->result_type()});
  node.time_attributes.assign(node.schema.size(), TimeAttribute::kNone);
  node.updating = node.results == Results::kChangelog && (input.updating || !node.calls.empty());
}

std::string GroupAggregateNode::line() const {
  std::string text = "GroupAggregate(" + names_of(inputs[0]->schema, keys);
  for (const AggregateCall& call : calls) text += (text.back() == '(' ? "" : ", ") + call.name;
  text += ")";
  if (state_ttl.count() > 0) text += " ttl=" + format_duration(state_ttl);
  return results == Results::kFinal ? text + " at the end" : text;
}

void GroupAggregateNode::add_needs(const Needs& own, std::span<Needs> needs) const {
  need(needs[0], keys);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!own[keys.size() + i]) continue;
    need(needs[0], calls[i].arguments);
    if (calls[i].filter) need(needs[0], *calls[i].filter);
  }
}

Pruned GroupAggregateNode::prune(const Needs& own, std::span<const Pruned> pruned) const {
  const std::vector<std::size_t>& new_input = pruned[0].new_index;
  auto node = std::make_shared<GroupAggregateNode>(*this);
  node->inputs = {pruned[0].node};
  node->keys = moved(keys, new_input);
  node->calls.clear();
  Needs kept = own;
  std::fill_n(kept.begin(), keys.size(), true);
  std::vector<std::size_t> new_index = keep_needed(kept, [&](std::size_t i) {
    if (i < keys.size()) return;
    AggregateCall& call = node->calls.emplace_back(calls[i - keys.size()]);
    call.arguments = moved(call.arguments, new_input);
    if (call.filter) call.filter = new_input[*call.filter];
  });
  derive_group_schema(*node);
  // Readers above have been told what it is; that it can do better without its calls changes nothing there.
  node->updating = updating;
  return {std::move(node), std::move(new_index)};
}

// The time to live is left out: it may change without losing the groups.
std::string GroupAggregateNode::identity(std::span<const std::vector<std::string>> columns) const {
  const Schema& input = inputs[0]->schema;
  std::string text = "by " + typed_columns(input, columns[0], keys);
  for (const AggregateCall& call : calls) {
    text += call.kind + "(" + typed_columns(input, columns[0], call.arguments) + ")" +
            call.function->result_type().to_string();
    if (call.filter) text += " filter " + columns[0][*call.filter];
  }
  if (inputs[0]->updating) text += " of changes";
  return results == Results::kFinal ? text + " at the end" : text;
}

std::shared_ptr<OperatorNode> GroupAggregateNode::clone() const {
  return std::make_shared<GroupAggregateNode>(*this);
}

std::optional<std::vector<std::size_t>> GroupAggregateNode::upsert_key() const {
  std::vector<std::size_t> columns(keys.size());
  std::iota(columns.begin(), columns.end(), 0);
  return columns;
}

}  // namespace leat::plan
