#include "pipelines/anomaly/seasonal_level.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "pipelines/base/time.h"

namespace leat::anomaly {
namespace {

constexpr std::uint64_t kRowsBeforeSeasons = 20;
constexpr std::uint64_t kRowsBeforeClipping = 30;
constexpr double kClipping = 5;  // In sizes of errors.
constexpr double kTrust = 4;     // Rows at which half of a bucket's value counts.
// A season must be better by this factor; the mixture then goes over to it quickly.
constexpr double kSeasonMargin = 0.85;
constexpr double kSharpness = 16;

// The rate of a mean that is that of all rows at first, and of the last 1/least rows later on.
double rate(std::uint64_t rows, double least) {
  return std::max(1 / static_cast<double>(rows), least);
}

double trust(std::uint32_t rows) {
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
  Expectation expected;
  expected.hour_of_day = static_cast<std::size_t>(floor_mod(time, kMicrosPerDay) / kMicrosPerHour);
  expected.hour_of_week = static_cast<std::size_t>(floor_mod(time, kMicrosPerWeek) / kMicrosPerHour);
  const Bucket& of_day = buckets_[expected.hour_of_day];
  const Bucket& of_week = buckets_[kDayHours + expected.hour_of_week];
  expected.daily = trust(of_day.rows) * of_day.value;
  expected.weekly = expected.daily + trust(of_week.rows) * of_week.value;
  if (rows_ < kRowsBeforeSeasons) return expected;
  const double least = *std::min_element(errors_.begin(), errors_.end()) + 1e-300;
  const double none = weight(errors_[0], least);
  const double day = weight(errors_[1] / kSeasonMargin, least);
  const double week = weight(errors_[2] / kSeasonMargin, least);
  expected.season = (day * expected.daily + week * expected.weekly) / (none + day + week);
  return expected;
}

double SeasonalLevel::clipped(double error) const {
  if (rows_ <= kRowsBeforeClipping || error_size_ <= 0) return error;
  return std::clamp(error, -kClipping * error_size_, kClipping * error_size_);
}

void SeasonalLevel::learn(const Expectation& expected, double value) {
  if (rows_ == 0) level_ = value;
  Bucket& of_day = day(expected.hour_of_day);
  Bucket& of_week = week(expected.hour_of_week);
  const double plain = value - level_;
  const double error = clipped(plain - expected.season);
  const double day_error = clipped(plain - of_day.value);
  const double week_error = clipped(plain - expected.daily - of_week.value);
  const std::array<double, 3> errors = {clipped(plain), clipped(plain - expected.daily),
                                        clipped(plain - expected.weekly)};
  const std::uint64_t rows = rows_ + 1;
  for (std::size_t i = 0; i < errors.size(); ++i)
    errors_[i] += rate(rows, .002) * (std::abs(errors[i]) - errors_[i]);
  error_size_ += rate(rows, .005) * (std::abs(error) - error_size_);
  of_day.value += rate(++of_day.rows, .05) * day_error;
  of_week.value += rate(++of_week.rows, .1) * week_error;
  of_day.changed = of_week.changed = true;
  level_ += rate(rows, .01) * error;
  rows_ = rows;
}

// ---- State -----------------------------------------------------------------------------------------------

void SeasonalLevel::save(ByteWriter& out) const {
  out.varint(rows_);
  for (const double number : {level_, error_size_, errors_[0], errors_[1], errors_[2]}) out.float64(number);
}

void SeasonalLevel::load(ByteReader& in) {
  rows_ = in.varint();
  for (double* number : {&level_, &error_size_, &errors_[0], &errors_[1], &errors_[2]})
    *number = in.float64();
}

void SeasonalLevel::save_pages(StatePages& pages) {
  std::string value;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    Bucket& bucket = buckets_[i];
    if (!bucket.changed) continue;
    value.clear();
    ByteWriter writer(value);
    writer.float64(bucket.value);
    writer.varint(bucket.rows);
    const char name[] = {kPageTag, static_cast<char>(i)};
    pages.put({name, sizeof name}, value);
    bucket.changed = false;
    bucket.saved = true;
  }
}

Status SeasonalLevel::load_page(ByteReader& page, ByteReader& value) {
  page.u8();
  const std::size_t place = page.u8();
  if (!page.ok() || place >= buckets_.size())
    return fail(ErrorCode::kCorrupt, "a saved season of a detector has no such hour");
  Bucket& bucket = buckets_[place];
  bucket.value = value.float64();
  bucket.rows = static_cast<std::uint32_t>(value.varint());
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
