#include "pipelines/exec/window_slices.h"

#include <numeric>

#include "pipelines/base/time.h"

namespace leat::exec {

Result<WindowSlices> WindowSlices::make(const plan::WindowSpec& window) {
  WindowSlices slices;
  slices.kind_ = window.kind;
  slices.size_ = window.size.count();
  slices.step_ = window.kind == plan::WindowKind::kTumble ? slices.size_ : window.step.count();
  slices.offset_ = window.offset.count();
  slices.width_ = std::gcd(slices.size_, slices.step_);
  if (window.kind == plan::WindowKind::kSession)
    return fail(ErrorCode::kInvalid, "a session window has no slices");
  const bool divides = window.kind == plan::WindowKind::kHop || slices.width_ == slices.step_;
  if (slices.size_ <= 0 || slices.step_ <= 0 || !divides)
    return fail(ErrorCode::kInvalid, "the size of a window must be a positive multiple of its step, not " +
                                         format_duration(window.size) + " by " +
                                         format_duration(window.step));
  return slices;
}

WindowSlices WindowSlices::attached() {
  return {};
}

std::int64_t WindowSlices::slice_of(std::int64_t time) const {
  return saturating_add(time - floor_mod(time - offset_, width_), width_);
}

std::int64_t WindowSlices::window_start(std::int64_t end) const {
  if (kind_ != plan::WindowKind::kCumulate) return end - size_;
  return end - 1 - floor_mod(end - 1 - offset_, size_);
}

// Windows of HOP begin at multiples of the slide: the first one that holds the slice is the first that ends
// with it or behind it.
std::int64_t WindowSlices::first_window(std::int64_t slice) const {
  if (kind_ != plan::WindowKind::kHop) return slice;
  return slice + floor_mod(size_ + offset_ - slice, step_);
}

std::int64_t WindowSlices::last_window(std::int64_t slice) const {
  switch (kind_) {
    case plan::WindowKind::kHop: {
      const std::int64_t begin = slice - width_;
      return begin - floor_mod(begin - offset_, step_) + size_;
    }
    case plan::WindowKind::kCumulate:
      return window_start(slice) + size_;
    case plan::WindowKind::kTumble:
    case plan::WindowKind::kSession:
      break;
  }
  return slice;
}

}  // namespace leat::exec
