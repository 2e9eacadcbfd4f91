#include "pipelines/anomaly/seasonal_level.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "pipelines/base/time.h"

namespace leat::anomaly {
namespace {

constexpr std::uint64_t kRowsBeforeSeasons = 20;
// Of so many rows whoever calls has cut what is far out …
constexpr std::uint64_t kRowsBeforeClipping = 20;
// … and so many do not tell yet how large usual errors are.
constexpr std::uint64_t kRowsOfYouth = 30;
constexpr double kClipping = 5;  // In sizes of errors.
constexpr double kClippingOfYouth = 16;
constexpr double kTrust = 4;  // Rows at which half of a bucket's value counts.
// A season must be better by this factor; the mixture then goes over to it quickly.
constexpr double kSeasonMargin = 0.85;
constexpr double kSharpness = 16;
constexpr std::int64_t kRowsOfNewLevel = 24;
// The lag of a level, as a share of its errors' size: none of a season is lost up to the one, all from the
// other on. A wave has next to no lag, a ramp whose noise is as large as its lag has 0.86.
constexpr double kLagOfSeason = 0.4;
constexpr double kLagOfRamp = 0.7;

// The rate of a mean that is that of all rows at first, and of the last 1/least rows later on.
double rate(std::uint64_t rows, double least) {
  return std::max(1 / static_cast<double>(rows), least);
}

double trust(double rows) {
  return rows / (rows + kTrust);
}

double weight(double error, double least) {
  double x = error / least + 1e-9;
  for (double power = kSharpness; power > 1; power /= 2) x *= x;
  return 1 / x;
}

}  // namespace

SeasonalLevel::Expectation SeasonalLevel::expect(std::int64_t time) const {
  constexpr std::int64_t kMicrosPerWeek = 7 * kMicrosPerDay;
  const std::span<const Bucket> buckets(buckets_);
  Expectation expected;
  expected.hour_of_day = static_cast<std::size_t>(floor_mod(time, kMicrosPerDay) / kMicrosPerHour);
  expected.hour_of_week = static_cast<std::size_t>(floor_mod(time, kMicrosPerWeek) / kMicrosPerHour);
  if (shape_ == Shape::kLines)
    expected.into_hour =
        static_cast<double>(floor_mod(time, kMicrosPerHour)) / static_cast<double>(kMicrosPerHour);
  expected.daily = value_at(buckets.first(kDayHours), expected.hour_of_day, expected.into_hour);
  expected.weekly =
      expected.daily + value_at(buckets.subspan(kDayHours), expected.hour_of_week, expected.into_hour);
  if (rows_ >= kRowsBeforeSeasons) expected.season = mixture(expected);
  return expected;
}

double SeasonalLevel::share_without_lag() const {
  const double lag = std::abs(lag_) / (errors_[0] + 1e-300);
  return std::clamp((kLagOfRamp - lag) / (kLagOfRamp - kLagOfSeason), 0.0, 1.0);
}

double SeasonalLevel::mixture(const Expectation& expected) const {
  const double least = *std::min_element(errors_.begin(), errors_.end()) + 1e-300;
  const double none = weight(errors_[0], least);
  double day = weight(errors_[1] / kSeasonMargin, least);
  double week = weight(errors_[2] / kSeasonMargin, least);
  if (shape_ == Shape::kLines) {
    if (errors_[1] >= kSeasonMargin * errors_[0]) day = 0;
    if (errors_[2] >= kSeasonMargin * errors_[0]) week = 0;
  } else {
    const double share = share_without_lag();
    day *= share;
    week *= share;
  }
  return (day * expected.daily + week * expected.weekly) / (none + day + week);
}

double SeasonalLevel::raw_at(std::span<const Bucket> buckets, std::size_t hour, double into) const {
  if (shape_ == Shape::kSteps) return buckets[hour].value;
  return (1 - into) * buckets[hour].value + into * buckets[(hour + 1) % buckets.size()].value;
}

double SeasonalLevel::value_at(std::span<const Bucket> buckets, std::size_t hour, double into) const {
  if (shape_ == Shape::kSteps) return trust(buckets[hour].rows) * buckets[hour].value;
  double sum = 0;
  double seen = 0;
  for (const Bucket& bucket : buckets) {
    if (bucket.rows <= 0) continue;
    sum += bucket.value;
    ++seen;
  }
  if (seen == 0) return 0;
  const auto of = [&](const Bucket& bucket) { return trust(bucket.rows) * (bucket.value - sum / seen); };
  return (1 - into) * of(buckets[hour]) + into * of(buckets[(hour + 1) % buckets.size()]);
}

double SeasonalLevel::clipped(double error) const {
  if (rows_ < kRowsBeforeClipping) return error;
  if (error_size_ <= 0) return shape_ == Shape::kSteps ? error : 0;
  const double most = (rows_ <= kRowsOfYouth ? kClippingOfYouth : kClipping) * error_size_;
  return std::clamp(error, -most, most);
}

void SeasonalLevel::teach(Buckets buckets, std::size_t hour, double into, double least_rate,
                          double error) const {
  const auto learn = [&](Bucket& bucket, double share) {
    if (share <= 0) return;
    bucket.rows += share;
    bucket.value += share * std::max(1 / std::max(1.0, bucket.rows), least_rate) * error;
    bucket.changed = true;
  };
  learn(buckets[hour], 1 - into);
  learn(buckets[(hour + 1) % buckets.size()], into);
}

double SeasonalLevel::learn(const Expectation& expected, double value) {
  if (rows_ == 0) level_ = value;
  const double plain = value - level_;
  const double error = plain - expected.season;
  const double learnt = clipped(error);
  const double into = expected.into_hour;
  const double day_error = clipped(plain - raw_at(days(), expected.hour_of_day, into));
  const double week_error = clipped(plain - expected.daily - raw_at(weeks(), expected.hour_of_week, into));
  const std::array<double, 3> errors = {clipped(plain), clipped(plain - expected.daily),
                                        clipped(plain - expected.weekly)};
  const std::uint64_t rows = rows_ + 1;
  for (std::size_t i = 0; i < errors.size(); ++i)
    errors_[i] += rate(rows, .002) * (std::abs(errors[i]) - errors_[i]);
  lag_ += rate(rows, .002) * (errors[0] - lag_);
  // Of a flat line the size of the first error is all that is learnt: it may be an error code.
  error_size_ += rate(rows, .005) * (std::abs(error_size_ > 0 ? learnt : error) - error_size_);
  teach(days(), expected.hour_of_day, into, .05, day_error);
  teach(weeks(), expected.hour_of_week, into, .1, week_error);
  level_ += rate(rows, .01) * learnt;
  rows_ = rows;
  if (error != learnt) return find_new_level(error);
  rows_beyond_ = 0;
  return 0;
}

/// `error` is beyond what is learnt of one row.
double SeasonalLevel::find_new_level(double error) {
  if (rows_beyond_ > 0 ? error < 0 : error > 0) rows_beyond_ = 0;
  if (rows_beyond_ == 0) mean_beyond_ = 0;
  rows_beyond_ += error > 0 ? 1 : -1;
  // The first of them may be of an error code, or of a slope.
  const std::int64_t counted = std::abs(rows_beyond_) - kRowsOfNewLevel / 2;
  if (counted > 0) mean_beyond_ += (error - mean_beyond_) / static_cast<double>(counted);
  if (std::abs(rows_beyond_) < kRowsOfNewLevel) return 0;
  rows_beyond_ = 0;
  level_ += mean_beyond_;
  return mean_beyond_;
}

void SeasonalLevel::forget() {
  SeasonalLevel fresh(shape_);
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    fresh.buckets_[i].saved = buckets_[i].saved;
    fresh.buckets_[i].changed = buckets_[i].saved;
  }
  *this = fresh;
}

