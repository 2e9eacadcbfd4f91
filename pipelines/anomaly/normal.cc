#include "pipelines/anomaly/normal.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace leat::anomaly {
namespace {

// Errors of rounding are no errors of a forecast.
constexpr double kRounding = 1e-12;

}  // namespace

double rarity_of_deviations(double z) {
  z = std::abs(z);
  // Beyond it the tail is exp(-z²/2) / (z sqrt(pi/2)) to within some percent, and soon too small for a
  // double.
  constexpr double kFar = 20;
  if (z < kFar) return std::max(0.0, -std::log10(std::erfc(z / std::numbers::sqrt2)));
  return std::min(kGreatestRarity,
                  z * z / 2 * std::numbers::log10e + std::log10(z * std::sqrt(std::numbers::pi / 2)));
}

double deviations_of_share(double share) {
  double low = 0;
  double high = 9;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (std::erf(middle / std::numbers::sqrt2) < share ? low : high) = middle;
  }
  return high;
}

std::optional<double> FlatLine::learnt(double error) {
  constexpr std::uint64_t kMayBeCodes = 3;
  const double size = std::abs(error);
  smallest_ = errors_ == 0 ? size : std::min(smallest_, size);
  if (++errors_ <= kMayBeCodes) return std::nullopt;
  errors_ = 0;
  return std::clamp(error, -smallest_, smallest_);
}

void FlatLine::save(ByteWriter& out) const {
  out.varint(errors_);
  out.float64(smallest_);
}

void FlatLine::load(ByteReader& in) {
  errors_ = in.varint();
  smallest_ = in.float64();
}

void ForecastErrors::add(double error) {
  ++rows_;
  mean_square_.add(error * error);
}

void ForecastErrors::restart(double error) {
  ++rows_;
  mean_square_.restart(error * error, 1);
}

double ForecastErrors::rmse() const {
  return rows_ == 0 ? kUnknown : std::sqrt(mean_square_.value());
}

double ForecastErrors::aic(int parameters) const {
  const double mean_square = mean_square_.value();
  if (rows_ == 0 || mean_square <= 0) return kUnknown;
  const auto rows = static_cast<double>(std::min<std::uint64_t>(rows_, window_));
  return rows * std::log(mean_square) + 2 * parameters;
}

void ForecastErrors::save(ByteWriter& out) const {
  out.varint(rows_);
  mean_square_.save(out);
}

void ForecastErrors::load(ByteReader& in) {
  rows_ = in.varint();
  mean_square_.load(in);
}

Verdict judge_error(double value, double forecast, double deviation, double width) {
  Verdict verdict;
  verdict.forecast = forecast;
  verdict.lower = forecast - width * deviation;
  verdict.upper = forecast + width * deviation;
  const double error = value - forecast;
  const double rounding = kRounding * std::max(std::abs(value), std::abs(forecast));
  if (std::abs(error) <= rounding)
    verdict.rarity = 0;
  else
    verdict.rarity = rarity_of_deviations(error / std::max(deviation, rounding));
  verdict.alert = std::abs(error) > std::max(width * deviation, rounding);
  return verdict;
}

}  // namespace leat::anomaly
