// Tells a series that has gone to another level from one with an outlier: values that stay on one side, far
// away. Error codes that last, and machines that are switched on, are levels, too. None of their values may
// be learnt as an outlier of bounded size, one after the other: bounds would grow with each.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "pipelines/base/bytes.h"

namespace leat::anomaly {

class NewLevel {
 public:
  /// So many values in a row are a level.
  explicit NewLevel(std::int64_t rows) : rows_(rows) {}

  enum class Finding : std::uint8_t {
    kOutlier,  ///< The first one on this side.
    kMore,     ///< It may be a level.
    kLevel,    ///< It is one, of this mean and variance; the next outlier is a first one again.
  };
  /// A value that is farther from what was expected than is learnt, by `error`.
  Finding add(double value, double error) {
    if (count_ > 0 ? error < 0 : error > 0) count_ = 0;
    if (count_ == 0) learnt_ = 0, mean_ = squares_ = 0;
    count_ += error > 0 ? 1 : -1;
    // The first half may be on the way there.
    if (2 * std::abs(count_) > rows_) {
      const double before = value - mean_;
      mean_ += before / static_cast<double>(++learnt_);
      squares_ += before * (value - mean_);
    }
    if (std::abs(count_) == 1) return Finding::kOutlier;
    if (std::abs(count_) < rows_) return Finding::kMore;
    count_ = 0;
    return Finding::kLevel;
  }
  /// A value came that is no outlier.
  void end() { count_ = 0; }
  [[nodiscard]] double mean() const { return mean_; }
  [[nodiscard]] double variance() const {
    return learnt_ < 2 ? 0 : squares_ / static_cast<double>(learnt_ - 1);
  }

  /// zigzag count, varint learnt, double mean, double squares
  void save(ByteWriter& out) const {
    out.zigzag(count_);
    out.varint(learnt_);
    out.float64(mean_);
    out.float64(squares_);
  }
  void load(ByteReader& in) {
    count_ = in.zigzag();
    learnt_ = in.varint();
    mean_ = in.float64();
    squares_ = in.float64();
  }

 private:
  std::int64_t rows_;
  std::int64_t count_ = 0;  // Negative: below.
  std::uint64_t learnt_ = 0;
  double mean_ = 0;
  double squares_ = 0;
};

}  // namespace leat::anomaly
