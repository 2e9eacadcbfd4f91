// UNION ALL: hands on the rows of all inputs as they come.
#pragma once

#include "pipelines/exec/input_clock.h"

namespace leat::exec {

class UnionAll final : public MultiInputOperator {
 public:
  explicit UnionAll(std::size_t inputs) : clock_(inputs) {}

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  Status set_activity(std::size_t input, InputActivity activity, std::int64_t now, Output& out) override;

  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }

 private:
  InputClock clock_;
  OperatorCounters counters_;
};

}  // namespace leat::exec
