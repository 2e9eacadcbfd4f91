// Folds a window table function into the aggregate that reads it, so that a row goes into its slice at once
// and is never copied per window.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "pipelines/plan/node_build.h"
#include "pipelines/plan/rewrite.h"

namespace leat::plan {
namespace {

/// What the aggregate reads, as expressions over the window assignment.
struct View {
  const WindowAggregateNode& aggregate;
  const WindowAssignNode& assign;
  const ProjectNode* project = nullptr;  ///< Between the two; null: none.

  [[nodiscard]] ExprPtr expr(std::size_t column) const {
    return project ? project->exprs[column] : column_of(assign, column);
  }
  /// Columns behind these are the window's own.
  [[nodiscard]] std::size_t width() const { return assign.inputs[0]->schema.size(); }
};

std::vector<std::size_t> columns_read(const WindowAggregateNode& aggregate) {
  std::vector<std::size_t> columns = aggregate.keys;
  for (const AggregateCall& call : aggregate.calls) {
    columns.insert(columns.end(), call.arguments.begin(), call.arguments.end());
    if (call.filter) columns.push_back(*call.filter);
  }
  return columns;
}

bool reads_windows(const View& view, std::size_t column) {
  const std::vector<std::size_t> columns = columns_of(*view.expr(column));
  return !columns.empty() && columns.back() >= view.width();
}

/// A session's own partition must be the aggregate's keys: other keys would make other sessions.
bool same_partition(const View& view) {
  std::vector<std::size_t> keys;
  for (const std::size_t key : view.aggregate.keys) {
    const ExprPtr expr = view.expr(key);
    if (expr->kind != ExprKind::kColumn) return false;
    keys.push_back(expr->column);
  }
  std::vector<std::size_t> partition = view.assign.window.partition_by;
  std::ranges::sort(keys);
  std::ranges::sort(partition);
  return keys == partition;
}

bool may_fold(const View& view) {
  const std::pair<std::size_t, std::size_t> attached = *view.aggregate.attached;
  const auto is_column = [&](std::size_t column, std::size_t wanted) {
    const ExprPtr expr = view.expr(column);
    return expr->kind == ExprKind::kColumn && expr->column == wanted;
  };
  if (!is_column(attached.first, view.width()) || !is_column(attached.second, view.width() + 1)) return false;
  for (const std::size_t column : columns_read(view.aggregate))
    if (reads_windows(view, column)) return false;
  return view.assign.window.kind != WindowKind::kSession || same_partition(view);
}

/// Collects what the folded aggregate reads into one projection over the assignment's input.
class FoldedInput {
 public:
  explicit FoldedInput(const View& view) : view_(view) {}

  /// A column that the aggregate reads, once however often it does.
  std::size_t add(std::size_t column) {
    const auto [place, is_new] = places_.try_emplace(column, exprs_.size());
    if (is_new) append(view_.expr(column), view_.aggregate.inputs[0]->schema.fields[column].name);
    return place->second;
  }
  std::size_t add_input(std::size_t column) {
    const Node& input = *view_.assign.inputs[0];
    append(column_of(input, column), input.schema.fields[column].name);
    return exprs_.size() - 1;
  }
  NodePtr build() { return make_project(view_.assign.inputs[0], std::move(exprs_), names_); }

 private:
  void append(ExprPtr expr, const std::string& name) {
    exprs_.push_back(std::move(expr));
    names_.push_back(name);
  }

  const View& view_;  // Lives as long as `fold`.
  std::map<std::size_t, std::size_t> places_;
  std::vector<ExprPtr> exprs_;
  std::vector<std::string> names_;
};

NodePtr fold(const View& view) {
  auto folded = std::make_shared<WindowAggregateNode>(view.aggregate);
  FoldedInput input(view);
  for (std::size_t& key : folded->keys) key = input.add(key);
  for (AggregateCall& call : folded->calls) {
    for (std::size_t& argument : call.arguments) argument = input.add(argument);
    if (call.filter) call.filter = input.add(*call.filter);
  }
  folded->attached.reset();
  folded->window = view.assign.window;
  folded->window.time_column = input.add_input(view.assign.window.time_column);
  for (std::size_t& column : folded->window.partition_by) column = input.add_input(column);
  folded->inputs = {input.build()};
  return folded;
}

NodePtr folded_or_null(const NodePtr& node) {
  if (node->kind != NodeKind::kWindowAggregate) return nullptr;
  const auto& aggregate = static_cast<const WindowAggregateNode&>(*node);
  if (!aggregate.attached) return nullptr;
  const Node* below = node->inputs[0].get();
  const ProjectNode* project = nullptr;
  if (below->kind == NodeKind::kProject) {
    project = static_cast<const ProjectNode*>(below);
    below = below->inputs[0].get();
  }
  if (below->kind != NodeKind::kWindowAssign) return nullptr;
  const View view{aggregate, static_cast<const WindowAssignNode&>(*below), project};
  return may_fold(view) ? fold(view) : nullptr;
}

}  // namespace

void fold_windows(Plan& plan) {
  rewrite_nodes(plan, folded_or_null);
}

}  // namespace leat::plan
