// Exponential smoothing: 'ewma' (a level), and 'holt_winters' (level, damped trend and season), which also
// forecasts several steps ahead for ML_FORECAST.
//
// Rows need not come evenly: a row behind a gap counts for as many steps as the gap has, up to ten, where a
// step is the mean time between rows. The season is that of the calendar (seasonal_level.h), which gaps do
// not shift; or with 'm' that of every m rows, which they do.
#pragma once

#include <vector>

#include "pipelines/anomaly/detector.h"
#include "pipelines/anomaly/detector_options.h"
#include "pipelines/anomaly/normal.h"
#include "pipelines/anomaly/paged_cells.h"
#include "pipelines/anomaly/seasonal_level.h"

namespace leat::anomaly {

/// The time between rows.
class StepTime {
 public:
  /// How many steps a row is behind the last one, from 0.1 to 10; 1 for the first.
  double steps_to(std::int64_t time);
  [[nodiscard]] double micros() const { return mean_; }
  [[nodiscard]] std::int64_t last() const { return last_; }

  /// varint rows, zigzag last time, double mean in microseconds
  void save(ByteWriter& out) const;
  void load(ByteReader& in);

 private:
  std::uint64_t rows_ = 0;
  std::int64_t last_ = 0;
  double mean_ = 0;
};

class Ewma final : public Detector {
 public:
  explicit Ewma(const DetectorOptions& options);
  [[nodiscard]] std::size_t memory_bytes() const override { return sizeof *this; }
  void save(ByteWriter& out) const override;
  Status load(ByteReader& in) override;

 private:
  Verdict judge(std::span<const double> values, std::int64_t time) override;

  std::uint32_t warm_up_;
  double width_;
  double alpha_;
  StepTime step_;
  double level_ = 0;
  ForecastErrors errors_;
};

class HoltWinters final : public Detector {
 public:
  explicit HoltWinters(const DetectorOptions& options);
  [[nodiscard]] std::size_t memory_bytes() const override {
    return sizeof *this + rows_season_.memory_bytes();
  }
  void save(ByteWriter& out) const override;
  Status load(ByteReader& in) override;
  void save_pages(StatePages& pages) override;
  Status load_page(std::string_view page, std::string_view value) override;
  void unsave_pages(StatePages& pages) override;

  /// One value to come.
  struct Forecast {
    std::int64_t time = 0;  ///< In microseconds.
    double value = 0;
    double lower = 0;
    double upper = 0;
  };
  /// The next `steps` values; empty while the detector warms up.
  [[nodiscard]] std::vector<Forecast> forecast(std::uint32_t steps) const;
  [[nodiscard]] const ForecastErrors& errors() const { return errors_; }
  static constexpr int kParameters = 4;

 private:
  Verdict judge(std::span<const double> values, std::int64_t time) override;
  [[nodiscard]] double season_at(const SeasonalLevel::Expectation& calendar, std::uint64_t row) const;
  void learn(double error, double steps);

  std::uint32_t warm_up_;
  double width_;
  double alpha_;
  StepTime step_;
  double level_ = 0;
  double trend_ = 0;  // For each step.
  SeasonalLevel calendar_;
  PagedCells rows_season_;  // With 'm': by row; else empty.
  ForecastErrors errors_;
};

}  // namespace leat::anomaly
