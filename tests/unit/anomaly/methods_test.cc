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
