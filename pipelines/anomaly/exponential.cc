#include "pipelines/anomaly/exponential.h"

#include <algorithm>
#include <cmath>

#include "pipelines/base/time.h"

namespace leat::anomaly {
namespace {

constexpr double kMostLearnt = 8;  // In root mean squares of the errors.
constexpr double kMostSteps = 10;
constexpr double kStepRate = 0.01;
constexpr double kTrendRate = 0.05;
constexpr double kDamping = 0.98;
constexpr double kSeasonRate = 0.2;

Status ended_well(const ByteReader& in) {
  if (in.ok()) return {};
  return fail(ErrorCode::kCorrupt, "a saved detector ends early");
}

double clipped(double error, const ForecastErrors& errors) {
  constexpr std::uint64_t kFewRows = 10;
  const double most = errors.rows() < kFewRows ? 0 : kMostLearnt * errors.rmse();
  return most > 0 ? std::clamp(error, -most, most) : error;
}

/// The weight of a row that is so many steps behind the last one.
double weight_of(double alpha, double steps) {
  return std::abs(steps - 1) < 0.01 ? alpha : 1 - std::pow(1 - alpha, steps);
}

}  // namespace

double StepTime::steps_to(std::int64_t time) {
  const double passed = ++rows_ == 1 ? 0 : static_cast<double>(time - last_);
  last_ = time;
  if (passed <= 0) return 1;
  if (mean_ <= 0) mean_ = passed;
  const double steps = std::clamp(passed / mean_, 1 / kMostSteps, kMostSteps);
  mean_ += std::max(1 / static_cast<double>(rows_), kStepRate) * (steps - 1) * mean_;
  return steps;
}

void StepTime::save(ByteWriter& out) const {
  out.varint(rows_);
  out.zigzag(last_);
  out.float64(mean_);
}

void StepTime::load(ByteReader& in) {
  rows_ = in.varint();
  last_ = in.zigzag();
  mean_ = in.float64();
}

// ---- ewma ------------------------------------------------------------------------------------------------

Ewma::Ewma(const DetectorOptions& options)
    : warm_up_(options.warm_up()),
      width_(options.width()),
      alpha_(options.alpha),
      errors_(options.max_training) {}

Verdict Ewma::judge(std::span<const double> values, std::int64_t time) {
  const double value = values[0];
  const double steps = step_.steps_to(time);
  if (errors_.rows() == 0) level_ = value;
  Verdict verdict;
  const double error = value - level_;
  const bool warm = errors_.rows() >= warm_up_;
  if (warm) {
    verdict = judge_error(value, level_, errors_.rmse(), width_);
    verdict.rmse = errors_.rmse();
    verdict.aic = errors_.aic(1);
  }
  const double learnt = clipped(error, errors_);
  level_ += weight_of(alpha_, steps) * learnt;
  errors_.add(learnt);
  return verdict;
}

// head := step, double level, errors
void Ewma::save(ByteWriter& out) const {
  step_.save(out);
  out.float64(level_);
  errors_.save(out);
}

Status Ewma::load(ByteReader& in) {
  step_.load(in);
  level_ = in.float64();
  errors_.load(in);
  return ended_well(in);
}

// ---- holt_winters ----------------------------------------------------------------------------------------

HoltWinters::HoltWinters(const DetectorOptions& options)
    : warm_up_(std::max(options.warm_up(), 2 * options.season_rows)),
      width_(options.width()),
      alpha_(options.alpha),
      rows_season_(options.season_rows, 'm'),
      errors_(options.max_training) {}

double HoltWinters::season_at(const SeasonalLevel::Expectation& calendar, std::uint64_t row) const {
  return rows_season_.size() == 0 ? calendar.season
                                  : rows_season_[static_cast<std::size_t>(row % rows_season_.size())];
}

Verdict HoltWinters::judge(std::span<const double> values, std::int64_t time) {
  const double value = values[0];
  const double steps = step_.steps_to(time);
  const SeasonalLevel::Expectation calendar = calendar_.expect(time);
  const double season = season_at(calendar, errors_.rows());
  if (errors_.rows() == 0) level_ = value;
  const double expected = level_ + kDamping * trend_ * steps + season;
  Verdict verdict;
  const bool warm = errors_.rows() >= warm_up_;
  if (warm) {
    verdict = judge_error(value, expected, errors_.rmse(), width_);
    verdict.rmse = errors_.rmse();
    verdict.aic = errors_.aic(kParameters);
  }
  const double error = clipped(value - expected, errors_);
  if (rows_season_.size() == 0) calendar_.learn(calendar, value);
  learn(error, steps);
  return verdict;
}

void HoltWinters::learn(double error, double steps) {
  const double weight = weight_of(alpha_, steps);
  if (rows_season_.size() > 0) {
    const auto place = static_cast<std::size_t>(errors_.rows() % rows_season_.size());
    rows_season_.set(place, rows_season_[place] + kSeasonRate * (1 - weight) * error);
  }
  level_ += kDamping * trend_ * steps + weight * error;
  trend_ = kDamping * trend_ + kTrendRate * weight * error / steps;
  errors_.add(error);
}

std::vector<HoltWinters::Forecast> HoltWinters::forecast(std::uint32_t steps) const {
  std::vector<Forecast> forecasts;
  if (errors_.rows() < warm_up_) return forecasts;
  double trend = 0;  // Of all steps so far.
  double share = 1;
  double variance = errors_.rmse() * errors_.rmse();
  for (std::uint32_t i = 0; i < steps; ++i) {
    share *= kDamping;
    trend += share * trend_;
    Forecast next;
    next.time =
        saturating_add(step_.last(), static_cast<std::int64_t>(std::llround((i + 1) * step_.micros())));
    next.value = level_ + trend + season_at(calendar_.expect(next.time), errors_.rows() + i);
    const double width = width_ * std::sqrt(variance);
    next.lower = next.value - width;
    next.upper = next.value + width;
    forecasts.push_back(next);
    // What the next error of this size would have moved (Hyndman and others 2008, section 6.1).
    const double moved = alpha_ * (1 + kTrendRate * (i + 1));
    variance += moved * moved * errors_.rmse() * errors_.rmse();
  }
  return forecasts;
}

// head := step, double level, double trend, calendar, errors
void HoltWinters::save(ByteWriter& out) const {
  step_.save(out);
  out.float64(level_);
  out.float64(trend_);
  calendar_.save(out);
  errors_.save(out);
}

Status HoltWinters::load(ByteReader& in) {
  step_.load(in);
  level_ = in.float64();
  trend_ = in.float64();
  calendar_.load(in);
  errors_.load(in);
  return ended_well(in);
}

void HoltWinters::save_pages(StatePages& pages) {
  calendar_.save_pages(pages);
  rows_season_.save_pages(pages);
}

Status HoltWinters::load_page(std::string_view page, std::string_view value) {
  if (rows_season_.owns(page)) return rows_season_.load_page(page, value);
  if (!SeasonalLevel::owns(page)) return Detector::load_page(page, value);
  ByteReader name(page);
  ByteReader content(value);
  return calendar_.load_page(name, content);
}

void HoltWinters::unsave_pages(StatePages& pages) {
  calendar_.unsave_pages(pages);
  rows_season_.unsave_pages(pages);
}

}  // namespace leat::anomaly
