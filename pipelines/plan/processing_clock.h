// Processing time as time: below a window over a PROCTIME() column stands a ProcessingClock. Behind it the
// column is the gateway's clock, which never goes back, and the watermark follows it, so that a window over
// processing time is a window like any other.
#pragma once

#include "pipelines/plan/operator_node.h"

namespace leat::plan {

struct ProcessingClockNode final : OperatorNode {
  ProcessingClockNode() : OperatorNode(NodeKind::kProcessingClock) {}

  std::size_t time_column = 0;  ///< TIMESTAMP_LTZ(3) NOT NULL.

  [[nodiscard]] std::string_view operator_name() const override { return "processing clock"; }
  [[nodiscard]] std::string line() const override;
  void add_needs(const Needs& own, std::span<Needs> inputs) const override;
  [[nodiscard]] Pruned prune(const Needs& own, std::span<const Pruned> inputs) const override;
  [[nodiscard]] std::string identity(std::span<const std::vector<std::string>> columns) const override;
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override;
};

/// The clock over `input`, whose column `time_column` is a processing time attribute.
NodePtr make_processing_clock(NodePtr input, std::size_t time_column);

}  // namespace leat::plan
