#include "pipelines/plan/rewrite.h"

#include <memory>
#include <unordered_map>
#include <utility>

#include "pipelines/plan/late_rows.h"
#include "pipelines/plan/node_build.h"

namespace leat::plan {

void rewrite_nodes(Plan& plan, const std::function<NodePtr(const NodePtr&)>& rewrite_node) {
  std::unordered_map<const Node*, NodePtr> done;
  for_each_node(plan, [&](const NodePtr& node) {
    NodePtr current = node;
    std::vector<NodePtr> inputs;
    for (const NodePtr& input : node->inputs) inputs.push_back(done.at(input.get()));
    if (inputs != node->inputs) current = with_inputs(*node, std::move(inputs));
    NodePtr replacement = rewrite_node(current);
    done[node.get()] = replacement ? std::move(replacement) : std::move(current);
  });
  for (auto& sink : plan.sinks) sink = std::static_pointer_cast<const SinkNode>(done.at(sink.get()));
  for (auto& scan : plan.scans) scan = std::static_pointer_cast<const ScanNode>(done.at(scan.get()));
  if (!plan.late_rows) return;
  for (LateRows::Route& route : plan.late_rows->routes) route.node = done.at(route.node.get());
}

void rewrite(Plan& plan) {
  push_filters(plan);
  merge_projects(plan);
  fold_windows(plan);
  merge_projects(plan);
  push_into_scans(plan);
  carry_late_columns(plan);
  prune_columns(plan);
  merge_projects(plan);
  set_fingerprints(plan);
}

}  // namespace leat::plan
