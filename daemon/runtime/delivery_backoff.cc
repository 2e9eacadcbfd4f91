#include "daemon/runtime/delivery_backoff.h"

#include <algorithm>
#include <random>

namespace leat::runtime {
namespace {

constexpr Micros kLongestAsked{kMicrosPerHour};
/// Less would be a busy loop.
constexpr Micros kShortest{kMicrosPerMilli};

}  // namespace

Randomness system_randomness() {
  return [generator = std::mt19937_64(std::random_device()())]() mutable {
    return std::uniform_real_distribution<double>(0, 1)(generator);
  };
}

Micros Backoff::wait(std::uint32_t failures, std::optional<Micros> asked) {
  if (asked) return std::clamp(*asked, kShortest, kLongestAsked);
  std::int64_t bound = initial_.count();
  for (std::uint32_t i = 1; i < failures && bound < longest_.count(); ++i)
    bound = saturating_add(bound, bound);
  bound = std::min(bound, longest_.count());
  const auto drawn = static_cast<std::int64_t>(random_() * static_cast<double>(bound));
  return std::max(Micros(drawn), kShortest);
}

}  // namespace leat::runtime
