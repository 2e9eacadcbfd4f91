#include "pipelines/exec/gateway_time.h"

#include <algorithm>

#include "pipelines/base/time.h"

namespace leat::exec {

void GatewayTime::move_to(std::int64_t now) {
  constexpr std::int64_t kLongestStep = 10 * kMicrosPerSecond;
  if (now >= plausible_from_) {
    unset_ = 0;
  } else {
    if (unset_ != 0 && now < now_) now_ += std::clamp<std::int64_t>(now - unset_, 0, kLongestStep);
    unset_ = now;
  }
  now_ = std::max(now_, now);
}

void GatewayTime::write(ByteWriter& out) const {
  out.zigzag(now_);
  if (unset_ != 0) out.zigzag(unset_);
}

bool GatewayTime::read(ByteReader& in) {
  now_ = in.zigzag();
  unset_ = in.at_end() ? 0 : in.zigzag();
  return in.ok() && in.at_end();
}

}  // namespace leat::exec
