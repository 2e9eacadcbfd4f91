// How many requests a peer may send: a bucket of so many for each, filled again over time.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "daemon/loop/clock.h"

namespace leat::api {

/// Any thread may ask it.
class RateLimit {
 public:
  struct Rate {
    double per_second = 0;
    double burst = 1;  ///< So many at once after a rest.
  };
  /// The clock outlives it.
  RateLimit(Rate rate, const loop::Clock& clock) : rate_(rate), clock_(clock) {}

  /// None: one more of `peer` is taken. Else how long until the next one would be.
  std::optional<Micros> take(const std::string& peer);

 private:
  struct Bucket {
    double left = 0;
    std::int64_t at = 0;
  };
  void make_room(std::int64_t now);
  [[nodiscard]] double left_at(const Bucket& bucket, std::int64_t now) const;

  const Rate rate_;
  const loop::Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace leat::api
