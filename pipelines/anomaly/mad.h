// 'mad': deviations from the median of the last rows, measured by the median of such deviations. Up to half
// of the window may be outliers without an effect on either.
//
// Of several values at once each has its window; their deviations add up as squares (a chi-square of as many
// degrees, by the approximation of Wilson and Hilferty 1931). Forecast and bounds are those of the value that
// deviates most.
#pragma once

#include <vector>

#include "pipelines/anomaly/detector.h"
#include "pipelines/anomaly/detector_options.h"
#include "pipelines/anomaly/median_window.h"
#include "pipelines/anomaly/normal.h"

namespace leat::anomaly {

class Mad final : public Detector {
 public:
  Mad(const DetectorOptions& options, std::size_t values);

  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t most_memory_bytes() const override;
  void save(ByteWriter& out) const override;
  Status load(ByteReader& in) override;
  void save_pages(StatePages& pages) override;
  Status load_page(std::string_view page, std::string_view value) override;
  void unsave_pages(StatePages& pages) override;

 private:
  Verdict judge(std::span<const double> values, std::int64_t time) override;
  Verdict judge_warm(std::span<const double> values) const;
  void learn(std::span<const double> values, bool outlier);

  std::uint32_t warm_up_;
  double width_;
  bool keeps_outliers_out_;
  std::vector<MedianWindow> windows_;
  std::vector<ForecastErrors> errors_;  // By value.
  std::uint64_t rows_ = 0;
  std::uint64_t outliers_in_row_ = 0;
};

}  // namespace leat::anomaly
