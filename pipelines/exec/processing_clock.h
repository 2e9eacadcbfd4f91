// Makes the gateway's clock the time of a stream: each row's time column becomes the moment of its intake,
// which never goes back however the clock is set (gateway_time.h), and the watermark of a row is the
// millisecond before it. While no rows come, the clock is driven by ticks (Dataflow::tick). The input's own
// watermark means nothing behind it, but its end does.
//
// State: key "m", value := the time of the last row, or of the last tick if that made something due.
#pragma once

#include <string>

#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/gateway_time.h"
#include "pipelines/exec/operator.h"
#include "pipelines/plan/processing_clock.h"

namespace leat::exec {

class ProcessingClock final : public Operator {
 public:
  /// `clock_plausible_from`: see DataflowOptions.
  ProcessingClock(const plan::ProcessingClockNode& node, OperatorContext context,
                  std::int64_t clock_plausible_from)
      : context_(std::move(context)),
        fingerprint_(node.fingerprint),
        time_column_(node.time_column),
        time_(clock_plausible_from) {}

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  /// Only the end of the input counts.
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  /// Nothing waits in front of it and it is `now`.
  Status tick(std::int64_t now, Output& out) override;

  void save(StateChanges& changes) override;
  void save_time(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }

 private:
  void write_time(StateChanges& changes);

  OperatorContext context_;
  std::string fingerprint_;
  std::size_t time_column_;
  GatewayTime time_;
  std::int64_t saved_ = 0;        // Of `time_`.
  bool changed_by_rows_ = false;  // Since the last save.
  OperatorCounters counters_;
};

}  // namespace leat::exec
