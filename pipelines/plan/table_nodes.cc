#include "pipelines/plan/table_nodes.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace leat::plan {
namespace {

/// Takes schema and times of its input.
template <class NodeType>
std::shared_ptr<NodeType> over(NodePtr input) {
  auto node = std::make_shared<NodeType>();
  node->schema = input->schema;
  node->time_attributes = input->time_attributes;
  node->inputs = {std::move(input)};
  return node;
}

void need_all(std::span<Needs> inputs) {
  inputs[0].assign(inputs[0].size(), true);
}

/// All columns are kept, so nothing moves.
template <class NodeType>
Pruned over_pruned(const NodeType& node, const Pruned& input) {
  auto copy = std::make_shared<NodeType>(node);
  copy->inputs = {picked(input, Needs(node.schema.size(), true))};
  std::vector<std::size_t> same(node.schema.size());
  for (std::size_t i = 0; i < same.size(); ++i) same[i] = i;
  return {std::move(copy), std::move(same)};
}

}  // namespace

NodePtr make_final_rows(NodePtr input) {
  return over<FinalRowsNode>(std::move(input));
}

NodePtr make_upsert(NodePtr input, UpsertForm form, std::vector<std::size_t> keys) {
  auto node = over<UpsertNode>(std::move(input));
  node->form = form;
  node->keys = std::move(keys);
  // Of rows that only come, those that are let through only come, too.
  const bool first = form == UpsertForm::kFirst || form == UpsertForm::kOnly;
  node->updating = !first || node->inputs[0]->updating;
  return node;
}

// ---- FinalRows -------------------------------------------------------------------------------------------

void FinalRowsNode::add_needs(const Needs& own, std::span<Needs> needs) const {
  (void)own;
  need_all(needs);
}

Pruned FinalRowsNode::prune(const Needs& own, std::span<const Pruned> pruned) const {
  (void)own;
  return over_pruned(*this, pruned[0]);
}

std::string FinalRowsNode::identity(std::span<const std::vector<std::string>> columns) const {
  return typed_columns(schema, columns[0]);
}

std::shared_ptr<OperatorNode> FinalRowsNode::clone() const {
  return std::make_shared<FinalRowsNode>(*this);
}

// ---- Upsert ----------------------------------------------------------------------------------------------

namespace {
std::string_view name_of(UpsertForm form) {
  switch (form) {
    case UpsertForm::kSameKey:
      return "Upsert";
    case UpsertForm::kMaterialize:
      return "UpsertMaterialize";
    case UpsertForm::kFirst:
      return "UpsertFirst";
    case UpsertForm::kOnly:
      return "UpsertOnly";
  }
  return {};
}
}  // namespace

std::string UpsertNode::line() const {
  return std::string(name_of(form)) + "(" + names_of(schema, keys) + ")";
}

void UpsertNode::add_needs(const Needs& own, std::span<Needs> needs) const {
  (void)own;
  need_all(needs);
}

Pruned UpsertNode::prune(const Needs& own, std::span<const Pruned> pruned) const {
  (void)own;
  return over_pruned(*this, pruned[0]);
}

std::string UpsertNode::identity(std::span<const std::vector<std::string>> columns) const {
  const std::string text =
      typed_columns(schema, columns[0]) + "by " + typed_columns(schema, columns[0], keys);
  const bool first = form == UpsertForm::kFirst || form == UpsertForm::kOnly;
  return first ? text + "first" : text;
}

std::shared_ptr<OperatorNode> UpsertNode::clone() const {
  return std::make_shared<UpsertNode>(*this);
}

// ---- Keys ------------------------------------------------------------------------------------------------

namespace {

/// The column whose value an expression gives on, as it is or not at all; none: it makes another one.
std::optional<std::size_t> passed_column(const Expr& expr) {
  if (expr.kind == ExprKind::kColumn) return expr.column;
  const bool checks =
      expr.kind == ExprKind::kCall && (expr.name == "NOT_NULL" || expr.name.starts_with("FITTING "));
  return checks ? passed_column(*expr.children[0]) : std::nullopt;
}

/// A key survives a projection if all of its columns do.
std::optional<std::vector<std::size_t>> projected_key(const ProjectNode& project,
                                                      const std::vector<std::size_t>& below) {
  std::vector<std::size_t> key;
  for (const std::size_t column : below) {
    const auto passes = [&](const ExprPtr& expr) { return passed_column(*expr) == column; };
    const auto found = std::ranges::find_if(project.exprs, passes);
    if (found == project.exprs.end()) return std::nullopt;
    key.push_back(static_cast<std::size_t>(found - project.exprs.begin()));
  }
  return key;
}

std::vector<std::vector<std::size_t>> projected_keys(const ProjectNode& project) {
  std::vector<std::vector<std::size_t>> keys;
  for (const std::vector<std::size_t>& below : upsert_keys_of(*project.inputs[0]))
    if (auto key = projected_key(project, below)) keys.push_back(*std::move(key));
  return keys;
}

/// There is one row per window and key, and any property names the window.
std::vector<std::vector<std::size_t>> window_keys(const WindowAggregateNode& aggregate) {
  std::vector<std::vector<std::size_t>> keys;
  if (!aggregate.emit) return keys;
  for (std::size_t i = 0; i < aggregate.properties.size(); ++i) {
    std::vector<std::size_t>& key = keys.emplace_back(aggregate.keys.size());
    std::iota(key.begin(), key.end(), 0);
    key.push_back(aggregate.keys.size() + aggregate.calls.size() + i);
  }
  return keys;
}

}  // namespace

std::vector<std::vector<std::size_t>> upsert_keys_of(const Node& node) {
  if (node.kind == NodeKind::kWindowAggregate)
    return window_keys(static_cast<const WindowAggregateNode&>(node));
  if (node.kind == NodeKind::kProject) return projected_keys(static_cast<const ProjectNode&>(node));
  if (node.kind == NodeKind::kFilter) return upsert_keys_of(*node.inputs[0]);
  const auto key = is_operator_node(node) ? as_operator_node(node).upsert_key() : std::nullopt;
  if (!key) return {};
  return {*key};
}

}  // namespace leat::plan
