#include "pipelines/plan/set_operation_node.h"

#include <numeric>
#include <utility>

namespace leat::plan {
namespace {

std::string_view text_of(SetOperator op) {
  switch (op) {
    case SetOperator::kIntersect:
      return "INTERSECT";
    case SetOperator::kIntersectAll:
      return "INTERSECT ALL";
    case SetOperator::kExcept:
      return "EXCEPT";
    case SetOperator::kExceptAll:
      return "EXCEPT ALL";
  }
  return "";
}

bool is_intersection(SetOperator op) {
  return op == SetOperator::kIntersect || op == SetOperator::kIntersectAll;
}

std::vector<std::size_t> all_columns(const Node& node) {
  std::vector<std::size_t> columns(node.schema.size());
  std::iota(columns.begin(), columns.end(), 0);
  return columns;
}

}  // namespace

// What both inputs have and neither takes back stays common.
NodePtr make_set_operation(SetOperator op, NodePtr left, NodePtr right, Micros state_ttl) {
  auto node = std::make_shared<SetOperationNode>();
  node->op = op;
  node->state_ttl = state_ttl;
  node->schema = left->schema;
  for (std::size_t c = 0; c < node->schema.size(); ++c)
    if (right->schema.fields[c].type.nullable())
      node->schema.fields[c].type = node->schema.fields[c].type.with_nullable(true);
  node->time_attributes.assign(node->schema.size(), TimeAttribute::kNone);
  node->updating = left->updating || right->updating || !is_intersection(op);
  node->inputs = {std::move(left), std::move(right)};
  return node;
}

std::string SetOperationNode::line() const {
  std::string text = "SetOperation " + std::string(text_of(op));
  return state_ttl.count() > 0 ? text + " ttl=" + format_duration(state_ttl) : text;
}

// Rows are the same only if all of their columns are.
void SetOperationNode::add_needs(const Needs& own, std::span<Needs> needs) const {
  (void)own;
  for (Needs& input : needs) input.assign(input.size(), true);
}

Pruned SetOperationNode::prune(const Needs& own, std::span<const Pruned> pruned) const {
  (void)own;
  auto node = std::make_shared<SetOperationNode>(*this);
  const Needs all(schema.size(), true);
  node->inputs = {picked(pruned[0], all), picked(pruned[1], all)};
  return {std::move(node), all_columns(*this)};
}

std::string SetOperationNode::identity(std::span<const std::vector<std::string>> columns) const {
  return std::string(text_of(op)) + " " + typed_columns(schema, columns[0]) + "with " +
         typed_columns(schema, columns[1]);
}

std::shared_ptr<OperatorNode> SetOperationNode::clone() const {
  return std::make_shared<SetOperationNode>(*this);
}

std::optional<std::vector<std::size_t>> SetOperationNode::upsert_key() const {
  if (op == SetOperator::kIntersectAll || op == SetOperator::kExceptAll) return std::nullopt;
  return all_columns(*this);
}

}  // namespace leat::plan
