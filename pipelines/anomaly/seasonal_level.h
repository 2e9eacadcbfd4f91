// The level of a series with the hours of its day and of its week: what is left of a value when these are
// taken away. A season is only used where it forecasts clearly better than the plain level does, so that a
// series without seasons is not made worse by one.
//
// Hours are those of the event times in UTC. Uneven sampling and gaps need no care: a bucket that saw no row
// keeps its value, and trust in a bucket grows with the rows that it saw.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipelines/anomaly/detector.h"

namespace leat::anomaly {

class SeasonalLevel {
 public:
  /// What is expected at a time.
  struct Expectation {
    std::size_t hour_of_day = 0;
    std::size_t hour_of_week = 0;
    double daily = 0;   ///< The correction by the hour of the day …
    double weekly = 0;  ///< … and with the hour of the week behind it.
    double season = 0;  ///< The mixture of none, `daily` and `weekly` that did best so far.
  };
  [[nodiscard]] Expectation expect(std::int64_t time) const;
  /// Learns a value; `expected` is what `expect` gave for its time.
  void learn(const Expectation& expected, double value);

  [[nodiscard]] double level() const { return level_; }
  /// Mean size of the errors of level and season, outliers cut.
  [[nodiscard]] double error_size() const { return error_size_; }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }

  /// head := varint rows, double level, double error size, 3 double errors
  void save(ByteWriter& out) const;
  void load(ByteReader& in);
  /// page := 's' u8 bucket => double value, varint rows       (buckets: 24 of the day, then 168 of the week)
  void save_pages(StatePages& pages);
  Status load_page(ByteReader& page, ByteReader& value);
  void unsave_pages(StatePages& pages);
  [[nodiscard]] static bool owns(std::string_view page) { return page.starts_with(kPageTag); }

 private:
  static constexpr char kPageTag = 's';
  static constexpr std::size_t kDayHours = 24;
  static constexpr std::size_t kWeekHours = 168;
  struct Bucket {
    double value = 0;
    std::uint32_t rows = 0;
    bool changed = false;
    bool saved = false;
  };
  [[nodiscard]] double clipped(double error) const;
  Bucket& day(std::size_t hour) { return buckets_[hour]; }
  Bucket& week(std::size_t hour) { return buckets_[kDayHours + hour]; }

  std::uint64_t rows_ = 0;
  double level_ = 0;
  double error_size_ = 0;
  std::array<double, 3> errors_{};  // Mean size: of the level alone, with the day, with the week, too.
  std::array<Bucket, kDayHours + kWeekHours> buckets_{};
};

}  // namespace leat::anomaly
