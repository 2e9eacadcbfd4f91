// Predicate push-down: towards the scans, then into them.
#include <algorithm>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

#include "pipelines/plan/fold.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/plan/rewrite.h"

namespace leat::plan {
namespace {

using Conjuncts = std::vector<ExprPtr>;

/// Conditions in the order of their evaluation, divided by whether they may move.
struct Division {
  Conjuncts moving;
  Conjuncts staying;
};

/// `moved` gives what a condition is below the node, or null if it must not go there. A condition that can
/// fail for a row moves only while all before it move: one of them may be its guard.
Division divide(const Conjuncts& conjuncts, const std::function<ExprPtr(const ExprPtr&)>& moved) {
  Division division;
  for (const ExprPtr& conjunct : conjuncts) {
    const bool guarded = !division.staying.empty() && !is_total(*conjunct);
    ExprPtr below = guarded || !is_deterministic(*conjunct) ? nullptr : moved(conjunct);
    if (below)
      division.moving.push_back(std::move(below));
    else
      division.staying.push_back(conjunct);
  }
  return division;
}

NodePtr filtered(const NodePtr& input, const Conjuncts& conjuncts) {
  return conjuncts.empty() ? input : make_filter(input, conjunction_of(conjuncts));
}

/// How often conditions may be moved in a plan, all steps counted: behind it they stay where they are. A view
/// that reads another one twice, each time under another condition, doubles what is below.
class Moves {
 public:
  bool take() { return left_ > 0 && left_-- > 0; }

