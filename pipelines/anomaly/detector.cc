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
  constexpr double kGreatest = 1e100;  // Squares of what is judged must be numbers, too.
  const auto is_small = [](double value) { return std::abs(value) <= kGreatest; };
  if (std::ranges::all_of(values, is_small)) return judge(values, time);
  std::vector<double> clamped(values.begin(), values.end());
  for (double& value : clamped) {
    if (!std::isfinite(value)) return {};
    value = std::clamp(value, -kGreatest, kGreatest);
  }
  return judge(clamped, time);
}

Status Detector::load_page(std::string_view page, std::string_view value) {
  (void)page;
  (void)value;
  return fail(ErrorCode::kCorrupt, "a saved detector has pages that it cannot have");
}

}  // namespace leat::anomaly
