// The normal distribution, and errors of forecasts judged by it.
#pragma once

#include <cstdint>

#include "pipelines/anomaly/detector.h"

namespace leat::anomaly {

/// How rare an error of `z` standard deviations, on either side, is.
double rarity_of_deviations(double z);
/// The number of standard deviations on either side that hold a share of all values; 0 < share < 1.
double deviations_of_share(double share);

/// What is learnt of the first errors behind a flat line, where there is no deviation to measure them by:
/// nothing of the first, which may be an error code; of the others no more than the smallest so far.
class FlatLine {
 public:
  double learnt(double error);

  /// double smallest error
  void save(ByteWriter& out) const { out.float64(smallest_); }
  void load(ByteReader& in) { smallest_ = in.float64(); }

 private:
  double smallest_ = 0;  // Its size; 0: there was none.
};

/// Forecasts' errors so far: a mean over all of them at first, and over about the last `window` later on.
class ForecastErrors {
 public:
  explicit ForecastErrors(std::uint32_t window) : window_(window) {}

  void add(double error);
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] double rmse() const;
  /// Of a model of so many parameters.
  [[nodiscard]] double aic(int parameters) const;

  /// varint rows, double mean square
  void save(ByteWriter& out) const;
  void load(ByteReader& in);

 private:
  std::uint32_t window_;
  std::uint64_t rows_ = 0;
  double mean_square_ = 0;
};

/// The verdict on a value whose forecast has errors of standard deviation `deviation`. Where there never was
/// an error, any error is as rare as can be. `width`: half of the interval of expected values, in deviations.
Verdict judge_error(double value, double forecast, double deviation, double width);

}  // namespace leat::anomaly
