#include "pipelines/plan/match_node.h"

#include <algorithm>

namespace leat::plan {
namespace {

void need_references(Needs& needs, const MatchReferences& refers) {
  for (const MatchReference& reference : refers.references)
    if (reference.kind == MatchReference::Kind::kColumn) need(needs, reference.column);
  for (const AggregateCall& call : refers.aggregates) need(needs, call.arguments);
}

void move_references(MatchReferences& refers, std::span<const std::size_t> new_index) {
  for (MatchReference& reference : refers.references)
    if (reference.kind == MatchReference::Kind::kColumn) reference.column = new_index[reference.column];
  for (AggregateCall& call : refers.aggregates) call.arguments = moved(call.arguments, new_index);
}

std::string reference_text(const MatchReference& reference, const MatchReferences& refers,
                           const Schema& input, std::span<const std::string> columns) {
  std::string text = std::to_string(static_cast<int>(reference.kind)) + "/" +
                     std::to_string(reference.variables) +
                     (reference.from == MatchReference::From::kFirst ? " first " : " last ") +
                     std::to_string(reference.offset) + " " + std::to_string(reference.physical);
  if (reference.kind == MatchReference::Kind::kColumn) text += " " + columns[reference.column];
  if (reference.kind == MatchReference::Kind::kAggregate) {
    const AggregateCall& call = refers.aggregates[reference.aggregate];
    text += " " + call.kind + "(" + typed_columns(input, columns, call.arguments) + ")";
  }
  return text;
}

}  // namespace

bool MatchNode::counts_matches() const {
  return std::ranges::any_of(measured.references, [](const MatchReference& reference) {
    return reference.kind == MatchReference::Kind::kNumber;
  });
}

std::string MatchNode::line() const {
  const Schema& input = inputs[0]->schema;
  std::string text = "Match(" + pattern + ")";
  if (!partition_by.empty()) text += " by " + names_of(input, partition_by);
  text += " order " + input.fields[time_column].name;
  if (within) text += " within " + format_duration(*within);
  if (rows == RowsPerMatch::kAll) text += " all rows";
  return text;
}

void MatchNode::add_needs(const Needs& own, std::span<Needs> needs) const {
  (void)own;
  need(needs[0], partition_by);
  need(needs[0], time_column);
  for (const MatchSortKey& key : order_by) need(needs[0], key.column);
  const std::size_t width = needs[0].size();
  for (const MatchVariable& variable : variables) {
    if (variable.row_condition) need(needs[0], *variable.row_condition);
    if (!variable.condition) continue;
    for (const std::size_t column : columns_of(*variable.condition))
      if (column < width) need(needs[0], column);
  }
  need_references(needs[0], conditions);
  need_references(needs[0], measured);
  for (const MatchOutput& output : outputs)
    if (output.kind == MatchOutput::Kind::kColumn) need(needs[0], output.index);
}

Pruned MatchNode::prune(const Needs& own, std::span<const Pruned> pruned) const {
  const std::vector<std::size_t>& new_index = pruned[0].new_index;
  auto node = std::make_shared<MatchNode>(*this);
  node->inputs = {pruned[0].node};
  node->partition_by = moved(partition_by, new_index);
  node->time_column = new_index[time_column];
  for (MatchSortKey& key : node->order_by) key.column = new_index[key.column];
  std::vector<std::size_t> condition_index = new_index;
  for (std::size_t r = 0; r < conditions.references.size(); ++r)
    condition_index.push_back(pruned[0].node->schema.size() + r);
  for (MatchVariable& variable : node->variables) {
    if (variable.row_condition) variable.row_condition = new_index[*variable.row_condition];
    if (variable.condition) variable.condition = remap_columns(variable.condition, condition_index);
  }
  move_references(node->conditions, new_index);
  move_references(node->measured, new_index);
  for (MatchOutput& output : node->outputs)
    if (output.kind == MatchOutput::Kind::kColumn) output.index = new_index[output.index];
  std::vector<std::size_t> same(own.size());
  for (std::size_t i = 0; i < same.size(); ++i) same[i] = i;
  return {std::move(node), std::move(same)};
}

// Measures are left out: they may change without losing the partial matches, but the columns that are kept
// of each row may not.
std::string MatchNode::identity(std::span<const std::vector<std::string>> columns) const {
  const Schema& input = inputs[0]->schema;
  std::string text =
      pattern + " by " + typed_columns(input, columns[0], partition_by) + "order " + columns[0][time_column];
  for (const MatchSortKey& key : order_by)
    text += ", " + columns[0][key.column] +
            (key.direction == MatchSortKey::Direction::kAscending ? " up" : " down") +
            (key.nulls == MatchSortKey::Nulls::kFirst ? " nulls first" : " nulls last");
  if (within) text += " within " + std::to_string(within->count());
  text += " skip " + std::to_string(static_cast<int>(skip)) + "/" + std::to_string(skip_to);
  std::vector<std::string> names = columns[0];
  for (const MatchReference& reference : conditions.references)
    names.push_back(reference_text(reference, conditions, input, columns[0]));
  for (const MatchVariable& variable : variables) {
    text += "; " + variable.name;
    if (variable.row_condition) text += " " + columns[0][*variable.row_condition];
    if (variable.condition) text += " " + expr_identity(*variable.condition, names);
  }
  return text + "; keeps " + typed_columns(input, columns[0]);
}

std::shared_ptr<OperatorNode> MatchNode::clone() const {
  return std::make_shared<MatchNode>(*this);
}

}  // namespace leat::plan
