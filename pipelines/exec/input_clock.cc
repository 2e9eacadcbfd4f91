#include "pipelines/exec/input_clock.h"

#include <algorithm>

#include "pipelines/base/time.h"

namespace leat::exec {

std::int64_t InputClock::least_of_others(std::size_t input) const {
  std::int64_t least = kMaxWatermark;
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    if (i != input && inputs_[i].activity == InputActivity::kActive)
      least = std::min(least, inputs_[i].watermark);
  return least;
}

bool InputClock::rise_to(std::int64_t watermark) {
  if (watermark <= watermark_) return false;
  watermark_ = watermark;
  return true;
}

void InputClock::take(std::size_t input, Batch& batch) {
  inputs_[input].watermark = std::max(inputs_[input].watermark, batch.watermark_after);
  const std::int64_t others = least_of_others(input);
  for (std::int64_t& watermark : batch.watermarks)
    watermark = std::max(watermark_, std::min(watermark, others));
  rise_to(std::min(batch.watermark_after, others));
  batch.watermark_after = watermark_;
}

bool InputClock::advance(std::size_t input, std::int64_t watermark) {
  inputs_[input].watermark = std::max(inputs_[input].watermark, watermark);
  return rise_to(std::min(inputs_[input].watermark, least_of_others(input)));
}

bool InputClock::set_activity(std::size_t input, InputActivity activity) {
  if (inputs_[input].activity == activity) return false;
  inputs_[input].activity = activity;
  const bool any = std::any_of(inputs_.begin(), inputs_.end(),
                               [](const Input& i) { return i.activity == InputActivity::kActive; });
  return any && rise_to(least_of_others(inputs_.size()));
}

}  // namespace leat::exec
