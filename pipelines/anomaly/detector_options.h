// What a user can say of a detector. The names are those of JSON_OBJECT in ML_DETECT_ANOMALIES; where
// Confluent's Flink has an option of the same meaning, its name is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipelines/base/options.h"

namespace leat::anomaly {

enum class Method : std::uint8_t {
  kNovelty,         ///< Values, and what is derived of them, that were never near to any before.
  kZscore,          ///< Deviations from the mean.
  kMad,             ///< Deviations from the median of a window; takes several values.
  kEwma,            ///< Errors of a level that follows the series.
  kHoltWinters,     ///< Errors of level, trend and season.
  kCusum,           ///< Small deviations to one side that add up.
  kPageHinkley,     ///< The same for the slowest changes.
  kHalfSpaceTrees,  ///< Rows that lie where few did; takes several values.
};
std::string_view to_string(Method method);
/// It finds seasons by itself.
bool has_own_season(Method method);

inline constexpr std::size_t kMostValues = 64;  ///< In a row.

struct DetectorOptions {
  Method method = Method::kNovelty;
  std::uint32_t history = 2048;
  std::optional<std::uint32_t> min_training;
  std::uint32_t max_training = 512;
  std::optional<double> confidence;  ///< Of the values between the bounds, in percent.
  bool deseasonalise = false;
  std::optional<std::uint32_t> window;
  std::optional<double> threshold;
  std::optional<double> drift;
  std::optional<double> alpha;
  std::uint32_t season_rows = 0;                      ///< 0: the season is that of the calendar.
  std::optional<std::uint32_t> horizon_of_detection;  ///< Of other engines; of no use here.
  std::optional<std::uint32_t> cooldown;
  bool keeps_outliers_out = false;
  std::uint64_t seed = 1;

  /// Rows before the first verdict; novelty and half-space trees need some of their own.
  [[nodiscard]] std::uint32_t warm_up() const;
  /// Rows of the methods that keep some.
  [[nodiscard]] std::uint32_t window_rows() const;
  /// Half of the interval of expected values, in deviations: by the threshold of a method that alerts outside
  /// of it, or by the confidence.
  [[nodiscard]] double width() const;
  [[nodiscard]] double width_of_confidence() const;
};

/// The options of ML_FORECAST.
struct ForecastOptions : DetectorOptions {
  ForecastOptions() { method = Method::kHoltWinters; }
  std::uint32_t horizon = 1;
};

/// The options of ML_DETECT_ANOMALIES.
const OptionTable<DetectorOptions>& detector_option_table();
/// The options of ML_DETECT_ANOMALIES_ROBUST; the method is not among them.
const OptionTable<DetectorOptions>& robust_option_table();
const OptionTable<ForecastOptions>& forecast_option_table();

/// An option that the method has no use for, with the methods that have; or nothing. `given` are those that
/// are written.
std::optional<OptionError> find_useless(const OptionMap& given, const DetectorOptions& options);
/// What is taken and changes nothing, with the reason.
std::vector<OptionError> find_idle(const DetectorOptions& options);
/// What is wrong with options that could be read, for rows of so many values; or nothing.
std::optional<OptionError> find_mistake(const DetectorOptions& options, std::size_t values);
std::optional<OptionError> find_mistake(const ForecastOptions& options);
/// Says what to do instead of an option of ARIMA models that Leat does not have; or nothing.
std::optional<OptionError> find_foreign(const OptionMap& options);

/// The method and what makes its state what it is, as EXPLAIN shows it.
std::string identity_of(const DetectorOptions& options);
/// Of the states that detectors save; part of the plan's identity: a state of another one is not loaded.
inline constexpr std::uint32_t kStateVersion = 3;

}  // namespace leat::anomaly
