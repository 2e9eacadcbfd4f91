#include "pipelines/exec/latency.h"

#include <cmath>
#include <numeric>

namespace leat::exec {

std::uint64_t Latency::count() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

double Latency::quantile_micros(double share) const {
  const double wanted = share * static_cast<double>(count());
  double passed = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    const auto here = static_cast<double>(counts_[bucket]);
    if (here == 0) continue;
    if (passed + here >= wanted) {
      const double begin = bucket == 0 ? 0 : std::ldexp(1.0, static_cast<int>(bucket) - 1);
      const double end = std::ldexp(1.0, static_cast<int>(bucket));
      const double within =
          bucket == kBuckets - 1 ? longest_micros() : begin + (end - begin) * (wanted - passed) / here;
      return std::min(within, longest_micros());
    }
    passed += here;
  }
  return 0;
}

}  // namespace leat::exec
