#include "pipelines/anomaly/exponential.h"

#include <algorithm>
#include <cmath>

#include "pipelines/base/time.h"

namespace leat::anomaly {
namespace {

constexpr double kMostLearnt = 8;  // In root mean squares of the errors.
// Of the mean size of values: smaller errors are rounding, of which a season of sums has some.
constexpr double kRoundingOfSums = 5e-13;
constexpr double kMostSteps = 10;
constexpr double kAlpha = 0.1;
constexpr double kStepRate = 0.01;
constexpr double kSeasonRate = 0.2;
constexpr double kMostOfSeason = 8;     // In mean sizes of the distances.
constexpr double kRateOfErrors = 0.01;  // About the last hundred rows tell which model is the best …
constexpr double kClearlyBetter = 0.9;  // … and another one must be so by this factor of its mean square.

Status ended_well(const ByteReader& in) {
  if (in.ok()) return {};
  return fail(ErrorCode::kCorrupt, "a saved detector ends early");
}

constexpr std::uint64_t kFewRows = 5;  // Which tell no deviation.

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

std::uint64_t StepTime::rows_missing_before(std::int64_t time) const {
  constexpr double kMost = 1e6;
  const double passed = rows_ == 0 ? 0 : static_cast<double>(time - last_);
  if (mean_ <= 0 || passed <= 0) return 0;
  const double steps = std::min(std::round(passed / mean_), kMost);
  return steps < 2 ? 0 : static_cast<std::uint64_t>(steps) - 1;
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
      alpha_(options.alpha.value_or(kAlpha)),
      errors_(options.max_training) {}

Verdict Ewma::judge(std::span<const double> values, std::int64_t time) {
  const double value = values[0];
  const double steps = step_.steps_to(time);
  if (errors_.rows() == 0) level_ = value;
  Verdict verdict;
  const bool warm = errors_.rows() >= warm_up_;
  if (warm) {
    verdict = judge_error(value, level_, errors_.rmse(), width_);
    verdict.rmse = errors_.rmse();
    verdict.aic = errors_.aic(1);
  }
  learn(value, steps);
  return verdict;
}

void Ewma::learn(double value, double steps) {
  const double error = value - level_;
  const double most = kMostLearnt * errors_.rmse();
  if (errors_.rows() < kFewRows || std::abs(error) <= most) {
    new_level_.end();
    level_ += weight_of(alpha_, steps) * error;
    return errors_.add(error);
  }
  const NewLevel::Finding finding = new_level_.add(value, error);
  if (finding == NewLevel::Finding::kLevel) {
    level_ = new_level_.mean();
    const double deviation = std::sqrt(new_level_.variance());
    return deviation > errors_.rmse() ? errors_.restart(deviation) : errors_.pass();
  }
  if (finding == NewLevel::Finding::kMore) return errors_.pass();
  if (most > 0) {
    level_ += weight_of(alpha_, steps) * std::clamp(error, -most, most);
    return errors_.add(most);
  }
  const std::optional<double> learnt = flat_.learnt(error);
  if (!learnt) return errors_.pass();
  level_ += weight_of(alpha_, steps) * *learnt;
  errors_.restart(*learnt);
}

// head := step, double level, errors, flat line, new level
void Ewma::save(ByteWriter& out) const {
  step_.save(out);
  out.float64(level_);
  errors_.save(out);
  flat_.save(out);
  new_level_.save(out);
}

Status Ewma::load(ByteReader& in) {
  step_.load(in);
  level_ = in.float64();
  errors_.load(in);
  flat_.load(in);
  new_level_.load(in);
  return ended_well(in);
}

// ---- A season of rows ------------------------------------------------------------------------------------

double RowSeason::at(std::uint64_t ahead) const {
  if (is_empty() || rows_ < 2 * places_.size()) return 0;
  return places_[static_cast<std::size_t>((rows_ + ahead) % places_.size())] -
         sum_ / static_cast<double>(places_.size());
}

void RowSeason::learn(double value) {
  if (is_empty()) return;
  const std::size_t size = places_.size();
  const auto place = static_cast<std::size_t>(rows_ % size);
  recent_sum_ += value - recent_[place];
  recent_.set(place, value);
  ++rows_;
  if (rows_ % size == 0) {
    recent_sum_ = 0;
    for (std::size_t i = 0; i < size; ++i) recent_sum_ += recent_[i];
  }
  if (rows_ < size) return;
  const double distance = value - recent_sum_ / static_cast<double>(size) - places_[place];
  const double most = kMostOfSeason * size_;
  const auto turns = static_cast<double>(rows_ / size);
  const double learnt = turns > 2 && most > 0 ? std::clamp(distance, -most, most) : distance;
  size_ += std::max(1 / static_cast<double>(rows_ - size + 1), kStepRate) * (std::abs(learnt) - size_);
  const double change = std::max(1 / turns, kSeasonRate) * learnt;
  places_.set(place, places_[place] + change);
  sum_ += change;
}

/// What is missing counts as the mean.
void RowSeason::pass(std::uint64_t rows) {
  if (is_empty() || rows_ < places_.size()) return;
  const std::size_t size = places_.size();
  if (rows > 2 * size) rows = size + rows % size;
  for (; rows > 0; --rows) {
    const auto place = static_cast<std::size_t>(rows_++ % size);
    const double mean = recent_sum_ / static_cast<double>(size);
    recent_sum_ += mean - recent_[place];
    recent_.set(place, mean);
  }
}

void RowSeason::save(ByteWriter& out) const {
  out.varint(rows_);
  for (const double number : {sum_, recent_sum_, size_}) out.float64(number);
}

void RowSeason::load(ByteReader& in) {
  rows_ = in.varint();
  for (double* number : {&sum_, &recent_sum_, &size_}) *number = in.float64();
}

void RowSeason::save_pages(StatePages& pages) {
  recent_.save_pages(pages);
  places_.save_pages(pages);
}

Status RowSeason::load_page(std::string_view page, std::string_view value) {
  return recent_.owns(page) ? recent_.load_page(page, value) : places_.load_page(page, value);
}

void RowSeason::unsave_pages(StatePages& pages) {
  recent_.unsave_pages(pages);
  places_.unsave_pages(pages);
}

// ---- holt_winters ----------------------------------------------------------------------------------------

HoltWinters::HoltWinters(const DetectorOptions& options)
    : warm_up_(std::max(options.warm_up(), 2 * options.season_rows)),
      width_(options.width()),
      alpha_(options.alpha),
      rows_season_(options.season_rows),
      errors_(options.max_training) {}

/// From slow to fast; the last is the last value itself. A weight that was given is that of the first three,
/// and the others are left out.
HoltWinters::Form HoltWinters::form_of(std::size_t model) const {
  constexpr std::array<Form, kForms> kAll = {
      {{0.1, 0.05, 0.98}, {0.1, 0.02, 1}, {0.3, 0.1, 1}, {0.6, 0.4, 1}, {1, 0, 1}}};
  Form form = kAll[model % kForms];
  if (alpha_) form.level = *alpha_;
  return form;
}

double HoltWinters::expected_of(std::size_t model, double season, double steps) const {
  const Model& of = models_[model];
  return of.level + form_of(model).damping * of.trend * steps + (is_seasonal(model) ? season : 0);
}

Verdict HoltWinters::judge(std::span<const double> values, std::int64_t time) {
  const double value = values[0];
  rows_season_.pass(step_.rows_missing_before(time));
  const double steps = step_.steps_to(time);
  const SeasonalLevel::Expectation calendar = calendar_.expect(time);
  const double season = rows_season_.is_empty() ? calendar.season : rows_season_.at(0);
  if (errors_.rows() == 0)
    for (Model& model : models_) model.level = value;
  const double expected = expected_of(chosen_, season, steps);
  Verdict verdict;
  if (errors_.rows() >= warm_up_) {
    verdict = judge_error(value, expected, std::max(errors_.rmse(), kRoundingOfSums * mean_size_), width_);
    verdict.rmse = errors_.rmse();
    verdict.aic = errors_.aic(kParameters);
  }
  if (rows_season_.is_empty())
    calendar_.learn(calendar, value);
  else
    rows_season_.learn(value);
  const bool is_outlier = add_error(value - expected);
  if (!is_outlier)
    learn(value, season, steps);
  else if (was_outlier_)
    begin_level(value, season);
  was_outlier_ = is_outlier;
  return verdict;
}

/// True: it is one of an outlier.
bool HoltWinters::add_error(double error) {
  const double most = kMostLearnt * errors_.rmse();
  if (errors_.rows() < kFewRows || std::abs(error) <= most) {
    errors_.add(error);
    return false;
  }
  if (most > 0)
    errors_.add(most);
  else if (const std::optional<double> learnt = flat_.learnt(error))
    errors_.restart(*learnt);
  else
    errors_.pass();
  return true;
}

/// A jump is no trend.
void HoltWinters::begin_level(double value, double season) {
  for (std::size_t i = 0; i < models_.size(); ++i) models_[i].level = value - (is_seasonal(i) ? season : 0);
}

void HoltWinters::learn(double value, double season, double steps) {
  const double most = kMostLearnt * errors_.rmse();
  const double rate = std::max(1 / static_cast<double>(errors_.rows()), kRateOfErrors);
  mean_size_ += rate * (std::abs(value) - mean_size_);
  for (std::size_t i = 0; i < models_.size(); ++i) {
    Model& model = models_[i];
    const Form form = form_of(i);
    const double error = value - expected_of(i, season, steps);
    const double weight = weight_of(form.level, steps);
    model.level += form.damping * model.trend * steps + weight * error;
    model.trend = form.damping * model.trend + form.trend * weight * error / steps;
    const double cut = std::clamp(error, -most, most);
    model.mean_square += rate * (cut * cut - model.mean_square);
  }
  choose();
}

void HoltWinters::choose() {
  std::size_t best = chosen_;
  for (std::size_t i = 0; i < models_.size(); ++i) {
    const bool is_left_out = alpha_ && i % kForms > 2;
    if (!is_left_out && models_[i].mean_square < models_[best].mean_square) best = i;
  }
  if (models_[best].mean_square < kClearlyBetter * models_[chosen_].mean_square) chosen_ = best;
}

std::vector<HoltWinters::Forecast> HoltWinters::forecast(std::uint32_t steps) const {
  std::vector<Forecast> forecasts;
  if (errors_.rows() < warm_up_) return forecasts;
  const Model& model = models_[chosen_];
  const Form form = form_of(chosen_);
  double trend = 0;  // Of all steps so far.
  double share = 1;
  double variance = errors_.rmse() * errors_.rmse();
  for (std::uint32_t i = 0; i < steps; ++i) {
    share *= form.damping;
    trend += share * model.trend;
    Forecast next;
    next.time =
        saturating_add(step_.last(), static_cast<std::int64_t>(std::llround((i + 1) * step_.micros())));
    next.value = model.level + trend;
    if (is_seasonal(chosen_))
      next.value += rows_season_.is_empty() ? calendar_.expect(next.time).season : rows_season_.at(i);
    const double width = width_ * std::sqrt(variance);
    next.lower = next.value - width;
    next.upper = next.value + width;
    forecasts.push_back(next);
    // What the next error of this size would have moved (Hyndman and others 2008, section 6.1).
    const double moved = form.level * (1 + form.trend * (i + 1));
    variance += moved * moved * errors_.rmse() * errors_.rmse();
  }
  return forecasts;
}

// head := step, (double level, double trend, double mean square)…, varint model, u8 1: the last row was an
// outlier,
//         double mean size, calendar, season of rows, errors, flat
//         line
void HoltWinters::save(ByteWriter& out) const {
  step_.save(out);
  for (const Model& model : models_)
    for (const double number : {model.level, model.trend, model.mean_square}) out.float64(number);
  out.varint(chosen_);
  out.u8(was_outlier_ ? 1 : 0);
  out.float64(mean_size_);
  calendar_.save(out);
  rows_season_.save(out);
  errors_.save(out);
  flat_.save(out);
}

Status HoltWinters::load(ByteReader& in) {
  step_.load(in);
  for (Model& model : models_)
    for (double* number : {&model.level, &model.trend, &model.mean_square}) *number = in.float64();
  chosen_ = static_cast<std::size_t>(std::min<std::uint64_t>(in.varint(), models_.size() - 1));
  was_outlier_ = in.u8() != 0;
  mean_size_ = in.float64();
  calendar_.load(in);
  rows_season_.load(in);
  errors_.load(in);
  flat_.load(in);
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
