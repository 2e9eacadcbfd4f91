// All methods against what sensors do at their worst.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "tests/unit/anomaly/series.h"

namespace leat::anomaly {
namespace {

struct Row {
  double value = 0;
  std::int64_t time = 0;
};
using Series = std::vector<Row>;

constexpr std::size_t kRows = 3000;

Series plain_series(double level = 100, double deviation = 1) {
  Noise noise(41);
  Series rows;
  for (std::size_t i = 0; i < kRows; ++i)
    rows.push_back({level + deviation * noise.normal(), time_of_row(i)});
  return rows;
}

Series changed(const std::function<void(std::size_t, Row&)>& change) {
  Series rows = plain_series();
  for (std::size_t i = 0; i < rows.size(); ++i) change(i, rows[i]);
  return rows;
}

struct Input {
  const char* name;
  Series rows;
};

std::vector<Input> all_inputs() {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  return {
      {"plain", plain_series()},
      {"flat", changed([](std::size_t, Row& row) { row.value = 21.5; })},
      {"zero", changed([](std::size_t, Row& row) { row.value = 0; })},
      {"zero, then alive", changed([](std::size_t i, Row& row) { row.value = i < 400 ? 0 : row.value; })},
      {"ramp", changed([](std::size_t i, Row& row) { row.value += static_cast<double>(i); })},
      {"steps",
       changed([](std::size_t i, Row& row) { row.value += static_cast<double>(i / 500 % 3) * 1e6; })},
      {"error codes", changed([](std::size_t i, Row& row) {
         constexpr std::array kCodes = {-9999.0, 65535.0, 1e9, 3.4e38, 1.7e308, -1.7e308, 5e-324, 0.0};
         if (i % 70 == 3) row.value = kCodes[i / 70 % kCodes.size()];
       })},
      {"error code first", changed([](std::size_t i, Row& row) { row.value = i == 0 ? 1e300 : row.value; })},
      {"no numbers", changed([](std::size_t i, Row& row) {
         if (i % 9 == 0) row.value = i % 2 == 0 ? kUnknown : -kInfinite;
       })},
      {"gaps", changed([](std::size_t i, Row& row) {
         row.time += static_cast<std::int64_t>(i / 100) * 9 * kMicrosPerDay;
       })},
      {"uneven", changed([](std::size_t i, Row& row) {
         row.time += static_cast<std::int64_t>(i * i % 977) * kMicrosPerSecond;
       })},
      {"times backwards", changed([](std::size_t, Row& row) { row.time = -row.time; })},
      {"each row thrice", changed([](std::size_t i, Row& row) {
         row = {std::floor(100 + static_cast<double>(i / 3 % 5)), time_of_row(i / 3)};
       })},
      {"on and off", changed([](std::size_t i, Row& row) { row.value = static_cast<double>(i % 2); })},
      {"huge", plain_series(1e98, 1e97)},
      {"tiny", plain_series(1e-96, 1e-97)},
      {"negative", plain_series(-1e6, 10)},
      {"growing",
       changed([](std::size_t i, Row& row) { row.value = std::pow(10, static_cast<double>(i) / 20 - 75); })},
  };
}

bool is_number_or_unknown(double number) {
  return std::isnan(number) || std::isfinite(number);
}

TEST_CASE(
    "whatever comes, what is said are numbers, from 0 to 1 where it is a share, within the bound of memory") {
  for (const Input& input : all_inputs()) {
    for (const Method method : all_methods()) {
      CAPTURE(input.name);
      CAPTURE(to_string(method));
      const DetectorPtr detector = make_detector(options_of(method), 1);
      const std::size_t most = detector->most_memory_bytes();
      std::size_t wrong = 0;
      for (const Row& row : input.rows) {
        const Verdict verdict = detector->observe({&row.value, 1}, row.time);
        for (const double number :
             {verdict.forecast, verdict.lower, verdict.upper, verdict.rmse, verdict.aic})
          wrong += is_number_or_unknown(number) ? 0 : 1;
        const double score = score_of(verdict.rarity);
        wrong += std::isnan(score) || (score >= 0 && score <= 1) ? 0 : 1;
        wrong += verdict.alert && std::isnan(score) ? 1 : 0;
        wrong += verdict.lower > verdict.upper ? 1 : 0;
        wrong += detector->memory_bytes() > most ? 1 : 0;
      }
      CHECK(wrong == 0);
    }
  }
}

/// Sums of small deviations take a spike for one row, however high it is: they find a step.
bool is_of_sums(Method method) {
  return method == Method::kCusum || method == Method::kPageHinkley;
}

/// Rows from `from` on until an alert, at most 20.
std::size_t rows_to_alert(const Series& rows, std::size_t from, Method method) {
  DetectorOptions options = options_of(method);
  options.cooldown = 0;
  const DetectorPtr detector = make_detector(options, 1);
  for (std::size_t i = 0; i < from + 20; ++i)
    if (detector->observe({&rows[i].value, 1}, rows[i].time).alert && i >= from) return i - from;
  return 20;
}

TEST_CASE("twenty deviations are an alert behind any error code, at any offset") {
  constexpr std::size_t kSpike = 1300;
  for (const Method method : all_methods()) {
    CAPTURE(to_string(method));
    const auto spoil = [&](Series rows, double deviation) {
      const std::size_t end = is_of_sums(method) ? kSpike + 20 : kSpike + 1;
      for (std::size_t i = kSpike; i < end; ++i) rows[i].value += 20 * deviation;
      return rows;
    };
    const std::size_t most = is_of_sums(method) ? 19 : 0;
    CHECK(rows_to_alert(spoil(plain_series(), 1), kSpike, method) <= most);
    for (const double code : {0.0, -9999.0, 65535.0, 1e9, 3.4e38, 1e300}) {
      CAPTURE(code);
      Series rows = plain_series();
      rows[300].value = code;
      CHECK(rows_to_alert(spoil(rows, 1), kSpike, method) <= most);
    }
    for (const double offset : {1e6, 1e9, -1e9}) {
      CAPTURE(offset);
      CHECK(rows_to_alert(spoil(plain_series(offset, 1e-2), 1e-2), kSpike, method) <= most);
    }
  }
}

TEST_CASE("an error code among the first rows hides no spike of twenty deviations") {
  constexpr std::size_t kSpike = 500;
  for (const Method method : all_methods()) {
    const std::size_t end = is_of_sums(method) ? kSpike + 20 : kSpike + 1;
    for (const std::size_t at : {0U, 1U, 5U, 9U, 15U, 19U, 20U, 22U, 28U, 35U, 45U}) {
      for (const double code : {-999.0, 65535.0, 1e9, 1e300}) {
        CAPTURE(to_string(method));
        CAPTURE(at);
        CAPTURE(code);
        Series rows = plain_series();
        rows[at].value = code;
        for (std::size_t i = kSpike; i < end; ++i) rows[i].value += 20;
        CHECK(rows_to_alert(rows, kSpike, method) <= (is_of_sums(method) ? 19 : 0));
      }
    }
  }
}

TEST_CASE("an error code on a flat line hides no step of it") {
  for (const Method method : all_methods()) {
    if (method == Method::kNovelty || method == Method::kHalfSpaceTrees) continue;
    CAPTURE(to_string(method));
    Series rows = changed([](std::size_t i, Row& row) { row.value = i < 600 ? 21.5 : 22.5; });
    rows[300].value = 65535;
    CHECK(rows_to_alert(rows, 600, method) < (is_of_sums(method) ? 20 : 1));
  }
}

/// Those that learn deviations from what they expect.
const std::vector<Method>& methods_of_errors() {
  static const std::vector<Method> kMethods = {Method::kZscore, Method::kEwma, Method::kHoltWinters,
                                               Method::kMad};
  return kMethods;
}

struct Judgement {
  std::size_t alerts = 0;  // Behind the first 300 rows, without the spikes.
  std::size_t found = 0;   // Spikes.
  double width = 0;        // Of the last interval of expected values.
};

Judgement judge(Method method, const Series& rows, const std::vector<std::size_t>& spikes) {
  const DetectorPtr detector = make_detector(options_of(method), 1);
  Judgement judgement;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Verdict verdict = detector->observe({&rows[i].value, 1}, rows[i].time);
    const bool is_spike = std::ranges::count(spikes, i) > 0;
    if (verdict.alert && is_spike) ++judgement.found;
    if (verdict.alert && !is_spike && i >= 300) ++judgement.alerts;
    judgement.width = verdict.upper - verdict.lower;
  }
  return judgement;
}

TEST_CASE("codes for the first half minute, and a machine that is switched on, hide no spike later") {
  for (const Method method : methods_of_errors()) {
    for (const double first : {-9999.0, 0.0, 65535.0}) {
      for (const std::size_t rows_before : {5U, 12U, 25U, 60U, 400U}) {
        CAPTURE(to_string(method));
        CAPTURE(first);
        CAPTURE(rows_before);
        const std::vector<std::size_t> spikes = {1500, 2500};
        Series rows =
            changed([&](std::size_t i, Row& row) { row.value = i < rows_before ? first : row.value; });
        for (const std::size_t spike : spikes) rows[spike].value += 30;
        const Judgement judgement = judge(method, rows, spikes);
        CHECK(judgement.found == spikes.size());
        CHECK(judgement.alerts < 130);
        CHECK(judgement.width < 9);
      }
    }
  }
}

TEST_CASE("an outage of a hundred codes hides no spike behind it") {
  for (const Method method : methods_of_errors()) {
    CAPTURE(to_string(method));
    const std::vector<std::size_t> spikes = {1200, 2000};
    Series rows = changed([](std::size_t i, Row& row) { row.value = i / 100 == 9 ? -9999 : row.value; });
    for (const std::size_t spike : spikes) rows[spike].value += 30;
    const Judgement judgement = judge(method, rows, spikes);
    CHECK(judgement.found == spikes.size());
    CHECK(judgement.alerts < 200);
    CHECK(judgement.width < 9);
  }
}

TEST_CASE("a step of a hundred deviations leaves bounds as they were") {
  for (const Method method : methods_of_errors()) {
    if (method == Method::kMad) continue;  // Its window must be half full of the new level.
    CAPTURE(to_string(method));
    Series rows = changed([](std::size_t i, Row& row) { row.value += i < 1000 ? 0 : 100; });
    rows[1060].value += 12;
    CHECK(judge(method, rows, {1060}).found == 1);
  }
}

TEST_CASE("the unit of a series makes no difference") {
  for (const Method method : all_methods()) {
    for (const double unit : {0x1p-300, 0x1p-60, 0x1p60, 0x1p300}) {
      CAPTURE(to_string(method));
      CAPTURE(unit);
      const DetectorPtr plain = make_detector(options_of(method), 1);
      const DetectorPtr other = make_detector(options_of(method), 1);
      std::size_t differ = 0;
      for (const Row& row : plain_series()) {
        const double value = row.value * unit;
        const Verdict one = plain->observe({&row.value, 1}, row.time);
        const Verdict two = other->observe({&value, 1}, row.time);
        const bool same =
            std::isnan(one.rarity) ? std::isnan(two.rarity) : std::abs(one.rarity - two.rarity) < 1e-6;
        differ += same && one.alert == two.alert ? 0 : 1;
      }
      CHECK(differ == 0);
    }
  }
}

}  // namespace
}  // namespace leat::anomaly
