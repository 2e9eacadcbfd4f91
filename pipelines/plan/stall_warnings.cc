#include "pipelines/plan/stall_warnings.h"

#include <algorithm>
#include <map>
#include <set>

#include "pipelines/plan/operator_node.h"
#include "pipelines/plan/over_node.h"

namespace leat::plan {
namespace {

/// What a table's silence does, the worst last.
enum class Stall : std::uint8_t { kNone, kLastResults, kJoin };

/// What `node` makes of its inputs' watermarks.
Stall stall_of(const Node& node) {
  switch (node.kind) {
    case NodeKind::kIntervalJoin:
    case NodeKind::kWindowJoin:
    case NodeKind::kTemporalJoin:
      return Stall::kJoin;
    case NodeKind::kWindowAggregate:
    case NodeKind::kWindowRank:
    case NodeKind::kMatch:
    case NodeKind::kSort:
      return Stall::kLastResults;
    case NodeKind::kOver:
      return static_cast<const OverNode&>(node).time == TimeAttribute::kRowTime ? Stall::kLastResults
                                                                                : Stall::kNone;
    default:
      return Stall::kNone;
  }
}

class StallFinder {
 public:
  void visit(const Node& node, Stall above) {
    // Behind a clock of the gateway's the input's own watermark means nothing.
    const Stall here =
        node.kind == NodeKind::kProcessingClock ? Stall::kNone : std::max(above, stall_of(node));
    if (!seen_.insert({&node, here}).second) return;
    if (node.kind == NodeKind::kScan) {
      Stall& worst = stalls_[&node];
      worst = std::max(worst, here);
    }
    for (const NodePtr& input : node.inputs) visit(*input, here);
  }

  [[nodiscard]] Stall of(const Node& scan) const {
    const auto found = stalls_.find(&scan);
    return found == stalls_.end() ? Stall::kNone : found->second;
  }

 private:
  std::set<std::pair<const Node*, Stall>> seen_;
  std::map<const Node*, Stall> stalls_;
};

bool may_fall_silent(const ScanNode& scan) {
  return !scan.bounded && scan.watermark && scan.watermark->idle_timeout.count() == 0;
}

}  // namespace

void warn_of_stalls(std::span<const std::shared_ptr<const SinkNode>> sinks,
                    std::span<const Table* const> tables, const BindContext& context) {
  StallFinder finder;
  for (const auto& sink : sinks) finder.visit(*sink, Stall::kNone);
  for (const Table* const table : tables) {
    const Stall stall = finder.of(*table->scan);
    if (stall == Stall::kNone || !may_fall_silent(*table->scan)) continue;
    const std::string what = stall == Stall::kJoin ? ", the join that waits for it gives out nothing"
                                                   : ", its last results wait for its next row";
    context.diagnostics.warning(
        table->span, "while '" + table->name + "' is silent" + what,
        "give it an idle time-out: 'scan.watermark.idle-timeout' = '30 s' in its WITH, or "
        "SET 'table.exec.source.idle-timeout' for all tables");
  }
}

}  // namespace leat::plan
