// The level of a series with the hours of its day and of its week: what is left of a value when these are
// taken away. A season is only used where it forecasts clearly better than the plain level does, so that a
// series without seasons is not made worse by one.
//
// Hours are those of the event times in UTC. Uneven sampling and gaps need no care: a bucket that saw no row
// keeps its value, and trust in a bucket grows with the rows that it saw.
//
// On a ramp the level lags behind, and each hour that has been met would know the lag while a new one does
// not. So kSteps trusts no season while most of the errors of the plain level are on one side (kLines takes
// what all hours share out of them).
//
// Outliers are learnt as five sizes of the usual error, so that they move nothing far. Errors that stay
// beyond that, on one side, are a new level: after 24 rows the level goes there at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "pipelines/anomaly/detector.h"

namespace leat::anomaly {

class SeasonalLevel {
 public:
  enum class Shape : std::uint8_t {
    kSteps,  ///< An hour has one value: finest where values are compared with those of the same hour.
    /// From hour to hour in straight lines, and without a part that all hours share: for forecasts, which
    /// must not jump at the turn of an hour, nor take the lag of a level behind a ramp for a season.
    kLines,
  };
  explicit SeasonalLevel(Shape shape) : shape_(shape) {}

  /// What is expected at a time.
  struct Expectation {
    std::size_t hour_of_day = 0;
    std::size_t hour_of_week = 0;
    double into_hour = 0;  ///< kLines: from 0 to 1.
    double daily = 0;      ///< The correction by the hour of the day …
    double weekly = 0;     ///< … and with the hour of the week behind it.
    double season = 0;     ///< The mixture of none, `daily` and `weekly` that did best so far.
  };
  [[nodiscard]] Expectation expect(std::int64_t time) const;
  /// Learns a value; `expected` is what `expect` gave for its time. Gives how far the level has just gone
  /// because the series has a new one; nearly always 0.
  double learn(const Expectation& expected, double value);

  /// As a new one; only what the store has of it is kept in mind.
  void forget();

  [[nodiscard]] double level() const { return level_; }
  /// Mean size of the errors of level and season, outliers cut.
  [[nodiscard]] double error_size() const { return error_size_; }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }

  /// head := varint rows, double level, double error size, 3 double errors, zigzag rows beyond, double mean,
  ///   double lag
  void save(ByteWriter& out) const;
  void load(ByteReader& in);
  /// page := 's' u8 bucket => double value, double rows       (buckets: 24 of the day, then 168 of the week)
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
    double rows = 0;
    bool changed = false;
    bool saved = false;
  };
  using Buckets = std::span<Bucket>;
  [[nodiscard]] Buckets days() { return Buckets(buckets_).first(kDayHours); }
  [[nodiscard]] Buckets weeks() { return Buckets(buckets_).subspan(kDayHours); }
  [[nodiscard]] double clipped(double error) const;
  /// What buckets say, `into` from one hour to the next, each as far as it is trusted.
  [[nodiscard]] double value_at(std::span<const Bucket> buckets, std::size_t hour, double into) const;
  /// The same, trusted as it is.
  [[nodiscard]] double raw_at(std::span<const Bucket> buckets, std::size_t hour, double into) const;
  void teach(Buckets buckets, std::size_t hour, double into, double least_rate, double error) const;
  [[nodiscard]] double mixture(const Expectation& expected) const;
  /// From 0 to 1: how far the values swing about the level, and do not run ahead of it.
  [[nodiscard]] double share_without_lag() const;
  double find_new_level(double error);

  Shape shape_;
  std::uint64_t rows_ = 0;
  double level_ = 0;
  double error_size_ = 0;
  std::int64_t rows_beyond_ = 0;    // Errors beyond what is learnt, in a row; negative: below.
  double mean_beyond_ = 0;          // Of them.
  double lag_ = 0;                  // Of the level alone behind the values, in the mean.
  std::array<double, 3> errors_{};  // Mean size: of the level alone, with the day, with the week, too.
  std::array<Bucket, kDayHours + kWeekHours> buckets_{};
};

}  // namespace leat::anomaly
