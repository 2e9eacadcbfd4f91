// Makes the gateway's clock the time of a stream: each row's time column becomes the moment of its intake,
// which never goes back however the clock is set, and the watermark of a row is the millisecond before it.
// While no rows come, the clock is driven by ticks (Dataflow::tick). The input's own watermark means nothing
// behind it, but its end does.
//
// A gateway whose clock has not been set yet (it starts in 1970) shows times far behind the last one; until
// it is set, time goes on by what passes on that clock, so that windows do not wait for the clock to be
// right.
//
// State: key "m", value := zigzag time of the last row or tick in microseconds, [zigzag what an unset clock
// showed last].
#pragma once

#include <string>

#include "pipelines/exec/failed_rows.h"
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
        clock_plausible_from_(clock_plausible_from) {}

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  /// Only the end of the input counts.
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  /// Nothing waits in front of it and it is `now`.
  Status tick(std::int64_t now, Output& out) override;

  void save(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }

 private:
  void move_to(std::int64_t now);

  OperatorContext context_;
  std::string fingerprint_;
  std::size_t time_column_;
  std::int64_t clock_plausible_from_;
  std::int64_t last_ = 0;
  std::int64_t unset_ = 0;        // What a clock that is not set showed last; 0: it is set.
  bool changed_by_rows_ = false;  // A tick alone is no reason to write: what it fired has its own watermark.
  OperatorCounters counters_;
};

}  // namespace leat::exec
