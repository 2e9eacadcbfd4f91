#include "pipelines/exec/operator_table.h"

#include "pipelines/exec/expand.h"
#include "pipelines/exec/group_aggregate.h"
#include "pipelines/exec/set_operation.h"

namespace leat::exec {

Result<MadeOperator> make_node_operator(const plan::OperatorNode& node, OperatorContext context) {
  switch (node.kind) {
    case plan::NodeKind::kGroupAggregate:
      return MadeOperator::of(
          std::make_unique<GroupAggregate>(static_cast<const plan::GroupAggregateNode&>(node)));
    case plan::NodeKind::kExpand:
      return MadeOperator::of(std::make_unique<Expand>(static_cast<const plan::ExpandNode&>(node)));
    case plan::NodeKind::kSetOperation:
      return MadeOperator::of(
          std::make_unique<SetOperation>(static_cast<const plan::SetOperationNode&>(node)));
    default:
      return fail(ErrorCode::kInternal, "no operator runs the node " + context.name);
  }
}

}  // namespace leat::exec
