// Slices: the disjoint stretches of time from which TUMBLE, HOP and CUMULATE windows are put together. A row
// goes into exactly one slice, whatever the overlap of the windows; a window is merged from its slices when
// it fires. A slice of HOP is as long as the greatest length that divides both size and slide. All times are
// local microseconds (window_clock.h); a slice and a window are named by their end.
#pragma once

#include <cstdint>

#include "pipelines/base/result.h"
#include "pipelines/plan/node.h"

namespace leat::exec {

class WindowSlices {
 public:
  /// Errors: invalid (SESSION, which has no slices; a size that is no multiple of CUMULATE's step).
  static Result<WindowSlices> make(const plan::WindowSpec& window);
  /// Rows that carry their window: each window is its own slice.
  static WindowSlices attached();

  [[nodiscard]] plan::WindowKind kind() const { return kind_; }
  [[nodiscard]] std::int64_t offset() const { return offset_; }
  [[nodiscard]] std::int64_t size() const { return size_; }
  /// Length of a slice.
  [[nodiscard]] std::int64_t width() const { return width_; }
  /// End of the slice that holds `time`.
  [[nodiscard]] std::int64_t slice_of(std::int64_t time) const;
  /// Start of the window that ends at `end`.
  [[nodiscard]] std::int64_t window_start(std::int64_t end) const;
  /// Ends of the first and the last window that hold the slice. The first lies behind the last when no window
  /// does: between windows of a HOP whose slide is longer than its size.
  [[nodiscard]] std::int64_t first_window(std::int64_t slice) const;
  [[nodiscard]] std::int64_t last_window(std::int64_t slice) const;
  /// From one window's end to the next one's.
  [[nodiscard]] std::int64_t step() const { return step_; }

 private:
  plan::WindowKind kind_ = plan::WindowKind::kTumble;
  std::int64_t width_ = 1;
  std::int64_t size_ = 1;
  std::int64_t step_ = 1;
  std::int64_t offset_ = 0;
};

}  // namespace leat::exec
