#include "pipelines/anomaly/mad.h"

#include <algorithm>
#include <cmath>

#include "pipelines/anomaly/normal.h"

namespace leat::anomaly {
namespace {

constexpr double kDeviationOfMedian = 1.4826022185056018;  // Of normal values.
// Of the median: smaller deviations are rounding. So where nearly all values are the same, any other one is
// odd.
constexpr double kRounding = 1e-12;

/// Deviations that one normal value would have to be as rare as `values` of them with this sum of squares.
double as_one_value(double squares, std::size_t values) {
  if (values == 1) return std::sqrt(squares);
  const auto degrees = static_cast<double>(values);
  const double part = 2 / (9 * degrees);
  return std::max(0.0, (std::cbrt(squares / degrees) - (1 - part)) / std::sqrt(part));
}

}  // namespace

Mad::Mad(const DetectorOptions& options, std::size_t values)
    : warm_up_(options.warm_up()), width_(options.width()), keeps_outliers_out_(options.keeps_outliers_out) {
  for (std::size_t i = 0; i < values; ++i) {
    windows_.emplace_back(options.window_rows(), static_cast<char>(static_cast<unsigned char>(i)));
    errors_.emplace_back(options.window_rows());
  }
}

Verdict Mad::judge(std::span<const double> values, std::int64_t time) {
  (void)time;
  for (MedianWindow& window : windows_) window.finish_loading();
  Verdict verdict;
  if (rows_ >= warm_up_) verdict = judge_warm(values);
  ++rows_;
  learn(values, verdict.alert);
  return verdict;
}

Verdict Mad::judge_warm(std::span<const double> values) const {
  Verdict worst;
  double squares = 0;
  double most = -1;
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    const double median = windows_[i].median();
    // What a sensor of coarse steps measures lies within half a step of what it shows.
    const double distance = std::max(windows_[i].median_distance(), windows_[i].step() / 2);
    const double deviation = std::max(kDeviationOfMedian * distance, kRounding * std::abs(median));
    Verdict verdict = judge_error(values[i], median, deviation, width_);
    const double error = std::abs(values[i] - median);
    const double z = error == 0 ? 0 : std::min(error / deviation, 1e6);
    squares += z * z;
    if (z <= most) continue;
    most = z;
    verdict.value = i;
    verdict.rmse = errors_[i].rmse();
    worst = verdict;
  }
  if (windows_.size() == 1) return worst;
  const double z = as_one_value(squares, windows_.size());
  worst.rarity = rarity_of_deviations(z);
  worst.alert = z > width_;
  return worst;
}

/// Outliers that are kept out count as a usual value on their side, until they are so many that they are the
/// new level. As the median they would make the distances smaller, and so more values outliers.
void Mad::learn(std::span<const double> values, bool outlier) {
  outliers_in_row_ = outlier ? outliers_in_row_ + 1 : 0;
  const bool keep_out = keeps_outliers_out_ && outlier && 2 * outliers_in_row_ <= windows_[0].size();
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    MedianWindow& window = windows_[i];
    if (window.size() == 0) {
      window.add(values[i]);
      continue;
    }
    const double error = values[i] - window.median();
    errors_[i].add(error);
    const double usual = std::min(std::abs(error), window.median_distance());
    window.add(keep_out ? window.median() + std::copysign(usual, error) : values[i]);
  }
}

std::size_t Mad::most_memory_bytes() const {
  std::size_t bytes =
      sizeof *this + windows_.capacity() * sizeof(MedianWindow) + errors_.capacity() * sizeof(ForecastErrors);
  for (const MedianWindow& window : windows_) bytes += window.most_memory_bytes();
  return bytes;
}

std::size_t Mad::memory_bytes() const {
  std::size_t bytes =
      sizeof *this + windows_.capacity() * sizeof(MedianWindow) + errors_.capacity() * sizeof(ForecastErrors);
  for (const MedianWindow& window : windows_) bytes += window.memory_bytes();
  return bytes;
}

// ---- State -----------------------------------------------------------------------------------------------

// head := varint rows, varint outliers in a row, window…, errors…
void Mad::save(ByteWriter& out) const {
  out.varint(rows_);
  out.varint(outliers_in_row_);
  for (const MedianWindow& window : windows_) window.save(out);
  for (const ForecastErrors& errors : errors_) errors.save(out);
}

Status Mad::load(ByteReader& in) {
  rows_ = in.varint();
  outliers_in_row_ = in.varint();
  for (MedianWindow& window : windows_) window.load(in);
  for (ForecastErrors& errors : errors_) errors.load(in);
  if (!in.ok()) return fail(ErrorCode::kCorrupt, "a saved detector ends early");
  return {};
}

void Mad::save_pages(StatePages& pages) {
  for (MedianWindow& window : windows_) window.cells().save_pages(pages);
}

Status Mad::load_page(std::string_view page, std::string_view value) {
  for (MedianWindow& window : windows_)
    if (window.cells().owns(page)) return window.cells().load_page(page, value);
  return Detector::load_page(page, value);
}

void Mad::unsave_pages(StatePages& pages) {
  for (MedianWindow& window : windows_) window.cells().unsave_pages(pages);
}

}  // namespace leat::anomaly
