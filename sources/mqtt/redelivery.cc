#include "sources/mqtt/redelivery.h"

namespace leat::sources {

void Redelivery::stored(std::uint64_t fingerprint) {
  if (recent_.size() < window_) {
    recent_.push_back(fingerprint);
    return;
  }
  recent_[next_] = fingerprint;
  next_ = (next_ + 1) % window_;
}

void Redelivery::session_kept() {
  candidates_.clear();
  for (const std::uint64_t fingerprint : recent_) ++candidates_[fingerprint];
  deliveries_ = 0;
}

bool Redelivery::absorbs(std::uint64_t fingerprint, Mark mark) {
  if (candidates_.empty()) return false;
  const bool possible = mark == Mark::kRepeated || (mark == Mark::kHidden && deliveries_ < receive_maximum_);
  const auto found = possible ? candidates_.find(fingerprint) : candidates_.end();
  const bool absorbed = found != candidates_.end();
  if (absorbed && --found->second == 0) candidates_.erase(found);
  if (++deliveries_ == window_) candidates_.clear();
  return absorbed;
}

}  // namespace leat::sources
