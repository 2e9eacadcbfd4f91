#include "pipelines/anomaly/detector_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "pipelines/anomaly/half_space_trees.h"
#include "pipelines/anomaly/normal.h"
#include "pipelines/anomaly/novelty.h"

namespace leat::anomaly {
namespace {

constexpr std::uint32_t kLeastHistory = 64;
constexpr std::uint32_t kGreatestHistory = 16384;
constexpr std::uint32_t kGreatestWindow = 4096;
constexpr std::uint32_t kGreatestSeason = 10'000;
constexpr std::uint32_t kGreatestHorizon = 1'000;
constexpr std::uint32_t kLeastRowsOfNovelty = Novelty::kLeastWarmUp;
constexpr std::uint32_t kRowsBehindWindow = HalfSpaceTrees::least_warm_up(0);

struct NamedMethod {
  std::string_view name;
  Method method;
};
// 'auto' is a name of the first one, too.
constexpr std::array<NamedMethod, 8> kMethods = {{{"novelty", Method::kNovelty},
                                                  {"zscore", Method::kZscore},
                                                  {"mad", Method::kMad},
                                                  {"ewma", Method::kEwma},
                                                  {"holt_winters", Method::kHoltWinters},
                                                  {"cusum", Method::kCusum},
                                                  {"page_hinkley", Method::kPageHinkley},
                                                  {"half_space_trees", Method::kHalfSpaceTrees}}};

std::vector<std::string> method_names() {
  std::vector<std::string> names = {"auto"};
  for (const NamedMethod& named : kMethods) names.emplace_back(named.name);
  return names;
}

Status set_method(DetectorOptions& options, std::string_view value) {
  options.method = Method::kNovelty;
  if (value == "auto") return {};
  for (const NamedMethod& named : kMethods) {
    if (named.name != value) continue;
    options.method = named.method;
    return {};
  }
  const std::vector<std::string> names = method_names();
  return fail(ErrorCode::kInvalid, fmt::format("no method of this name{}; there are '{}'",
                                               did_you_mean(value, names), fmt::join(names, "', '")));
}

Option<DetectorOptions> method_option() {
  OptionDoc doc{"method", fmt::format("one of '{}'", fmt::join(method_names(), "', '")), "auto",
                Necessity::kOptional, "How values are judged; 'auto' is 'novelty'."};
  return {std::move(doc), [](DetectorOptions& options, std::string_view, std::string_view value) {
            return set_method(options, value);
          }};
}

template <class Options, class Field>
Option<Options> row(std::string key, Field DetectorOptions::*field, std::string doc) {
  return option<Options, Field>(std::move(key), field, Necessity::kOptional, std::move(doc));
}

OptionError wrong_value(std::string key, std::string message) {
  return {std::move(key), OptionError::Part::kValue, std::move(message)};
}

template <class T>
std::optional<OptionError> check_range(std::string_view key, const std::optional<T>& value, T least,
                                       T greatest) {
  if (!value || (*value >= least && *value <= greatest)) return std::nullopt;
  return wrong_value(std::string(key),
                     fmt::format("'{}' is {}; it may be from {} to {}", key, *value, least, greatest));
}

std::optional<OptionError> first_of(std::initializer_list<std::optional<OptionError>> mistakes) {
  for (const std::optional<OptionError>& mistake : mistakes)
    if (mistake) return mistake;
  return std::nullopt;
}

using Methods = std::uint32_t;
constexpr Methods bit(Method method) {
  return 1U << static_cast<unsigned>(method);
}
constexpr Methods kMean = bit(Method::kCusum) | bit(Method::kPageHinkley);
constexpr Methods kBounded =
    bit(Method::kZscore) | bit(Method::kMad) | bit(Method::kEwma) | bit(Method::kHoltWinters);

/// Which methods have a use for an option; those that are not here are for all.
struct Use {
  std::string_view key;
  Methods methods;
};
constexpr std::array<Use, 10> kUses = {
    {{"history", bit(Method::kNovelty)},
     {"maxTrainingSize",
      bit(Method::kNovelty) | bit(Method::kZscore) | bit(Method::kEwma) | bit(Method::kHoltWinters) | kMean},
     {"confidencePercentage", kBounded | kMean | bit(Method::kNovelty)},
     {"window", bit(Method::kMad) | bit(Method::kHalfSpaceTrees)},
     {"drift", kMean},
     {"alpha", bit(Method::kEwma) | bit(Method::kHoltWinters)},
     {"m", bit(Method::kHoltWinters) | bit(Method::kNovelty)},
     {"cooldown", bit(Method::kNovelty) | bit(Method::kHalfSpaceTrees)},
     {"imputeOutliers", bit(Method::kMad)},
     {"seed", bit(Method::kHalfSpaceTrees)}}};

std::vector<std::string> names_of(Methods methods) {
  std::vector<std::string> names;
  for (const NamedMethod& named : kMethods)
    if ((methods & bit(named.method)) != 0) names.emplace_back(named.name);
  return names;
}

/// The rows that a method cannot do without, or more than it has.
std::optional<OptionError> check_training(const DetectorOptions& options) {
  if (!options.min_training) return std::nullopt;
  const std::uint32_t rows = *options.min_training;
  const auto refuse = [&](std::string_view what) {
    return wrong_value("minTrainingSize", fmt::format("'minTrainingSize' is {}; '{}' {}", rows,
                                                      to_string(options.method), what));
  };
  const std::uint32_t window = options.window_rows();
  switch (options.method) {
    case Method::kMad:
      if (rows > window) return refuse(fmt::format("has a 'window' of {} rows and no more", window));
      break;
    case Method::kHalfSpaceTrees:
      if (rows < window + kRowsBehindWindow)
        return refuse(fmt::format("needs its 'window' of {} rows and {} more", window, kRowsBehindWindow));
      break;
    case Method::kHoltWinters:
      if (rows < 2 * options.season_rows)
        return refuse(fmt::format("needs two seasons of 'm' = {} rows", options.season_rows));
      break;
    default:
      break;
  }
  return std::nullopt;
}

std::optional<OptionError> check_interval(const DetectorOptions& options) {
  if (!options.threshold || !options.confidence || (bit(options.method) & kBounded) == 0) return std::nullopt;
  return OptionError{
      "threshold", OptionError::Part::kKey,
      fmt::format("'threshold' and 'confidencePercentage' both say where '{}' alerts: leave one "
                  "of them out",
                  to_string(options.method))};
}

std::optional<OptionError> check_values(const DetectorOptions& options, std::size_t values) {
  const bool takes_several = options.method == Method::kMad || options.method == Method::kHalfSpaceTrees;
  if (values > kMostValues)
    return wrong_value(
        "method", fmt::format("a row has {} values; at most {} are judged at once", values, kMostValues));
  if (values == 1 || takes_several) return std::nullopt;
  return wrong_value("method",
                     fmt::format("'{}' judges one value, not a ROW of {}; 'half_space_trees' and 'mad' judge "
                                 "several at once",
                                 to_string(options.method), values));
}

}  // namespace

bool has_own_season(Method method) {
  return method == Method::kNovelty || method == Method::kHoltWinters;
}

std::string_view to_string(Method method) {
  for (const NamedMethod& named : kMethods)
    if (named.method == method) return named.name;
  return "novelty";
}

std::uint32_t DetectorOptions::warm_up() const {
  constexpr std::uint32_t kWarmUp = 128;  // As in Confluent's Flink.
  return min_training.value_or(method == Method::kMad ? std::min(kWarmUp, window_rows()) : kWarmUp);
}

std::uint32_t DetectorOptions::window_rows() const {
  return window.value_or(method == Method::kHalfSpaceTrees ? 256 : 128);
}

double DetectorOptions::width() const {
  return threshold ? *threshold : width_of_confidence();
}

double DetectorOptions::width_of_confidence() const {
  constexpr double kConfidence = 99;  // As in Confluent's Flink.
  return deviations_of_share(confidence.value_or(kConfidence) / 100);
}

const OptionTable<DetectorOptions>& detector_option_table() {
  using O = DetectorOptions;
  static const OptionTable<O> kTable{
      method_option(),
      row<O>("history", &O::history, "novelty: rows that a value is compared with, from 64 to 16384."),
      row<O>(
          "minTrainingSize", &O::min_training,
          "Rows before the first verdict: 128; novelty 50 and no fewer; half_space_trees the window and 50."),
      row<O>("maxTrainingSize", &O::max_training,
             "Rows that means and spreads are of; the last one to two times as many."),
      row<O>("confidencePercentage", &O::confidence,
             "The share of values that lie between the bounds: 99. zscore, mad, ewma and holt_winters alert "
             "outside of them."),
      row<O>("enableStl", &O::deseasonalise,
             "Takes the season of the hours of day and week away first; novelty and holt_winters always do."),
      row<O>("window", &O::window, "mad: rows of the median, 128. half_space_trees: rows of a window, 256."),
      row<O>("threshold", &O::threshold,
             "An alert begins here. zscore, mad, ewma, holt_winters: deviations, in place of the confidence. "
             "cusum (10), page_hinkley (50): the sum of deviations. novelty (1.5), half_space_trees (3): "
             "-log10 of the chance of such a value."),
      row<O>("drift", &O::drift, "cusum (0.5), page_hinkley (0.1): deviations that are not summed."),
      row<O>(
          "alpha", &O::alpha,
          "ewma (0.1), holt_winters (found by itself): the weight of the last value, above 0 and below 1."),
      row<O>("m", &O::season_rows, "holt_winters: rows of a season, in place of the calendar's hours."),
      row<O>("horizon", &O::horizon_of_detection, "Changes nothing: each row is judged as it comes."),
      row<O>("cooldown", &O::cooldown,
             "novelty (120), half_space_trees (0): rows behind an alert in which no other begins."),
      row<O>("imputeOutliers", &O::keeps_outliers_out,
             "mad: outliers are learnt as usual values, until they fill half of the window."),
      row<O>("seed", &O::seed, "half_space_trees: which of all random trees are used."),
  };
  return kTable;
}

const OptionTable<DetectorOptions>& robust_option_table() {
  using O = DetectorOptions;
  static const OptionTable<O> kTable{
      row<O>("window", &O::window, "Rows of the median: 128."),
      row<O>("threshold", &O::threshold, "Deviations at which an alert begins: 3."),
      row<O>("minTrainingSize", &O::min_training, "Rows before the first verdict: 128, or the window."),
      row<O>("imputeOutliers", &O::keeps_outliers_out,
             "Outliers are learnt as usual values, until they fill half of the window."),
      row<O>("enableStl", &O::deseasonalise, "Takes the season of the hours of day and week away first."),
  };
  return kTable;
}

const OptionTable<ForecastOptions>& forecast_option_table() {
  using O = ForecastOptions;
  static const OptionTable<O> kTable{
      option("horizon", &O::horizon, Necessity::kOptional, "Values to forecast, from 1 to 1000."),
      row<O>("minTrainingSize", &DetectorOptions::min_training, "Rows before the first forecast: 128."),
      row<O>("maxTrainingSize", &DetectorOptions::max_training, "Rows that the errors' spread is of."),
      row<O>("confidencePercentage", &DetectorOptions::confidence,
             "The share of values between the bounds: 99."),
      row<O>("enableStl", &DetectorOptions::deseasonalise,
             "Changes nothing: the season is always part of it."),
      row<O>("alpha", &DetectorOptions::alpha,
             "The weight of the last value, above 0 and below 1; found by itself if not said."),
      row<O>("m", &DetectorOptions::season_rows, "Rows of a season, in place of the calendar's hours."),
  };
  return kTable;
}

std::optional<OptionError> find_useless(const OptionMap& given, const DetectorOptions& options) {
  for (const Use& use : kUses) {
    if (given.find(use.key) == given.end() || (use.methods & bit(options.method)) != 0) continue;
    return OptionError{std::string(use.key), OptionError::Part::kKey,
                       fmt::format("'{}' is of no use to '{}': leave it out; it is for '{}'", use.key,
                                   to_string(options.method), fmt::join(names_of(use.methods), "', '"))};
  }
  return std::nullopt;
}

std::vector<OptionError> find_idle(const DetectorOptions& options) {
  std::vector<OptionError> idle;
  if (options.deseasonalise && has_own_season(options.method))
    idle.push_back({"enableStl", OptionError::Part::kKey,
                    fmt::format("'enableStl' changes nothing: '{}' takes the season away in any case",
                                to_string(options.method))});
  if (options.method == Method::kNovelty && options.season_rows > 0)
    idle.push_back({"m", OptionError::Part::kKey,
                    "'m' changes nothing: 'novelty' finds seasons by itself; 'holt_winters' takes it"});
  if (options.method == Method::kNovelty && options.confidence && !options.threshold)
    idle.push_back(
        {"confidencePercentage", OptionError::Part::kKey,
         "'confidencePercentage' moves the bounds of 'novelty' and not its alerts: 'threshold' does"});
  if (options.horizon_of_detection)
    idle.push_back({"horizon", OptionError::Part::kKey,
                    "'horizon' changes nothing: each row is judged as it comes; ML_FORECAST takes it"});
  if (options.method == Method::kNovelty &&
      options.min_training.value_or(kLeastRowsOfNovelty) < kLeastRowsOfNovelty)
    idle.push_back(
        wrong_value("minTrainingSize",
                    fmt::format("'novelty' says nothing before it has had {} rows", kLeastRowsOfNovelty)));
  return idle;
}

std::optional<OptionError> find_mistake(const DetectorOptions& options, std::size_t values) {
  if (options.deseasonalise && values > 1)
    return OptionError{"enableStl", OptionError::Part::kKey,
                       "'enableStl' takes one value, not a ROW of several"};
  if (options.alpha && !(*options.alpha > 0 && *options.alpha < 1))
    return wrong_value("alpha", fmt::format("'alpha' is {}; it is above 0 and below 1", *options.alpha));
  if (options.confidence && !(*options.confidence > 0 && *options.confidence < 100))
    return wrong_value(
        "confidencePercentage",
        fmt::format("'confidencePercentage' is {}; it is above 0 and below 100", *options.confidence));
  using Number = std::optional<std::uint32_t>;
  return first_of({
      check_values(options, values),
      check_range("history", Number(options.history), kLeastHistory, kGreatestHistory),
      check_range("minTrainingSize", options.min_training, 2U, 1'000'000U),
      check_range("maxTrainingSize", Number(options.max_training), 2U, 1'000'000U),
      check_range("window", options.window, 4U, kGreatestWindow),
      check_range("threshold", options.threshold, 1e-6, 1e6),
      check_range("drift", options.drift, 1e-6, 100.0),
      check_range("m", Number(options.season_rows), 0U, kGreatestSeason),
      check_training(options),
      check_interval(options),
  });
}

std::optional<OptionError> find_mistake(const ForecastOptions& options) {
  if (auto mistake = find_mistake(static_cast<const DetectorOptions&>(options), 1)) return mistake;
  return check_range("horizon", std::optional(options.horizon), 1U, kGreatestHorizon);
}

std::optional<OptionError> find_foreign(const OptionMap& options) {
  for (const std::string_view key : {"p", "d", "q", "P", "D", "Q"})
    if (options.find(key) != options.end())
      return OptionError{
          std::string(key), OptionError::Part::kKey,
          fmt::format("'{}' is an order of ARIMA, which Leat does not have; leave it out: the methods "
                      "here find theirs by themselves",
                      key)};
  if (options.find("updateInterval") != options.end())
    return OptionError{"updateInterval", OptionError::Part::kKey,
                       "'updateInterval' is not needed: every row is learnt as it comes; leave it out"};
  return std::nullopt;
}

std::string identity_of(const DetectorOptions& options) {
  std::string text(to_string(options.method));
  const auto add = [&text](std::string_view key, const auto& value) {
    text += fmt::format(" {}={}", key, value);
  };
  if (options.method == Method::kNovelty) add("history", options.history);
  if (options.method == Method::kMad || options.method == Method::kHalfSpaceTrees)
    add("window", options.window_rows());
  if (options.method == Method::kHalfSpaceTrees) add("seed", options.seed);
  if (options.season_rows > 0 && options.method == Method::kHoltWinters) add("m", options.season_rows);
  if (options.deseasonalise && !has_own_season(options.method)) text += " without season";
  return text;
}

}  // namespace leat::anomaly
