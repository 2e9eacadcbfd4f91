#include "pipelines/exec/operator_table.h"

#include "pipelines/exec/expand.h"
#include "pipelines/exec/final_rows.h"
#include "pipelines/exec/group_aggregate.h"
#include "pipelines/exec/interval_join.h"
#include "pipelines/exec/join.h"
#include "pipelines/exec/set_operation.h"
#include "pipelines/exec/temporal_join.h"
#include "pipelines/exec/unnest.h"
#include "pipelines/exec/upsert.h"
#include "pipelines/exec/window_join.h"

namespace leat::exec {

namespace {

MadeOperator make_upsert(const plan::UpsertNode& node) {
  if (node.form == plan::UpsertForm::kSameKey) return MadeOperator::of(std::make_unique<UpsertChanges>(node));
  return MadeOperator::of(std::make_unique<UpsertMaterialize>(node));
}

}  // namespace

Result<MadeOperator> make_node_operator(const plan::OperatorNode& node, OperatorContext context) {
  switch (node.kind) {
    case plan::NodeKind::kUnnest:
      return MadeOperator::of(
          std::make_unique<Unnest>(static_cast<const plan::UnnestNode&>(node), std::move(context)));
    case plan::NodeKind::kTemporalJoin:
      return MadeOperator::of(std::make_unique<TemporalJoin>(static_cast<const plan::TemporalJoinNode&>(node),
                                                             std::move(context)));
    case plan::NodeKind::kWindowJoin: {
      LEAT_ASSIGN(auto join,
                  WindowJoin::make(static_cast<const plan::WindowJoinNode&>(node), std::move(context)));
      return MadeOperator::of(std::move(join));
    }
    case plan::NodeKind::kIntervalJoin:
      return MadeOperator::of(std::make_unique<IntervalJoin>(static_cast<const plan::IntervalJoinNode&>(node),
                                                             std::move(context)));
    case plan::NodeKind::kJoin:
      return MadeOperator::of(
          std::make_unique<Join>(static_cast<const plan::JoinNode&>(node), std::move(context)));
    case plan::NodeKind::kGroupAggregate:
      return MadeOperator::of(
          std::make_unique<GroupAggregate>(static_cast<const plan::GroupAggregateNode&>(node)));
    case plan::NodeKind::kExpand:
      return MadeOperator::of(std::make_unique<Expand>(static_cast<const plan::ExpandNode&>(node)));
    case plan::NodeKind::kFinalRows:
      return MadeOperator::of(std::make_unique<FinalRows>(static_cast<const plan::FinalRowsNode&>(node)));
    case plan::NodeKind::kUpsert:
      return make_upsert(static_cast<const plan::UpsertNode&>(node));
    case plan::NodeKind::kSetOperation:
      return MadeOperator::of(
          std::make_unique<SetOperation>(static_cast<const plan::SetOperationNode&>(node)));
    default:
      return fail(ErrorCode::kInternal, "no operator runs the node " + context.name);
  }
}

}  // namespace leat::exec
