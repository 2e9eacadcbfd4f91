// Merging projections.
#include <algorithm>
#include <utility>

#include "pipelines/plan/fold.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/plan/rewrite.h"

namespace leat::plan {
namespace {

bool is_cheap(const Expr& expr) {
  return expr.kind == ExprKind::kColumn || expr.kind == ExprKind::kLiteral;
}

void count_uses(const Expr& expr, std::vector<std::size_t>& uses) {
  if (expr.kind == ExprKind::kColumn) ++uses[expr.column];
  for (const ExprPtr& child : expr.children) count_uses(*child, uses);
}

/// Inlining must neither compute a thing twice nor draw a random number twice.
bool may_merge(const ProjectNode& outer, const ProjectNode& inner) {
  std::vector<std::size_t> uses(inner.exprs.size());
  for (const ExprPtr& expr : outer.exprs) count_uses(*expr, uses);
  for (std::size_t i = 0; i < uses.size(); ++i)
    if (uses[i] > 1 && !is_cheap(*inner.exprs[i])) return false;
  return true;
}

NodePtr merge(const ProjectNode& outer, const ProjectNode& inner) {
  auto merged = std::make_shared<ProjectNode>(outer);
  for (ExprPtr& expr : merged->exprs) expr = fold_constants(substitute_columns(expr, inner.exprs));
  merged->inputs = inner.inputs;
  return merged;
}

bool is_identity(const ProjectNode& project) {
  const Node& input = *project.inputs[0];
  if (project.exprs.size() != input.schema.size()) return false;
  for (std::size_t i = 0; i < project.exprs.size(); ++i)
    if (project.exprs[i]->kind != ExprKind::kColumn || project.exprs[i]->column != i) return false;
  return true;
}

/// `node`, whose columns are given on under the names of `outer`: so the errors of its rows call them.
NodePtr renamed(const NodePtr& node, const Schema& outer) {
  if (node->kind != NodeKind::kProject) return node;
  auto copy = std::make_shared<ProjectNode>(static_cast<const ProjectNode&>(*node));
  bool same = true;
  for (std::size_t i = 0; i < outer.size(); ++i) {
    std::string& name = copy->schema.fields[i].name;
    same = same && name == outer.fields[i].name;
    name = outer.fields[i].name;
  }
  return same ? node : copy;
}

bool picks_columns(const ProjectNode& project) {
  return std::ranges::all_of(project.exprs, [](const ExprPtr& e) { return e->kind == ExprKind::kColumn; });
}

/// A window aggregate reads its columns by index: a projection that only picks and orders them is no work.
NodePtr absorb(const WindowAggregateNode& aggregate, const ProjectNode& project) {
  auto copy = std::make_shared<WindowAggregateNode>(aggregate);
  const auto below = [&](std::size_t column) { return project.exprs[column]->column; };
  for (std::size_t& key : copy->keys) key = below(key);
  for (AggregateCall& call : copy->calls) {
    for (std::size_t& argument : call.arguments) argument = below(argument);
    if (call.filter) call.filter = below(*call.filter);
  }
  if (copy->attached)
    copy->attached = std::pair(below(copy->attached->first), below(copy->attached->second));
  else
    copy->window.time_column = below(copy->window.time_column);
  for (std::size_t& column : copy->window.partition_by) column = below(column);
  copy->inputs = project.inputs;
  return copy;
}

NodePtr simplified(const NodePtr& node) {
  const Node* input = node->inputs.empty() ? nullptr : node->inputs[0].get();
  if (node->kind == NodeKind::kWindowAggregate && input->kind == NodeKind::kProject) {
    const auto& project = static_cast<const ProjectNode&>(*input);
    if (picks_columns(project)) return absorb(static_cast<const WindowAggregateNode&>(*node), project);
  }
  if (node->kind != NodeKind::kProject) return nullptr;
  const auto& outer = static_cast<const ProjectNode&>(*node);
  if (is_identity(outer)) return renamed(node->inputs[0], outer.schema);
  if (input->kind != NodeKind::kProject) return nullptr;
  const auto& inner = static_cast<const ProjectNode&>(*input);
  if (!may_merge(outer, inner)) return nullptr;
  const NodePtr merged = merge(outer, inner);
  return is_identity(static_cast<const ProjectNode&>(*merged)) ? renamed(merged->inputs[0], merged->schema)
                                                               : merged;
}

}  // namespace

void merge_projects(Plan& plan) {
  rewrite_nodes(plan, simplified);
}

}  // namespace leat::plan
