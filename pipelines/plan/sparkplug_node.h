// SPARKPLUG(input => TABLE t [, rebirth_interval => INTERVAL '10' SECOND]): the metrics of Sparkplug B as
// what they are. A payload's row names its metric by an alias and leaves its datatype to the birth that came
// long before; this node knows the births, and sees deaths and gaps. The form is that of a process table
// function.
//
// Input: rows of the format sparkplug in their order, with at least the columns topic (a STRING: the
// message's), seq, bd_seq, metric_index, metric, alias, datatype and ts. A payload is judged by the first of
// its rows that arrives: one that has become a dead letter costs its metric, not the birth or the death. Rows
// that are left out on purpose are refused, as their messages would count as missed.
//
// Output: group_id, node_id, device_id (NULL: the edge node itself) and message_type of the topic; `event`;
// `reason` (of REBIRTH and UNKNOWN); and the columns of the input, in which metric, datatype, int_value and
// double_value are what the birth says. Of the other rows than VALUE and UNKNOWN, columns of the value are
// NULL and ts is the time of the event.
//
//   ONLINE   A birth has come: rows of its metrics follow.
//   VALUE    A metric of a birth or of data.
//   OFFLINE  A death has come; rows of all metrics follow. Of NDEATH: of the edge node, then of each device.
//   STALE    The metric's last value is not the present one any more.
//   UNKNOWN  A metric of data whose alias is in no birth that was seen; or one that has neither a name nor an
//            alias, or, in a birth, no name. Its name is empty then: a row in which both are NULL is that of
//            a payload without metrics.
//   REBIRTH  The edge node should be asked for its births: one was missed, or a message was. There is one at
//            most per edge node and rebirth_interval of the gateway's clock.
//
// A message of another topic than the six of births, data and deaths gives no row; nor does an NDEATH whose
// bdSeq is of the connection before the one that the last NBIRTH began.
#pragma once

#include <array>
#include <optional>

#include "pipelines/column/sparkplug.h"
#include "pipelines/plan/operator_node.h"

namespace leat::plan {

struct SparkplugNode final : OperatorNode {
  SparkplugNode() : OperatorNode(NodeKind::kSparkplug) {}

  /// Columns that are made here, in the order of the output, which begins with them.
  enum class Own : std::uint8_t { kGroup, kNode, kDevice, kMessageType, kEvent, kReason };
  static constexpr std::size_t kOwnCount = 6;

  std::size_t topic = 0;
  /// What each column of the input is; none: it is passed on as it is.
  std::vector<std::optional<sparkplug::Role>> roles;
  Micros rebirth_interval{0};

  std::vector<Own> own;             ///< Those that are given out.
  std::vector<std::size_t> passed;  ///< Columns of the input that are given out behind them.

  /// The input's column; it is there.
  [[nodiscard]] std::size_t column_of(sparkplug::Role role) const;
  [[nodiscard]] std::string_view operator_name() const override { return "sparkplug"; }
  [[nodiscard]] std::string line() const override;
  void add_needs(const Needs& own_needs, std::span<Needs> inputs) const override;
  [[nodiscard]] Pruned prune(const Needs& own_needs, std::span<const Pruned> inputs) const override;
  [[nodiscard]] std::string identity(std::span<const std::vector<std::string>> columns) const override;
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override;
};

/// The columns that the node cannot do without, beside topic.
inline constexpr std::array kSparkplugNeeds = {sparkplug::Role::kSeq,         sparkplug::Role::kBdSeq,
                                               sparkplug::Role::kMetricIndex, sparkplug::Role::kMetric,
                                               sparkplug::Role::kAlias,       sparkplug::Role::kDatatype,
                                               sparkplug::Role::kTs};

/// Sets what follows from the fields that are already filled, `inputs` among them.
void derive_sparkplug_schema(SparkplugNode& node);

}  // namespace leat::plan
