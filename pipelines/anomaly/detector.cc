#include "pipelines/anomaly/detector.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace leat::anomaly {

double score_of(double rarity) {
  constexpr double kLogOf10 = 2.302585092994046;
  return -std::expm1(-kLogOf10 * rarity);
}

Verdict Detector::observe(std::span<const double> values, std::int64_t time) {
  // Squares of what is judged, and of differences of it, must be numbers, too.
  constexpr double kGreatest = 1e100;
  constexpr double kLeast = 1e-100;
  const auto is_plain = [](double value) {
    const double size = std::abs(value);
    return (size <= kGreatest && size >= kLeast) || size == 0;
  };
  if (std::ranges::all_of(values, is_plain)) return judge(values, time);
  std::vector<double> clamped(values.begin(), values.end());
  for (double& value : clamped) {
    if (!std::isfinite(value)) return {};
    value = std::abs(value) < kLeast ? 0 : std::clamp(value, -kGreatest, kGreatest);
  }
  return judge(clamped, time);
}

Status Detector::load_page(std::string_view page, std::string_view value) {
  (void)page;
  (void)value;
  return fail(ErrorCode::kCorrupt, "a saved detector has pages that it cannot have");
}

}  // namespace leat::anomaly
