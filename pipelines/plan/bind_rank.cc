#include "pipelines/plan/bind_rank.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "pipelines/plan/node_build.h"
#include "pipelines/plan/ordered_over_node.h"
#include "pipelines/plan/over_node.h"
#include "pipelines/plan/rank_node.h"

namespace leat::plan {
namespace {

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

/// The numbers that conditions leave.
struct Bounds {
  std::int64_t first = 1;
  std::int64_t last = kNoLimit;
};

/// True if the node's only own column is the number of the row in its partition, and nothing bounds it yet.
bool numbers_all(const Node& node) {
  if (node.kind == NodeKind::kRank || node.kind == NodeKind::kWindowRank) {
    const RankRange& range = static_cast<const NumberingNode&>(node).range;
    return range.first == 1 && !range.last;
  }
  if (node.kind == NodeKind::kOverBatch) {
    const auto& batch = static_cast<const OverBatchNode&>(node);
    return batch.calls.size() == 1 && batch.calls[0].kind == OrderedOverCall::Kind::kRowNumber;
  }
  if (node.kind != NodeKind::kOver) return false;
  const auto& over = static_cast<const OverNode&>(node);
  return over.calls.size() == 1 && over.calls[0].call.kind == "ROW_NUMBER";
}

/// The way from a node down to the one that numbers, over projections and filters only; empty: there is none.
std::vector<NodePtr> way_to_numbering(const NodePtr& top) {
  std::vector<NodePtr> way;
  for (NodePtr node = top;; node = node->inputs[0]) {
    way.push_back(node);
    if (numbers_all(*node)) return way;
    if (node->kind != NodeKind::kProject && node->kind != NodeKind::kFilter) return {};
  }
}

/// True if `column` of the first node of `way` is the number.
bool is_number(const std::vector<NodePtr>& way, std::size_t column) {
  for (const NodePtr& node : way) {
    if (node->kind == NodeKind::kFilter) continue;
    if (node->kind != NodeKind::kProject)
      return column == static_cast<const PassingNode&>(*node).passed.size();
    const Expr& expr = *static_cast<const ProjectNode&>(*node).exprs[column];
    if (expr.kind != ExprKind::kColumn) return false;
    column = expr.column;
  }
  return false;
}

std::optional<std::int64_t> whole_number(const Expr& expr) {
  if (expr.kind != ExprKind::kLiteral || expr.literal.is_null() || !expr.type.is_integer())
    return std::nullopt;
  return expr.literal.as_integer();
}

std::string_view mirrored(std::string_view comparison) {
  if (comparison == "<") return ">";
  if (comparison == "<=") return ">=";
  if (comparison == ">") return "<";
  if (comparison == ">=") return "<=";
  return comparison;
}

/// Narrows `bounds` by `number comparison value`; false: it is no bound.
bool narrow(Bounds& bounds, std::string_view comparison, std::int64_t value) {
  const bool equal = comparison == "=";
  if (!equal && comparison != "<" && comparison != "<=" && comparison != ">" && comparison != ">=")
    return false;
  if (comparison == "<" && value > 0) --value;
  if (comparison == ">" && value < kNoLimit) ++value;
  if (equal || comparison[0] == '>') bounds.first = std::max(bounds.first, value);
  if (equal || comparison[0] == '<') bounds.last = std::min(bounds.last, value);
  return true;
}

bool take_bound(const Expr& conjunct, const std::vector<NodePtr>& way, Bounds& bounds) {
  if (conjunct.kind != ExprKind::kCall || conjunct.children.size() != 2) return false;
  const Expr& left = *conjunct.children[0];
  const Expr& right = *conjunct.children[1];
  const auto is_rank = [&](const Expr& e) { return e.kind == ExprKind::kColumn && is_number(way, e.column); };
  if (is_rank(left))
    if (const auto value = whole_number(right)) return narrow(bounds, conjunct.name, *value);
  if (is_rank(right))
    if (const auto value = whole_number(left)) return narrow(bounds, mirrored(conjunct.name), *value);
  return false;
}

// ---- The node that takes the bounds ----------------------------------------------------------------------

std::shared_ptr<RankNode> rank_over(const PassingNode& over, const std::vector<std::size_t>& partition_by,
                                    std::vector<SortKey> order) {
  auto rank = std::make_shared<RankNode>();
  rank->inputs = over.inputs;
  rank->passed = over.passed;
  rank->partition_by = partition_by;
  rank->order = std::move(order);
  return rank;
}

std::shared_ptr<NumberingNode> numbering_of(const Node& node) {
  if (node.kind == NodeKind::kOverBatch) {
    const auto& over = static_cast<const OverBatchNode&>(node);
    std::vector<SortKey> order = over.order;
    if (over.arrival) order.push_back({*over.arrival, SortDirection::kAscending, NullPlace::kFirst});
    return rank_over(over, over.partition_by, std::move(order));
  }
  if (node.kind != NodeKind::kOver)
    return std::static_pointer_cast<NumberingNode>(as_operator_node(node).clone());
  const auto& over = static_cast<const OverNode&>(node);
  auto rank =
      rank_over(over, over.partition_by, {{over.time_column, SortDirection::kAscending, NullPlace::kFirst}});
  rank->state_ttl = over.state_ttl;
  return rank;
}

/// The single time attribute by which a rank orders its insert-only input, or none.
std::optional<std::size_t> time_order(const NumberingNode& node) {
  if (node.kind != NodeKind::kRank || node.order.size() != 1 || node.inputs[0]->updating) return std::nullopt;
  const std::size_t column = node.order[0].column;
  if (node.inputs[0]->time_attributes[column] == TimeAttribute::kNone) return std::nullopt;
  return column;
}

NodePtr deduplicate_of(const RankNode& rank, std::size_t time_column) {
  auto node = std::make_shared<DeduplicateNode>();
  node->inputs = rank.inputs;
  node->passed = rank.passed;
  node->partition_by = rank.partition_by;
  node->time_column = time_column;
  node->state_ttl = rank.state_ttl;
  node->time = rank.inputs[0]->time_attributes[time_column];
  node->keep = rank.order[0].direction == SortDirection::kAscending ? DeduplicateNode::Keep::kFirst
                                                                    : DeduplicateNode::Keep::kLast;
  node->derive_schema();
  return node;
}

bool keeps_last_of_window(const NumberingNode& node, const Bounds& bounds) {
  return node.kind == NodeKind::kWindowRank && bounds.last == 1 && node.order.size() == 1 &&
         node.order[0].direction == SortDirection::kDescending &&
         is_window_time_column(*node.inputs[0], node.order[0].column);
}

NodePtr bounded(const Node& numbering, const Bounds& bounds) {
  const std::shared_ptr<NumberingNode> node = numbering_of(numbering);
  if (bounds.last == 1)
    if (const auto time = time_order(*node))
      return deduplicate_of(static_cast<const RankNode&>(*node), *time);
  if (keeps_last_of_window(*node, bounds))
    static_cast<WindowRankNode&>(*node).ties = WindowRankNode::Ties::kLastArrival;
  node->range = {bounds.first, bounds.last};
  node->gives_number = bounds.first != bounds.last;
  node->derive_schema();
  return node;
}

/// `bounded` with the columns of the node that it replaces: a number that can only be one is a constant.
NodePtr replaced(const Node& numbering, const Bounds& bounds) {
  NodePtr node = bounded(numbering, bounds);
  std::vector<ExprPtr> exprs;
  for (std::size_t i = 0; i < node->schema.size(); ++i) exprs.push_back(column_of(*node, i));
  const std::vector<Type::Field>& fields = numbering.schema.fields;
  if (exprs.size() < fields.size())
    exprs.push_back(make_literal(fields.back().type, Value::integer(bounds.first)));
  std::vector<std::string> names;
  for (const Type::Field& field : fields) names.push_back(field.name);
  return make_project(std::move(node), std::move(exprs), names);
}

NodePtr rebuilt(const std::vector<NodePtr>& way, const Bounds& bounds) {
  NodePtr node = replaced(*way.back(), bounds);
  for (auto above = way.rbegin() + 1; above != way.rend(); ++above) {
    if ((*above)->kind == NodeKind::kFilter) {
      node = make_filter(node, static_cast<const FilterNode&>(**above).predicate);
      continue;
    }
    std::vector<std::string> names;
    for (const Type::Field& field : (*above)->schema.fields) names.push_back(field.name);
    node = make_project(node, static_cast<const ProjectNode&>(**above).exprs, names);
  }
  return node;
}

}  // namespace

NodePtr filter_ranked(NodePtr input, const ExprPtr& predicate) {
  const std::vector<NodePtr> way = way_to_numbering(input);
  if (way.empty()) return make_filter(std::move(input), predicate);
  Bounds bounds;
  std::vector<ExprPtr> others;
  for (const ExprPtr& conjunct : conjuncts_of(predicate))
    if (!take_bound(*conjunct, way, bounds)) others.push_back(conjunct);
  if (bounds.last == kNoLimit || bounds.first > bounds.last) return make_filter(std::move(input), predicate);
  NodePtr node = rebuilt(way, bounds);
  return others.empty() ? node : make_filter(std::move(node), conjunction_of(others));
}

bool is_window_time_column(const Node& node, std::size_t column) {
  if (node.kind == NodeKind::kFilter) return is_window_time_column(*node.inputs[0], column);
  if (node.kind == NodeKind::kProject) {
    const Expr& expr = *static_cast<const ProjectNode&>(node).exprs[column];
    return expr.kind == ExprKind::kColumn && is_window_time_column(*node.inputs[0], expr.column);
  }
  if (node.kind == NodeKind::kWindowAssign) {
    const WindowSpec& window = static_cast<const WindowAssignNode&>(node).window;
    const std::size_t window_time = node.inputs[0]->schema.size() + 2;
    return column == window.time_column || column == window_time;
  }
  return node.time_attributes[column] == TimeAttribute::kRowTime;
}

}  // namespace leat::plan
