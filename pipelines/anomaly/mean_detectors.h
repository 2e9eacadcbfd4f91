// Detectors that hold a handful of numbers: deviations from the mean, and sums of small deviations.
#pragma once

#include "pipelines/anomaly/detector.h"
#include "pipelines/anomaly/detector_options.h"
#include "pipelines/anomaly/new_level.h"
#include "pipelines/anomaly/normal.h"

namespace leat::anomaly {

/// Mean and variance of all rows at first, and of the last one to two `window`s of rows later on.
class RunningMoments {
 public:
  explicit RunningMoments(std::uint32_t window) : mean_(window), variance_(window) {}

  void add(double value);
  /// Adds the value, brought to within so many deviations of the mean. Values that stay beyond that are a new
  /// level after a while, and are not learnt before; what a flat line is, is not given up for a few others.
  void add_clipped(double value, double deviations);
  /// The next rows tell a new mean quickly; the variance stays.
  void restart_mean() { mean_.restart(0, 0); }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] double mean() const { return mean_.value(); }
  [[nodiscard]] double deviation() const;

  /// varint rows, mean, variance, flat line, new level
  void save(ByteWriter& out) const;
  void load(ByteReader& in);

 private:
  void add_outlier(double value, double most);

  std::uint64_t rows_ = 0;
  BlockMean mean_;
  BlockMean variance_;
  FlatLine flat_;
  NewLevel level_{24};
};

/// 'zscore': how many standard deviations a value is from the mean.
class Zscore : public Detector {
 public:
  explicit Zscore(const DetectorOptions& options);
  [[nodiscard]] std::size_t memory_bytes() const override { return sizeof *this; }
  void save(ByteWriter& out) const override { moments_.save(out); }
  Status load(ByteReader& in) override;

 protected:
  Verdict judge(std::span<const double> values, std::int64_t time) override;

 private:
  std::uint32_t warm_up_;
  double width_;
  RunningMoments moments_;
};

/// 'cusum' and 'page_hinkley': deviations from the mean that are larger than a drift, summed to each side
/// (Page 1954). The sum of one side falls back to 0 where it would be below. An alert begins anew: with the
/// level that follows, and the spread that was.
///
/// Page and Hinkley's test has the same sums over the mean of all rows since the last change, with a smaller
/// drift and a higher threshold: it finds slower changes later.
class DriftSums : public Detector {
 public:
  struct Form {
    double drift = 0.5;    ///< In standard deviations.
    double threshold = 8;  ///< The same.
  };
  static constexpr Form kCusum{0.5, 10};
  static constexpr Form kPageHinkley{0.1, 50};

  DriftSums(const DetectorOptions& options, Form form);
  [[nodiscard]] std::size_t memory_bytes() const override { return sizeof *this; }
  void save(ByteWriter& out) const override;
  Status load(ByteReader& in) override;

 protected:
  Verdict judge(std::span<const double> values, std::int64_t time) override;

 private:
  std::uint32_t warm_up_;
  Form form_;
  double width_;
  RunningMoments moments_;
  double above_ = 0;
  double below_ = 0;
};

}  // namespace leat::anomaly
