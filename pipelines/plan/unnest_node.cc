#include "pipelines/plan/unnest_node.h"

namespace leat::plan {

std::vector<Type::Field> UnnestNode::element_columns() const {
  const Type& type = collection->type;
  std::vector<Type::Field> columns;
  if (type.kind() == TypeKind::kMap)
    columns = {{"KEY", type.key()}, {"VALUE", type.value()}};
  else if (type.element().kind() == TypeKind::kRow)
    columns = type.element().fields();
  else
    columns = {{"EXPR$0", type.element()}};
  const bool whole_rows = type.kind() == TypeKind::kMap || type.element().kind() != TypeKind::kRow;
  const bool null_rows = ordinality && !whole_rows && type.element().nullable();
  const bool nulls = empty == Empty::kPadded || null_rows;
  for (Type::Field& column : columns)
    if (nulls) column.type = column.type.with_nullable(true);
  if (ordinality) columns.push_back({"ORDINALITY", Type::integer().with_nullable(empty == Empty::kPadded)});
  return columns;
}

void UnnestNode::derive() {
  schema.fields.clear();
  time_attributes.clear();
  for (const std::size_t column : passed) {
    schema.fields.push_back(inputs[0]->schema.fields[column]);
    time_attributes.push_back(inputs[0]->time_attributes[column]);
  }
  for (Type::Field& column : element_columns()) {
    schema.fields.push_back(std::move(column));
    time_attributes.push_back(TimeAttribute::kNone);
  }
  updating = inputs[0]->updating;
}

std::string UnnestNode::line() const {
  std::string text = "Unnest " + to_string(*collection);
  if (ordinality) text += " with ordinality";
  if (condition) text += " on " + to_string(*condition);
  return text + (empty == Empty::kPadded ? " (empty ones padded)" : "");
}

void UnnestNode::add_needs(const Needs& own, std::span<Needs> input_needs) const {
  const Needs all = with_condition(own);
  for (std::size_t i = 0; i < passed.size(); ++i)
    if (all[i]) need(input_needs[0], passed[i]);
  need(input_needs[0], *collection);
}

/// The condition reads what comes out.
Needs UnnestNode::with_condition(Needs own) const {
  if (condition) need(own, *condition);
  return own;
}

Pruned UnnestNode::prune(const Needs& own, std::span<const Pruned> pruned_inputs) const {
  auto copy = std::make_shared<UnnestNode>(*this);
  copy->inputs = {pruned_inputs[0].node};
  copy->collection = remap_columns(collection, pruned_inputs[0].new_index);
  copy->passed.clear();
  Needs kept = with_condition(own);
  for (std::size_t i = passed.size(); i < kept.size(); ++i) kept[i] = true;
  std::vector<std::size_t> new_index = keep_needed(kept, [&](std::size_t i) {
    if (i < passed.size()) copy->passed.push_back(pruned_inputs[0].new_index[passed[i]]);
  });
  if (condition) copy->condition = remap_columns(condition, new_index);
  copy->derive();
  return {std::move(copy), std::move(new_index)};
}

std::vector<std::string> UnnestNode::own_columns(std::span<const std::string> input) const {
  std::vector<std::string> texts;
  for (const std::size_t column : passed) texts.push_back(input[column]);
  for (std::size_t i = passed.size(); i < schema.size(); ++i)
    texts.push_back("element " + std::to_string(i - passed.size()));
  return texts;
}

std::string UnnestNode::identity(std::span<const std::vector<std::string>> columns) const {
  return expr_identity(*collection, columns[0]) + (ordinality ? " with ordinality" : "") +
         (condition ? " on " + expr_identity(*condition, own_columns(columns[0])) : "") +
         (empty == Empty::kPadded ? " padded" : "");
}

std::shared_ptr<OperatorNode> UnnestNode::clone() const {
  return std::make_shared<UnnestNode>(*this);
}

}  // namespace leat::plan
