// UNION ALL: hands on the rows of all inputs as they come. Its watermark is the least of its inputs', row by
// row; an input all of whose sources are idle does not count.
#pragma once

#include <vector>

#include "pipelines/exec/operator.h"

namespace leat::exec {

enum class InputActivity : std::uint8_t { kActive, kIdle };

class UnionAll final : public Operator {
 public:
  explicit UnionAll(std::size_t inputs) : inputs_(inputs) {}

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  /// Input `input` fell idle or is active again; what the others allow then is handed on.
  Status set_activity(std::size_t input, InputActivity activity, std::int64_t now, Output& out);

  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }

 private:
  struct Input {
    std::int64_t watermark = kMinWatermark;
    InputActivity activity = InputActivity::kActive;
  };
  /// The least watermark of the active inputs but `input`; kMaxWatermark if there is none.
  [[nodiscard]] std::int64_t least_of_others(std::size_t input) const;

  std::vector<Input> inputs_;
  std::int64_t watermark_ = kMinWatermark;  // Handed on.
  OperatorCounters counters_;
};

}  // namespace leat::exec
