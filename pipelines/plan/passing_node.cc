#include "pipelines/plan/passing_node.h"

#include <numeric>

namespace leat::plan {

void PassingNode::add_needs(const Needs& own, std::span<Needs> needs) const {
  for (std::size_t i = 0; i < passed.size(); ++i)
    if (own[i]) needs[0][passed[i]] = true;
  add_own_needs(Needs(own.begin() + static_cast<std::ptrdiff_t>(passed.size()), own.end()), needs[0]);
}

Pruned PassingNode::prune(const Needs& own, std::span<const Pruned> pruned_inputs) const {
  const Pruned& input = pruned_inputs[0];
  const auto copy = std::static_pointer_cast<PassingNode>(clone());
  copy->inputs = {input.node};
  copy->passed.clear();
  std::vector<std::size_t> new_index = keep_needed(own, [&](std::size_t i) {
    if (i < passed.size()) copy->passed.push_back(input.new_index[passed[i]]);
  });
  copy->move_own(Needs(own.begin() + static_cast<std::ptrdiff_t>(passed.size()), own.end()), input.new_index);
  copy->derive_schema();
  return {copy, std::move(new_index)};
}

std::string PassingNode::identity(std::span<const std::vector<std::string>> columns) const {
  return own_identity(columns[0]) + " of " + typed_columns(inputs[0]->schema, columns[0]);
}

void PassingNode::pass_all() {
  passed.resize(inputs[0]->schema.size());
  std::iota(passed.begin(), passed.end(), 0);
  derive_schema();
}

void PassingNode::derive_schema() {
  schema.fields.clear();
  time_attributes.clear();
  for (const std::size_t column : passed) {
    schema.fields.push_back(inputs[0]->schema.fields[column]);
    time_attributes.push_back(inputs[0]->time_attributes[column]);
  }
  for (Type::Field& field : own_columns()) {
    schema.fields.push_back(std::move(field));
    time_attributes.push_back(TimeAttribute::kNone);
  }
  updating = makes_updates();
}

std::string sort_text(std::span<const SortKey> keys, std::span<const std::string> columns) {
  std::string text;
  for (const SortKey& key : keys) {
    const bool ascending = key.direction == SortDirection::kAscending;
    text += (text.empty() ? "" : ", ") + columns[key.column] + (ascending ? " ASC" : " DESC");
    if (ascending != (key.nulls == NullPlace::kFirst))
      text += key.nulls == NullPlace::kFirst ? " NULLS FIRST" : " NULLS LAST";
  }
  return text;
}

std::vector<std::string> column_names(const Schema& schema) {
  std::vector<std::string> names;
  for (const Type::Field& field : schema.fields) names.push_back(field.name);
  return names;
}

void need(Needs& needs, std::span<const SortKey> keys) {
  for (const SortKey& key : keys) needs[key.column] = true;
}

void move_keys(std::vector<SortKey>& keys, std::span<const std::size_t> new_index) {
  for (SortKey& key : keys) key.column = new_index[key.column];
}

}  // namespace leat::plan
