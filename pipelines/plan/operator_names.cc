#include "pipelines/plan/operator_names.h"

#include <map>

#include "pipelines/plan/node_build.h"
#include "pipelines/plan/operator_node.h"

namespace leat::plan {
namespace {

std::string kind_name(const Node& node) {
  switch (node.kind) {
    case NodeKind::kScan:
      return "scan";
    case NodeKind::kValues:
      return "values";
    case NodeKind::kFilter:
      return "filter";
    case NodeKind::kProject:
      return "project";
    case NodeKind::kWindowAssign:
      return "window";
    case NodeKind::kWindowAggregate:
      return "window aggregate";
    case NodeKind::kUnionAll:
      return "union";
    case NodeKind::kSink:
      return "sink";
    default:  // An OperatorNode.
      break;
  }
  return std::string(as_operator_node(node).operator_name());
}

/// Gives each operator its name: a table's operators are called by it, the others are numbered.
class Names {
 public:
  std::string name_of(const Node& node) {
    std::string table;
    if (node.kind == NodeKind::kScan) table = static_cast<const ScanNode&>(node).table;
    if (node.kind == NodeKind::kSink) table = static_cast<const SinkNode&>(node).table;
    const std::string base = kind_name(node) + (table.empty() ? "" : " " + table);
    const std::size_t number = ++used_[base];
    return table.empty() || number > 1 ? base + " " + std::to_string(number) : base;
  }

 private:
  std::map<std::string, std::size_t> used_;
};

}  // namespace

std::unordered_map<const Node*, std::string> operator_names(const Plan& plan) {
  std::unordered_map<const Node*, std::string> names;
  Names numbered;
  for_each_node(plan, [&](const NodePtr& node) { names.emplace(node.get(), numbered.name_of(*node)); });
  return names;
}

}  // namespace leat::plan
