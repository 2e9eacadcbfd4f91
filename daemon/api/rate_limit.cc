#include "daemon/api/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace leat::api {
namespace {

constexpr std::size_t kMostPeers = 4096;

}  // namespace

double RateLimit::left_at(const Bucket& bucket, std::int64_t now) const {
  const double seconds = static_cast<double>(now - bucket.at) / kMicrosPerSecond;
  return std::min(rate_.burst, bucket.left + seconds * rate_.per_second);
}

/// Forgets peers that have rested long enough to be new ones, else any one.
void RateLimit::make_room(std::int64_t now) {
  if (buckets_.size() < kMostPeers) return;
  std::erase_if(buckets_, [&](const auto& entry) { return left_at(entry.second, now) >= rate_.burst; });
  if (buckets_.size() >= kMostPeers) buckets_.erase(buckets_.begin());
}

std::optional<Micros> RateLimit::take(const std::string& peer) {
  const std::int64_t now = clock_.monotonic();
  const std::scoped_lock lock(mutex_);
  if (!buckets_.contains(peer)) make_room(now);
  Bucket& bucket = buckets_.try_emplace(peer, Bucket{rate_.burst, now}).first->second;
  bucket = {left_at(bucket, now), now};
  if (bucket.left >= 1) {
    bucket.left -= 1;
    return std::nullopt;
  }
  const double seconds = (1 - bucket.left) / rate_.per_second;
  return Micros(static_cast<std::int64_t>(std::ceil(seconds * kMicrosPerSecond)));
}

}  // namespace leat::api
