// Time of an operator with several inputs: the least of its inputs' watermarks, row by row. An input all of
// whose sources are idle does not count.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "pipelines/exec/operator.h"

namespace leat::exec {

enum class InputActivity : std::uint8_t { kActive, kIdle };

/// An operator with more than one input.
class MultiInputOperator : public Operator {
 public:
  /// Input `input` fell idle or is active again; what the others allow then is done and handed on.
  virtual Status set_activity(std::size_t input, InputActivity activity, std::int64_t now, Output& out) = 0;
};

class InputClock {
 public:
  explicit InputClock(std::size_t inputs) : inputs_(inputs) {}

  /// Rewrites the watermarks of a batch of input `input` to those of the operator, and takes its
  /// `watermark_after`. They do not decrease, over all inputs.
  void take(std::size_t input, Batch& batch);
  /// Input `input` stands at `watermark`. True if the operator's watermark rose.
  bool advance(std::size_t input, std::int64_t watermark);
  /// True if the operator's watermark rose. With all inputs idle nothing vouches for the time: it stays.
  bool set_activity(std::size_t input, InputActivity activity);

  /// The operator's watermark.
  [[nodiscard]] std::int64_t watermark() const { return watermark_; }
  /// One input's own.
  [[nodiscard]] std::int64_t watermark_of(std::size_t input) const { return inputs_[input].watermark; }

 private:
  struct Input {
    std::int64_t watermark = kMinWatermark;
    InputActivity activity = InputActivity::kActive;
  };
  /// The least watermark of the active inputs but `input`; kMaxWatermark if there is none.
  [[nodiscard]] std::int64_t least_of_others(std::size_t input) const;
  bool rise_to(std::int64_t watermark);

  std::vector<Input> inputs_;
  std::int64_t watermark_ = kMinWatermark;
};

}  // namespace leat::exec
