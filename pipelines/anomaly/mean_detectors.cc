#include "pipelines/anomaly/mean_detectors.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace leat::anomaly {
namespace {

constexpr double kMostLearnt = 8;  // Deviations: what is farther is learnt as if it were there.
constexpr double kMostSummed = 4;

Status ended_well(const ByteReader& in) {
  if (in.ok()) return {};
  return fail(ErrorCode::kCorrupt, "a saved detector ends early");
}

}  // namespace

void RunningMoments::add(double value) {
  ++rows_;
  const bool is_first_of_mean = mean_.rows() == 0;
  const double before = is_first_of_mean ? 0 : value - mean_.value();
  mean_.add(value);
  // Of rows that mean and variance share Welford's product is without bias; behind a restart there are none.
  const bool share = mean_.rows() == variance_.rows() + 1;
  const double behind = value - mean_.value();
  variance_.add(share ? before * behind : behind * behind);
}

double RunningMoments::deviation() const {
  return std::sqrt(std::max(variance_.value(), 0.0));
}

void RunningMoments::add_clipped(double value, double deviations) {
  constexpr std::uint64_t kFewRows = 5;  // Which tell no deviation.
  const double most = deviations * deviation();
  if (rows_ >= kFewRows && std::abs(value - mean()) > most) return add_outlier(value, most);
  level_.end();
  add(value);
}

void RunningMoments::add_outlier(double value, double most) {
  const double error = value - mean();
  const NewLevel::Finding finding = level_.add(value, error);
  if (finding == NewLevel::Finding::kLevel) {
    ++rows_;
    mean_.restart(level_.mean(), 1);
    if (level_.variance() > variance_.value()) variance_.restart(level_.variance(), 1);
  } else if (finding == NewLevel::Finding::kMore) {
    ++rows_;
  } else if (most > 0) {
    add(mean() + std::clamp(error, -most, most));
  } else if (const std::optional<double> learnt = flat_.learnt(error)) {
    variance_.restart(0, 0);
    add(mean() + *learnt);
  } else {
    ++rows_;
  }
}

void RunningMoments::save(ByteWriter& out) const {
  out.varint(rows_);
  mean_.save(out);
  variance_.save(out);
  flat_.save(out);
  level_.save(out);
}

void RunningMoments::load(ByteReader& in) {
  rows_ = in.varint();
  mean_.load(in);
  variance_.load(in);
  flat_.load(in);
  level_.load(in);
}

// ---- zscore ----------------------------------------------------------------------------------------------

Zscore::Zscore(const DetectorOptions& options)
    : warm_up_(options.warm_up()), width_(options.width()), moments_(options.max_training) {}

Verdict Zscore::judge(std::span<const double> values, std::int64_t time) {
  (void)time;
  const double value = values[0];
  const bool warm = moments_.rows() >= warm_up_;
  if (!warm) {
    moments_.add_clipped(value, kMostLearnt);
    return {};
  }
  const double deviation = moments_.deviation();
  Verdict verdict = judge_error(value, moments_.mean(), deviation, width_);
  verdict.rmse = deviation;
  moments_.add_clipped(value, kMostLearnt);
  return verdict;
}

Status Zscore::load(ByteReader& in) {
  moments_.load(in);
  return ended_well(in);
}

// ---- Sums of deviations ----------------------------------------------------------------------------------

DriftSums::DriftSums(const DetectorOptions& options, Form form)
    : warm_up_(options.warm_up()),
      form_{options.drift.value_or(form.drift), options.threshold.value_or(form.threshold)},
      width_(options.width_of_confidence()),
      moments_(options.max_training) {}

Verdict DriftSums::judge(std::span<const double> values, std::int64_t time) {
  (void)time;
  const double value = values[0];
  if (moments_.rows() < warm_up_) {
    moments_.add_clipped(value, kMostLearnt);
    return {};
  }
  Verdict verdict = judge_error(value, moments_.mean(), moments_.deviation(), width_);
  verdict.rmse = moments_.deviation();
  const double error = value - moments_.mean();
  // Off a flat line all is far.
  const double z =
      moments_.deviation() > 0 ? error / moments_.deviation() : kMostSummed * ((error > 0) - (error < 0));
  const double summed = std::clamp(z, -kMostSummed, kMostSummed);
  above_ = std::max(0.0, above_ + summed - form_.drift);
  below_ = std::max(0.0, below_ - summed - form_.drift);
  const double sum = std::max(above_, below_);
  // The chance that a sum without any drift reaches h is about exp(-2 k h).
  verdict.rarity = std::min(kGreatestRarity, 2 * form_.drift * sum / std::numbers::ln10);
  verdict.alert = sum >= form_.threshold;
  if (verdict.alert) {
    above_ = below_ = 0;
    moments_.restart_mean();
    moments_.add(value);
  } else {
    moments_.add_clipped(value, kMostSummed);
  }
  return verdict;
}

// head := moments, double sum above, double sum below
void DriftSums::save(ByteWriter& out) const {
  moments_.save(out);
  out.float64(above_);
  out.float64(below_);
}

Status DriftSums::load(ByteReader& in) {
  moments_.load(in);
  above_ = in.float64();
  below_ = in.float64();
  return ended_well(in);
}

}  // namespace leat::anomaly
