// Exponential smoothing: 'ewma' (a level), and 'holt_winters' (level, trend and season), which also forecasts
// several steps ahead for ML_FORECAST.
//
// Rows need not come evenly: a row behind a gap counts for as many steps as the gap has, up to ten, where a
// step is the mean time between rows. The season is that of the calendar (seasonal_level.h), which gaps do
// not shift; or with 'm' that of every m rows, which they do.
//
// 'holt_winters' is a few forms of one model side by side, from a slow level to the last value itself, each
// with and without the season; the one whose errors were the smallest lately forecasts. So a series that has
// no season, or only wanders, is forecast no worse than by its last value. The season is found apart from
// them, from the distances of values to the mean of a whole season: what one of them learns never comes back
// by another.
//
// An outlier, beyond eight deviations, is not learnt; a second one behind it is, as a new level.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "pipelines/anomaly/detector.h"
#include "pipelines/anomaly/detector_options.h"
#include "pipelines/anomaly/new_level.h"
#include "pipelines/anomaly/normal.h"
#include "pipelines/anomaly/paged_cells.h"
#include "pipelines/anomaly/seasonal_level.h"

namespace leat::anomaly {

/// The time between rows.
class StepTime {
 public:
  /// How many steps a row is behind the last one, from 0.1 to 10; 1 for the first.
  double steps_to(std::int64_t time);
  /// How many whole steps are between it and the last one; 0 for the first. Call before `steps_to`.
  [[nodiscard]] std::uint64_t rows_missing_before(std::int64_t time) const;
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

class Ewma : public Detector {
 public:
  explicit Ewma(const DetectorOptions& options);
  [[nodiscard]] std::size_t memory_bytes() const override { return sizeof *this; }
  void save(ByteWriter& out) const override;
  Status load(ByteReader& in) override;

 protected:
  Verdict judge(std::span<const double> values, std::int64_t time) override;

 private:
  std::uint32_t warm_up_;
  double width_;
  double alpha_;
  void learn(double value, double steps);

  StepTime step_;
  double level_ = 0;
  ForecastErrors errors_;
  FlatLine flat_;
  NewLevel new_level_{8};  // It follows.
};

/// A season of every m rows: of each of its places the mean distance from the mean of the m rows up to it.
/// The distances' own mean is taken away, so that a ramp is no season.
class RowSeason {
 public:
  /// 0 rows: there is no season.
  explicit RowSeason(std::uint32_t rows) : recent_(rows, 'r'), places_(rows, 'm') {}

  [[nodiscard]] bool is_empty() const { return places_.size() == 0; }
  /// Of the row that is `ahead` rows behind the next one.
  [[nodiscard]] double at(std::uint64_t ahead) const;
  void learn(double value);
  /// So many rows are missing: the next one has another place.
  void pass(std::uint64_t rows);
  [[nodiscard]] std::size_t memory_bytes() const { return recent_.memory_bytes() + places_.memory_bytes(); }

  /// head := varint rows, double sum of the places, double sum of the last m rows, double mean size of
  /// distances
  void save(ByteWriter& out) const;
  void load(ByteReader& in);
  void save_pages(StatePages& pages);
  [[nodiscard]] bool owns(std::string_view page) const { return recent_.owns(page) || places_.owns(page); }
  Status load_page(std::string_view page, std::string_view value);
  void unsave_pages(StatePages& pages);

 private:
  PagedCells recent_;  // The last m values, a ring.
  PagedCells places_;
  std::uint64_t rows_ = 0;
  double sum_ = 0;         // Of the places.
  double recent_sum_ = 0;  // Made anew at each turn of the ring: what is carried on drifts.
  double size_ = 0;        // Of what is learnt.
};

class HoltWinters : public Detector {
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

 protected:
  Verdict judge(std::span<const double> values, std::int64_t time) override;

 private:
  static constexpr std::size_t kForms = 5;
  /// A level and a trend for each step, in the way of one form.
  struct Model {
    double level = 0;
    double trend = 0;
    double mean_square = 0;  // Of its latest errors, outliers cut.
  };
  /// The weights of a form; the first is of the weight that was given.
  struct Form {
    double level = 0;
    double trend = 0;  // Of what the level learns.
    double damping = 1;
  };
  [[nodiscard]] Form form_of(std::size_t model) const;
  [[nodiscard]] static bool is_seasonal(std::size_t model) { return model >= kForms; }
  [[nodiscard]] double expected_of(std::size_t model, double season, double steps) const;
  void learn(double value, double season, double steps);
  bool add_error(double error);
  void begin_level(double value, double season);
  void choose();

  std::uint32_t warm_up_;
  double width_;
  std::optional<double> alpha_;
  StepTime step_;
  std::array<Model, 2 * kForms> models_{};  // Without and then with the season.
  std::size_t chosen_ = 0;
  bool was_outlier_ = false;  // The last row.
  double mean_size_ = 0;      // Of values.
  SeasonalLevel calendar_{SeasonalLevel::Shape::kLines};
  RowSeason rows_season_;  // With 'm'.
  ForecastErrors errors_;
  FlatLine flat_;
};

}  // namespace leat::anomaly
