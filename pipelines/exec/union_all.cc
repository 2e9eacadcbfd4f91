#include "pipelines/exec/union_all.h"

#include <algorithm>

#include "pipelines/base/time.h"

namespace leat::exec {

std::int64_t UnionAll::least_of_others(std::size_t input) const {
  std::int64_t least = kMaxWatermark;
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    if (i != input && inputs_[i].activity == InputActivity::kActive)
      least = std::min(least, inputs_[i].watermark);
  return least;
}

Status UnionAll::process(std::size_t input, const Batch& batch, Output& out) {
  counters_.rows_in += batch.size;
  counters_.passed += batch.size;
  counters_.rows_out += batch.size;
  inputs_[input].watermark = std::max(inputs_[input].watermark, batch.watermark_after);
  const std::int64_t others = least_of_others(input);
  Batch result = batch;
  for (std::int64_t& watermark : result.watermarks)
    watermark = std::max(watermark_, std::min(watermark, others));
  watermark_ = std::max(watermark_, std::min(batch.watermark_after, others));
  result.watermark_after = watermark_;
  return out.emit(std::move(result));
}

Status UnionAll::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  inputs_[input].watermark = std::max(inputs_[input].watermark, watermark);
  const std::int64_t least = std::min(inputs_[input].watermark, least_of_others(input));
  if (least <= watermark_) return {};
  watermark_ = least;
  return out.advance(watermark_, now);
}

Status UnionAll::set_activity(std::size_t input, InputActivity activity, std::int64_t now, Output& out) {
  if (inputs_[input].activity == activity) return {};
  inputs_[input].activity = activity;
  const bool any = std::any_of(inputs_.begin(), inputs_.end(),
                               [](const Input& i) { return i.activity == InputActivity::kActive; });
  // With all inputs idle nothing vouches for the time: the watermark stays.
  const std::int64_t least = least_of_others(inputs_.size());
  if (!any || least <= watermark_) return {};
  watermark_ = least;
  return out.advance(watermark_, now);
}

}  // namespace leat::exec
