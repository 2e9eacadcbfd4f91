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
  deliveries_left_ = window_;
}

bool Redelivery::absorbs(std::uint64_t fingerprint, bool may_be_repeated) {
  if (candidates_.empty()) return false;
  const auto found = may_be_repeated ? candidates_.find(fingerprint) : candidates_.end();
  const bool absorbed = found != candidates_.end();
  if (absorbed && --found->second == 0) candidates_.erase(found);
  if (--deliveries_left_ == 0) candidates_.clear();
  return absorbed;
}

}  // namespace leat::sources