 private:
  std::size_t left_ = 10'000;
};

/// What an expression over a projection is below it may be far larger: `s || s` doubles it with each of them.
/// A condition of more parts than these stays above.
constexpr std::size_t kMostPushed = 1'000;

/// Parts of `expr`, where column i counts as `columns[i]` does; counted to
/// `kMostPushed`, and no further.
void count_parts(const Expr& expr, const std::vector<ExprPtr>* columns, std::size_t& parts) {
  if (parts > kMostPushed) return;
  if (expr.kind == ExprKind::kColumn && columns != nullptr)
    return count_parts(*(*columns)[expr.column], nullptr, parts);
  ++parts;
  for (const ExprPtr& child : expr.children) count_parts(*child, columns, parts);
}

bool grows_too_much(const Expr& conjunct, const std::vector<ExprPtr>& columns) {
  std::size_t parts = 0;
  count_parts(conjunct, &columns, parts);
  return parts > kMostPushed;
}

NodePtr push_down(const Conjuncts& conjuncts, const NodePtr& input, Moves& moves);

NodePtr push_below_project(const Conjuncts& conjuncts, const ProjectNode& project, Moves& moves) {
  const Division division = divide(conjuncts, [&](const ExprPtr& conjunct) -> ExprPtr {
    for (const std::size_t column : columns_of(*conjunct))
      if (!is_deterministic(*project.exprs[column])) return nullptr;
    if (grows_too_much(*conjunct, project.exprs)) return nullptr;
    return fold_constants(substitute_columns(conjunct, project.exprs));
  });
  if (division.moving.empty()) return nullptr;
  const NodePtr below = with_inputs(project, {push_down(division.moving, project.inputs[0], moves)});
  return filtered(below, division.staying);
}

/// A session is made of all rows of its key: filtering them earlier would split it.
NodePtr push_below_windows(const Conjuncts& conjuncts, const WindowAssignNode& assign, Moves& moves) {
  if (assign.window.kind == WindowKind::kSession) return nullptr;
  const std::size_t width = assign.inputs[0]->schema.size();
  const Division division = divide(conjuncts, [&](const ExprPtr& conjunct) -> ExprPtr {
    const std::vector<std::size_t> columns = columns_of(*conjunct);
    return columns.empty() || columns.back() >= width ? nullptr : conjunct;
  });
  if (division.moving.empty()) return nullptr;
  const NodePtr below = with_inputs(assign, {push_down(division.moving, assign.inputs[0], moves)});
  return filtered(below, division.staying);
}

NodePtr push_below_union(const Conjuncts& conjuncts, const UnionAllNode& all, Moves& moves) {
  const Division division = divide(conjuncts, [](const ExprPtr& conjunct) { return conjunct; });
  if (division.moving.empty()) return nullptr;
  std::vector<NodePtr> branches;
  for (const NodePtr& input : all.inputs) branches.push_back(push_down(division.moving, input, moves));
  return filtered(with_inputs(all, std::move(branches)), division.staying);
}

NodePtr push_below_filter(const Conjuncts& conjuncts, const FilterNode& filter, Moves& moves) {
  Conjuncts all = conjuncts_of(filter.predicate);
  all.insert(all.end(), conjuncts.begin(), conjuncts.end());
  return push_down(all, filter.inputs[0], moves);
}

NodePtr push_down(const Conjuncts& conjuncts, const NodePtr& input, Moves& moves) {
  NodePtr pushed;
  if (!moves.take()) return filtered(input, conjuncts);
  if (input->kind == NodeKind::kProject)
    pushed = push_below_project(conjuncts, static_cast<const ProjectNode&>(*input), moves);
  else if (input->kind == NodeKind::kWindowAssign)
    pushed = push_below_windows(conjuncts, static_cast<const WindowAssignNode&>(*input), moves);
  else if (input->kind == NodeKind::kUnionAll)
    pushed = push_below_union(conjuncts, static_cast<const UnionAllNode&>(*input), moves);
  else if (input->kind == NodeKind::kFilter)
    pushed = push_below_filter(conjuncts, static_cast<const FilterNode&>(*input), moves);
  return pushed ? pushed : filtered(input, conjuncts);
}

// ---- Into the scans --------------------------------------------------------------------------------------

/// The conditions of one reader of a scan, by text, in order.
using Reader = std::vector<std::pair<std::string, ExprPtr>>;

bool asks_for(const Reader& reader, const std::string& key) {
  return std::ranges::any_of(reader, [&](const auto& condition) { return condition.first == key; });
}

/// True if all conditions of the reader before `key`, which may guard it, are taken into the scan, too.
bool guards_are_taken(const Reader& reader, const std::string& key,
                      const std::map<std::string, ExprPtr>& taken) {
  for (const auto& [text, expr] : reader) {
    if (text == key) return true;
    if (!taken.contains(text)) return false;
  }
  return true;
}

/// Conditions that all readers ask for, in the order of the first.
Conjuncts common_conjuncts(const std::vector<Reader>& readers) {
  Conjuncts common;
  std::map<std::string, ExprPtr> taken;
  for (const auto& [key, expr] : readers[0]) {
    const auto wanted = [&, &key = key, &expr = expr](const Reader& reader) {
      return asks_for(reader, key) && (is_total(*expr) || guards_are_taken(reader, key, taken));
    };
    if (taken.contains(key) || !is_deterministic(*expr) || !std::ranges::all_of(readers, wanted)) continue;
    taken[key] = expr;
    common.push_back(expr);
  }
  return common;
}

Reader reader_of(const Node& node) {
  Reader reader;
  if (node.kind != NodeKind::kFilter) return reader;
  for (const ExprPtr& conjunct : conjuncts_of(static_cast<const FilterNode&>(node).predicate))
    reader.emplace_back(identity_of(*conjunct), conjunct);
  return reader;
}

NodePtr without(const FilterNode& filter, const Conjuncts& taken) {
  Conjuncts rest;
  for (const ExprPtr& conjunct : conjuncts_of(filter.predicate)) {
    const auto same = [&](const ExprPtr& other) { return identity_of(*other) == identity_of(*conjunct); };
    if (std::ranges::none_of(taken, same)) rest.push_back(conjunct);
  }
  return filtered(filter.inputs[0], rest);
}

}  // namespace

void push_filters(Plan& plan) {
  Moves moves;
  rewrite_nodes(plan, [&moves](const NodePtr& node) -> NodePtr {
    if (node->kind != NodeKind::kFilter) return nullptr;
    const auto& filter = static_cast<const FilterNode&>(*node);
    return push_down(conjuncts_of(filter.predicate), filter.inputs[0], moves);
  });
}

void push_into_scans(Plan& plan) {
  std::unordered_map<const Node*, std::vector<Reader>> readers;
  for_each_node(plan, [&](const NodePtr& node) {
    for (const NodePtr& input : node->inputs)
      if (input->kind == NodeKind::kScan) readers[input.get()].push_back(reader_of(*node));
  });
  std::unordered_map<const Node*, Conjuncts> taken;  // By the rewritten scan.
  rewrite_nodes(plan, [&](const NodePtr& node) -> NodePtr {
    if (node->kind == NodeKind::kScan) {
      const Conjuncts common = common_conjuncts(readers.at(node.get()));
      if (common.empty()) return nullptr;
      auto scan = std::make_shared<ScanNode>(static_cast<const ScanNode&>(*node));
      scan->filter = conjunction_of(common);
      taken[scan.get()] = common;
      return scan;
    }
    if (node->kind != NodeKind::kFilter || !taken.contains(node->inputs[0].get())) return nullptr;
    return without(static_cast<const FilterNode&>(*node), taken.at(node->inputs[0].get()));
  });
}

}  // namespace leat::plan