// ---- State -----------------------------------------------------------------------------------------------

void SeasonalLevel::save(ByteWriter& out) const {
  out.varint(rows_);
  for (const double number : {level_, error_size_, errors_[0], errors_[1], errors_[2]}) out.float64(number);
  out.zigzag(rows_beyond_);
  out.float64(mean_beyond_);
  out.float64(lag_);
}

void SeasonalLevel::load(ByteReader& in) {
  rows_ = in.varint();
  for (double* number : {&level_, &error_size_, &errors_[0], &errors_[1], &errors_[2]})
    *number = in.float64();
  rows_beyond_ = in.zigzag();
  mean_beyond_ = in.float64();
  lag_ = in.float64();
}

void SeasonalLevel::save_pages(StatePages& pages) {
  std::string value;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    Bucket& bucket = buckets_[i];
    if (!bucket.changed) continue;
    const char name[] = {kPageTag, static_cast<char>(i)};
    bucket.changed = false;
    bucket.saved = bucket.rows > 0;
    if (!bucket.saved) {
      pages.erase({name, sizeof name});
      continue;
    }
    value.clear();
    ByteWriter writer(value);
    writer.float64(bucket.value);
    writer.float64(bucket.rows);
    pages.put({name, sizeof name}, value);
  }
}

Status SeasonalLevel::load_page(ByteReader& page, ByteReader& value) {
  page.u8();
  const std::size_t place = page.u8();
  if (!page.ok() || place >= buckets_.size())
    return fail(ErrorCode::kCorrupt, "a saved season of a detector has no such hour");
  Bucket& bucket = buckets_[place];
  bucket.value = value.float64();
  bucket.rows = value.float64();
  bucket.saved = true;
  if (!value.ok()) return fail(ErrorCode::kCorrupt, "a saved season of a detector ends early");
  return {};
}

void SeasonalLevel::unsave_pages(StatePages& pages) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    Bucket& bucket = buckets_[i];
    const char name[] = {kPageTag, static_cast<char>(i)};
    if (bucket.saved) pages.erase({name, sizeof name});
    bucket.saved = false;
    bucket.changed = bucket.rows > 0;
  }
}

}  // namespace leat::anomaly
