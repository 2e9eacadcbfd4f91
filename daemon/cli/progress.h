// One line on a terminal that tells how far a batch has come: bytes of all, rows a second, time left. It is
// drawn over itself, and the cursor waits at its begin, so that whatever else is written takes its place.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "pipelines/base/time.h"

namespace leat::cli {

/// How far a run was at some time.
struct ProgressSample {
  std::int64_t time = 0;  ///< Monotonic, microseconds.
  std::uint64_t done_bytes = 0;
  std::uint64_t whole_bytes = 0;  ///< 0: not known.
  std::uint64_t rows = 0;
};

/// The line's text, from samples of the last seconds, the oldest first; at least one.
std::string progress_text(const std::deque<ProgressSample>& samples);

/// Standard error is a terminal that lines can be drawn over on.
bool can_show_progress();

class ProgressLine {
 public:
  ProgressLine() = default;
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { clear(); }

  /// Before anything is done: what rates are counted from at first.
  void begin(const ProgressSample& sample) { samples_ = {sample}; }
  void show(const ProgressSample& sample);
  /// Before anything else is written to the same terminal.
  void clear();

 private:
  std::deque<ProgressSample> samples_;
  bool shown_ = false;
};

}  // namespace leat::cli
