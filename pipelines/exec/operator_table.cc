#include "pipelines/exec/operator_table.h"

#include "pipelines/exec/absence.h"

#include "pipelines/exec/changelog_codes.h"
#include "pipelines/exec/deduplicate.h"
#include "pipelines/exec/deduplicate_first.h"
#include "pipelines/exec/expand.h"
#include "pipelines/exec/final_rows.h"
#include "pipelines/exec/gap_fill.h"
#include "pipelines/exec/group_aggregate.h"
#include "pipelines/exec/interval_join.h"
#include "pipelines/exec/join.h"
#include "pipelines/exec/limit.h"
#include "pipelines/exec/lookup_join.h"
#include "pipelines/exec/match.h"
#include "pipelines/exec/normalize.h"
#include "pipelines/exec/over_batch.h"
#include "pipelines/exec/over_changes.h"
#include "pipelines/exec/over_proctime.h"
#include "pipelines/exec/over_rowtime.h"
#include "pipelines/exec/rank.h"
#include "pipelines/exec/set_operation.h"
#include "pipelines/exec/sort.h"
#include "pipelines/exec/sparkplug.h"
#include "pipelines/exec/temporal_join.h"
#include "pipelines/exec/unnest.h"
#include "pipelines/exec/upsert.h"
#include "pipelines/exec/window_join.h"
#include "pipelines/exec/window_rank.h"

namespace leat::exec {

namespace {

MadeOperator make_over(const plan::OverNode& node, OperatorContext context) {
  if (node.time == plan::TimeAttribute::kProcTime)
    return MadeOperator::of(std::make_unique<OverProctime>(node));
  return MadeOperator::of(std::make_unique<OverRowtime>(node, std::move(context)));
}

MadeOperator make_deduplicate(const plan::DeduplicateNode& node, OperatorContext context) {
  const bool waits =
      node.keep == plan::DeduplicateNode::Keep::kFirst && node.time == plan::TimeAttribute::kRowTime;
  if (waits) return MadeOperator::of(std::make_unique<DeduplicateFirst>(node, std::move(context)));
  return MadeOperator::of(std::make_unique<Deduplicate>(node));
}

MadeOperator make_upsert(const plan::UpsertNode& node, OperatorContext context) {
  if (node.form == plan::UpsertForm::kSameKey) return MadeOperator::of(std::make_unique<UpsertChanges>(node));
  return MadeOperator::of(std::make_unique<UpsertMaterialize>(node, std::move(context)));
}

}  // namespace

Result<MadeOperator> make_node_operator(const plan::OperatorNode& node, OperatorContext context,
                                        std::uint64_t memory_max) {
  switch (node.kind) {
    case plan::NodeKind::kUnnest:
      return MadeOperator::of(
          std::make_unique<Unnest>(static_cast<const plan::UnnestNode&>(node), std::move(context)));
    case plan::NodeKind::kTemporalJoin:
      return MadeOperator::of(std::make_unique<TemporalJoin>(static_cast<const plan::TemporalJoinNode&>(node),
                                                             std::move(context)));
    case plan::NodeKind::kLookupTable:
      return MadeOperator::of(std::make_unique<AskedTable>());
    case plan::NodeKind::kLookupJoin: {
      LEAT_ASSIGN(auto join,
                  LookupJoin::make(static_cast<const plan::LookupJoinNode&>(node), std::move(context)));
      return MadeOperator::of(std::move(join));
    }
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
      return make_upsert(static_cast<const plan::UpsertNode&>(node), std::move(context));
    case plan::NodeKind::kToChangelog:
      return MadeOperator::of(std::make_unique<ToChangelog>(static_cast<const plan::ToChangelogNode&>(node)));
    case plan::NodeKind::kFromChangelog:
      return MadeOperator::of(std::make_unique<FromChangelog>(
          static_cast<const plan::FromChangelogNode&>(node), std::move(context)));
    case plan::NodeKind::kSetOperation:
      return MadeOperator::of(
          std::make_unique<SetOperation>(static_cast<const plan::SetOperationNode&>(node)));
    case plan::NodeKind::kOver:
      return make_over(static_cast<const plan::OverNode&>(node), std::move(context));
    case plan::NodeKind::kOverBatch:
      return MadeOperator::of(
          std::make_unique<OverBatch>(static_cast<const plan::OverBatchNode&>(node), memory_max));
    case plan::NodeKind::kOverChanges:
      return MadeOperator::of(std::make_unique<OverChanges>(static_cast<const plan::OverChangesNode&>(node)));
    case plan::NodeKind::kRank:
      return MadeOperator::of(
          std::make_unique<Rank>(static_cast<const plan::RankNode&>(node), std::move(context)));
    case plan::NodeKind::kWindowRank: {
      LEAT_ASSIGN(auto rank,
                  WindowRank::make(static_cast<const plan::WindowRankNode&>(node), std::move(context)));
      return MadeOperator::of(std::move(rank));
    }
    case plan::NodeKind::kDeduplicate:
      return make_deduplicate(static_cast<const plan::DeduplicateNode&>(node), std::move(context));
    case plan::NodeKind::kNormalize:
      return MadeOperator::of(std::make_unique<Normalize>(static_cast<const plan::NormalizeNode&>(node)));
    case plan::NodeKind::kSort:
      return MadeOperator::of(
          std::make_unique<Sort>(static_cast<const plan::SortNode&>(node), std::move(context)));
    case plan::NodeKind::kLimit:
      return MadeOperator::of(std::make_unique<Limit>(static_cast<const plan::LimitNode&>(node)));
    case plan::NodeKind::kGapFill:
      return MadeOperator::of(
          std::make_unique<GapFill>(static_cast<const plan::GapFillNode&>(node), std::move(context)));
    case plan::NodeKind::kAbsence:
      return MadeOperator::of(
          std::make_unique<Absence>(static_cast<const plan::AbsenceNode&>(node), std::move(context)));
    case plan::NodeKind::kSparkplug:
      return MadeOperator::of(
          std::make_unique<Sparkplug>(static_cast<const plan::SparkplugNode&>(node), std::move(context)));
    case plan::NodeKind::kMatch:
      return MadeOperator::of(
          std::make_unique<Match>(static_cast<const plan::MatchNode&>(node), std::move(context)));
    default:
      return fail(ErrorCode::kInternal, "no operator runs the node " + context.name);
  }
}

}  // namespace leat::exec
