// What each method finds.
#include <doctest/doctest.h>

#include <array>

#include "pipelines/anomaly/exponential.h"
#include "tests/unit/anomaly/series.h"

namespace leat::anomaly {
namespace {

/// A detector and the rows that it has seen.
class Watch {
 public:
  explicit Watch(Method method, std::size_t values = 1, const DetectorOptions* options = nullptr)
      : detector_(make_detector(options != nullptr ? *options : options_of(method), values)) {}
  Verdict see(std::initializer_list<double> values) {
    return detector_->observe({values.begin(), values.size()}, time_of_row(rows_++));
  }
  Verdict see(double value) { return see({value}); }
  Watch& noise(int rows, double mean, double deviation) {
    for (int i = 0; i < rows; ++i) alerts_ += see(mean + deviation * noise_.normal()).alert ? 1 : 0;
    return *this;
  }
  /// Rows of a new mean until the first alert, at most `most`.
  int rows_to_alert(double mean, double deviation, int most) {
    for (int i = 1; i <= most; ++i)
      if (see(mean + deviation * noise_.normal()).alert) return i;
    return most + 1;
  }
  [[nodiscard]] int alerts() const { return alerts_; }

 private:
  DetectorPtr detector_;
  Noise noise_{11};
  std::size_t rows_ = 0;
  int alerts_ = 0;
};

TEST_CASE("zscore, mad, ewma and holt_winters tell what they expected, and how far off a value is") {
  for (const Method method : {Method::kZscore, Method::kMad, Method::kEwma, Method::kHoltWinters}) {
    CAPTURE(to_string(method));
    Watch watch(method);
    watch.noise(500, 50, 1);
    const Verdict verdict = watch.see(60);
    CHECK(verdict.alert);
    CHECK(verdict.forecast == doctest::Approx(50).epsilon(0.02));
    CHECK(verdict.lower == doctest::Approx(50 - 2.576).epsilon(0.03));
    CHECK(verdict.upper == doctest::Approx(50 + 2.576).epsilon(0.03));
    CHECK(verdict.rmse == doctest::Approx(1).epsilon(0.25));
    CHECK(verdict.rarity > 10);
    CHECK(watch.alerts() < 15);
    CHECK(watch.see(50.1).rarity < 1);
  }
}

TEST_CASE("mad is not moved by outliers that a mean follows") {
  Watch mad(Method::kMad);
  Watch zscore(Method::kZscore);
  for (int i = 0; i < 300; ++i) {
    const double value = i % 4 == 0 ? 90 : 50 + i % 3;
    mad.see(value);
    zscore.see(value);
  }
  CHECK(mad.see(90).alert);
  CHECK_FALSE(zscore.see(90).alert);
}

TEST_CASE("mad takes the steps of a coarse sensor for none, and finds what is several of them away") {
  for (const double spread : {0.1, 0.2, 0.3, 0.5}) {
    CAPTURE(spread);
    Noise noise(17);
    const DetectorPtr detector = make_detector(options_of(Method::kMad), 1);
    std::size_t alerts = 0;
    for (std::size_t i = 0; i < 4000; ++i) {
      const double value = 20 + 0.5 * std::round(2 * (spread * noise.normal() + 0.1));
      alerts += detector->observe({&value, 1}, time_of_row(i)).alert ? 1 : 0;
    }
    CHECK(alerts < 160);
    const double far = 22.5;
    CHECK(detector->observe({&far, 1}, time_of_row(4000)).alert);
  }
}

TEST_CASE("mad that keeps outliers out does not close its bounds on what is left") {
  const auto alerts = [](bool keep_out) {
    DetectorOptions options = options_of(Method::kMad);
    options.threshold = 3;
    options.window = 30;
    options.min_training = 30;
    options.keeps_outliers_out = keep_out;
    const DetectorPtr detector = make_detector(options, 1);
    Noise noise(8);
    std::size_t count = 0;
    for (std::size_t i = 0; i < 5000; ++i) {
      const double value = noise.normal();
      count += detector->observe({&value, 1}, time_of_row(i)).alert ? 1 : 0;
    }
    return count;
  };
  CHECK(alerts(true) < 3 * alerts(false));
}

TEST_CASE("a row that is missing does not shift the season of 'm' rows") {
  DetectorOptions options = options_of(Method::kHoltWinters);
  options.season_rows = 24;
  const DetectorPtr detector = make_detector(options, 1);
  Noise noise(3);
  double worst = 0;
  for (std::size_t i = 0; i < 2000; ++i) {
    if (i == 1500 || (i > 1600 && i < 1607)) continue;
    const double value = 10 * static_cast<double>(i % 24 / 6) + 0.2 * noise.normal();
    const Verdict verdict = detector->observe({&value, 1}, static_cast<std::int64_t>(i) * kMicrosPerHour);
    if (i > 1000) worst = std::max(worst, std::abs(verdict.forecast - value));
  }
  CHECK(worst < 8);
}

TEST_CASE("half_space_trees name the value that is odd, whatever depends on it") {
  const DetectorPtr detector = make_detector(options_of(Method::kHalfSpaceTrees), 3);
  Noise noise(5);
  std::array<double, 3> row{};
  for (std::size_t i = 0; i < 500; ++i) {
    row[0] = 50 + 10 * noise.normal();
    row[1] = 2 * row[0] + noise.normal();
    row[2] = 5 * row[0] + noise.normal();
    detector->observe(row, time_of_row(i));
  }
  row[0] = 65535;
  const Verdict verdict = detector->observe(row, time_of_row(500));
  CHECK(verdict.alert);
  CHECK(verdict.value == 0);
}

TEST_CASE("half_space_trees of many values find one that is far out alone") {
  for (const std::size_t values : {2U, 4U, 8U, 16U}) {
    CAPTURE(values);
    DetectorOptions options = options_of(Method::kHalfSpaceTrees);
    options.window = 256;
    options.min_training.reset();
    const DetectorPtr detector = make_detector(options, values);
    Noise noise(6);
    std::vector<double> row(values);
    std::size_t alerts = 0;
    for (std::size_t i = 0; i < 3000; ++i) {
      for (double& value : row) value = noise.normal();
      alerts += detector->observe(row, time_of_row(i)).alert ? 1 : 0;
    }
    CHECK(alerts < 50);
    row[values - 1] = 8;
    CHECK(detector->observe(row, time_of_row(3000)).alert);
  }
}

TEST_CASE("mad keeps outliers out of its window until they are the new level") {
  DetectorOptions options = options_of(Method::kMad);
  options.window = 20;
  options.keeps_outliers_out = true;
  Watch watch(Method::kMad, 1, &options);
  watch.noise(100, 50, 1);
  CHECK(watch.rows_to_alert(80, 1, 1) == 1);
  for (int i = 0; i < 9; ++i) CHECK(watch.see(80).alert);
  watch.noise(40, 80, 1);
  CHECK_FALSE(watch.see(80).alert);
}

TEST_CASE("mad of several values is moved by those that deviate together, and names the worst") {
  Watch watch(Method::kMad, 3);
  Noise noise(4);
  for (int i = 0; i < 300; ++i) watch.see({noise.normal(), 10 + noise.normal(), 100 + noise.normal()});
  CHECK_FALSE(watch.see({0.1, 10.2, 99.9}).alert);
  const Verdict verdict = watch.see({2.2, 12.4, 102.2});
  CHECK(verdict.alert);
  CHECK(watch.see({0, 10, 120}).value == 2);
}

TEST_CASE("cusum finds a small shift soon, page_hinkley one that is smaller still, zscore neither") {
  Watch cusum(Method::kCusum);
  Watch hinkley(Method::kPageHinkley);
  CHECK(cusum.noise(2000, 0, 1).alerts() <= 1);
  CHECK(hinkley.noise(2000, 0, 1).alerts() <= 1);
  CHECK(cusum.rows_to_alert(1.5, 1, 50) < 30);
  CHECK(hinkley.rows_to_alert(0.8, 1, 200) < 150);
  CHECK(cusum.noise(2000, 1.5, 1).alerts() <= 2);
}

TEST_CASE("half_space_trees find a row whose values are each usual but not together") {
  DetectorOptions options = options_of(Method::kHalfSpaceTrees);
  options.window = 256;
  Watch watch(Method::kHalfSpaceTrees, 2, &options);
  Noise noise(9);
  for (int i = 0; i < 2000; ++i) {
    const double load = noise.fraction();
    watch.see({load, 100 * load + noise.normal()});
  }
  CHECK(watch.see({0.5, 50}).rarity < 1.5);
  CHECK(watch.see({0.9, 5}).rarity > 2);
}

TEST_CASE("holt_winters forecasts a trend and a season of rows, ever less surely") {
  DetectorOptions options = options_of(Method::kHoltWinters);
  options.season_rows = 4;
  HoltWinters model(options);
  CHECK(model.forecast(3).empty());
  const std::array<double, 4> season = {0, 3, 0, -3};
  Noise noise(2);
  for (std::size_t i = 0; i < 800; ++i) {
    const double value = 100 + season[i % 4] + 0.1 * noise.normal();
    model.observe({&value, 1}, time_of_row(i));
  }
  const std::vector<HoltWinters::Forecast> forecasts = model.forecast(4);
  REQUIRE(forecasts.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(forecasts[i].time == time_of_row(800 + i));
    CHECK(forecasts[i].value == doctest::Approx(100 + season[i]).epsilon(0.01));
  }
  CHECK(forecasts[3].upper - forecasts[3].lower > forecasts[0].upper - forecasts[0].lower);
}

TEST_CASE(
    "half_space_trees see that two values which move together have parted, and a value that was always 0") {
  for (const double noise_size : {0.02, 0.1, 0.3}) {
    CAPTURE(noise_size);
    Watch watch(Method::kHalfSpaceTrees, 2);
    Noise noise(13);
    for (int i = 0; i < 2000; ++i) {
      const double x = noise.normal();
      watch.see({x, x + noise_size * noise.normal()});
    }
    CHECK(watch.see({1, 1}).rarity < 1.5);
    const Verdict verdict = watch.see({1, -1});
    CHECK(verdict.rarity > (noise_size < 0.2 ? 3 : 2));
    CHECK(verdict.value == 1);
    CHECK(watch.see({10, 10}).alert);
  }
  for (const double rise : {10.0, -10.0, 1e-3}) {
    Watch watch(Method::kHalfSpaceTrees, 2);
    Noise noise(14);
    for (int i = 0; i < 2000; ++i) watch.see({noise.normal(), 0});
    const Verdict verdict = watch.see({0.1, rise});
    CHECK(verdict.alert);
    CHECK(verdict.value == 1);
  }
}

/// Root mean squares of forecasts one row ahead in the second half, of the model and of the last value.
struct Errors {
  double model = 0;
  double last_value = 0;
  int alerts = 0;
};
template <class Series>
Errors forecast_errors(std::size_t rows, std::int64_t step, std::uint32_t season, Series series) {
  ForecastOptions options;
  options.season_rows = season;
  HoltWinters model(options);
  Errors errors;
  double last = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const double value = series(i);
    const auto coming = model.forecast(1);
    if (i >= rows / 2 && !coming.empty()) {
      errors.model += (coming[0].value - value) * (coming[0].value - value);
      errors.last_value += (last - value) * (last - value);
    }
    errors.alerts += model.observe({&value, 1}, static_cast<std::int64_t>(i) * step).alert ? 1 : 0;
    last = value;
  }
  errors.model = std::sqrt(errors.model / static_cast<double>(rows - rows / 2));
  errors.last_value = std::sqrt(errors.last_value / static_cast<double>(rows - rows / 2));
  return errors;
}

TEST_CASE("a clean season of m rows is forecast ever better, however long it is") {
  for (const std::uint32_t m : {7U, 24U, 96U, 144U, 288U}) {
    CAPTURE(m);
    const Errors errors = forecast_errors(std::size_t{m} * 60, 600 * kMicrosPerSecond, m, [&](std::size_t i) {
      return 10 * std::sin(2 * std::numbers::pi * static_cast<double>(i) / m);
    });
    CHECK(errors.model < 1e-6);
    CHECK(errors.alerts < 10);
  }
}

TEST_CASE("holt_winters forecasts a ramp, a walk and a wave no worse than the last value does") {
  Noise noise(15);
  const auto minute = [&](auto series) { return forecast_errors(6000, kMicrosPerMinute, 0, series); };
  const Errors ramp = minute([](std::size_t i) { return static_cast<double>(i); });
  CHECK(ramp.model < 1e-6);
  CHECK(ramp.alerts == 0);
  const Errors rough = minute([&](std::size_t i) { return 0.1 * static_cast<double>(i) + noise.normal(); });
  CHECK(rough.model < 0.8 * rough.last_value);
  double place = 0;
  const Errors walk = minute([&](std::size_t) { return place += noise.normal(); });
  CHECK(walk.model < 1.05 * walk.last_value);
  const Errors wave = minute([&](std::size_t i) {
    return 10 * std::sin(2 * std::numbers::pi * static_cast<double>(i) / 1440) + 0.1 * noise.normal();
  });
  CHECK(wave.model < 0.9 * wave.last_value);
}

TEST_CASE("a spike of a flat line is one alert, and no echo the day after; a ramp has none") {
  for (const Method method : {Method::kZscore, Method::kMad, Method::kEwma, Method::kHoltWinters}) {
    CAPTURE(to_string(method));
    DetectorOptions options;
    options.method = method;
    options.deseasonalise = method != Method::kHoltWinters;
    Watch spike(method, 1, &options);
    int alerts = 0;
    for (int i = 0; i < 4000; ++i) alerts += spike.see(i == 1500 ? 50 : 5).alert ? 1 : 0;
    CHECK(alerts == 1);
    if (method == Method::kHoltWinters) continue;
    Watch ramp(method, 1, &options);
    Noise noise(16);
    alerts = 0;
    for (int i = 0; i < 4000; ++i) alerts += ramp.see(i + 0.5 * noise.normal()).alert ? 1 : 0;
    CHECK(alerts < 40);
  }
}

TEST_CASE("alerts of a day's wave are no more at the turn of an hour") {
  for (const Method method : {Method::kZscore, Method::kMad, Method::kEwma, Method::kHoltWinters}) {
    CAPTURE(to_string(method));
    DetectorOptions options;
    options.method = method;
    options.deseasonalise = method != Method::kHoltWinters;
    const DetectorPtr detector = make_detector(options, 1);
    Noise noise(17);
    int alerts = 0;
    int at_turn = 0;
    for (int i = 0; i < 1440 * 8; ++i) {
      const double value = 10 * std::sin(2 * std::numbers::pi * i / 1440) + 0.1 * noise.normal();
      if (!detector->observe({&value, 1}, i * kMicrosPerMinute).alert) continue;
      ++alerts;
      at_turn += i % 60 < 3 ? 1 : 0;
    }
    CHECK(alerts < 1440 * 8 / 25);
    CHECK(at_turn <= alerts / 8 + 5);
  }
}

TEST_CASE("a level follows a gap further than the next row") {
  DetectorOptions options = options_of(Method::kEwma);
  const DetectorPtr steady = make_detector(options, 1);
  const DetectorPtr gap = make_detector(options, 1);
  double value = 10;
  for (std::size_t i = 0; i < 100; ++i) {
    value = 10 + 0.1 * static_cast<double>(i % 2);
    steady->observe({&value, 1}, time_of_row(i));
    gap->observe({&value, 1}, time_of_row(i));
  }
  value = 10.3;
  steady->observe({&value, 1}, time_of_row(100));
  gap->observe({&value, 1}, time_of_row(108));
  CHECK(gap->observe({&value, 1}, time_of_row(109)).forecast >
        steady->observe({&value, 1}, time_of_row(101)).forecast);
}

TEST_CASE("without its season a value is judged by the hour it comes at") {
  DetectorOptions options = options_of(Method::kZscore);
  options.deseasonalise = true;
  const DetectorPtr with = make_detector(options, 1);
  options.deseasonalise = false;
  const DetectorPtr without = make_detector(options, 1);
  const std::vector<double> values = daily_series(288 * 10, 12);
  for (std::size_t i = 0; i < values.size(); ++i)
    for (Detector* detector : {with.get(), without.get()}) detector->observe({&values[i], 1}, time_of_row(i));
  // Midday's value at midnight.
  const double noon = 24.9;
  CHECK(with->observe({&noon, 1}, time_of_row(values.size())).rarity > 5);
  CHECK(without->observe({&noon, 1}, time_of_row(values.size())).rarity < 2);
}

}  // namespace
}  // namespace leat::anomaly
