// The normal distribution, and errors of forecasts judged by it.
#pragma once

#include <cstdint>
#include <optional>

#include "pipelines/anomaly/block_mean.h"
#include "pipelines/anomaly/detector.h"

namespace leat::anomaly {

/// How rare an error of `z` standard deviations, on either side, is.
double rarity_of_deviations(double z);
/// The number of standard deviations on either side that hold a share of all values; 0 < share < 1.
double deviations_of_share(double share);

/// The errors behind a flat line, where there is no deviation to measure them by: the first three may be
/// error codes. From then on the line is none any more, and the smallest error so far tells its spread.
class FlatLine {
 public:
  /// None: nothing is learnt of this one yet. Otherwise what is, and the spread begins with it.
  std::optional<double> learnt(double error);

  /// varint errors, double the smallest
  void save(ByteWriter& out) const;
  void load(ByteReader& in);

 private:
  std::uint64_t errors_ = 0;
  double smallest_ = 0;  // Its size.
};

/// Forecasts' errors so far: a mean over all of them at first, and over the last one to two `window`s of rows
/// later on.
class ForecastErrors {
 public:
  explicit ForecastErrors(std::uint32_t window) : window_(window), mean_square_(window) {}

  void add(double error);
  /// What was before is no measure any more.
  void restart(double error);
  /// A row of which no error is learnt.
  void pass() { ++rows_; }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] double rmse() const;
  /// Of a model of so many parameters.
  [[nodiscard]] double aic(int parameters) const;

  /// varint rows, mean square
  void save(ByteWriter& out) const;
  void load(ByteReader& in);

 private:
  std::uint32_t window_;
  std::uint64_t rows_ = 0;
  BlockMean mean_square_;
};

/// The verdict on a value whose forecast has errors of standard deviation `deviation`. Where there never was
/// an error, any error is as rare as can be. `width`: half of the interval of expected values, in deviations.
Verdict judge_error(double value, double forecast, double deviation, double width);

}  // namespace leat::anomaly
