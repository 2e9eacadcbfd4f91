// The pieces of detectors against plain forms of the same.
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <limits>

#include "pipelines/anomaly/gap_tail.h"
#include "pipelines/anomaly/median_window.h"
#include "pipelines/anomaly/normal.h"
#include "pipelines/anomaly/seasonal_level.h"
#include "pipelines/anomaly/view_history.h"
#include "tests/unit/anomaly/series.h"

namespace leat::anomaly {
namespace {

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

TEST_CASE("the median of a window and of the distances from it are exact") {
  for (const std::uint32_t rows : {4U, 5U, 33U}) {
    MedianWindow window(rows, 'w');
    std::deque<double> plain;
    Noise noise(rows);
    for (int i = 0; i < 500; ++i) {
      const double value = std::floor(noise.fraction() * 20);  // Many are the same.
      window.add(value);
      plain.push_back(value);
      if (plain.size() > rows) plain.pop_front();
      const double median = median_of({plain.begin(), plain.end()});
      std::vector<double> distances;
      for (const double each : plain) distances.push_back(std::abs(each - median));
      CHECK(window.median() == median);
      CHECK(window.median_distance() == median_of(distances));
    }
  }
}

TEST_CASE("the nearest value of a history is that of a plain search over the rows that it still has") {
  constexpr std::size_t kEpochRows = 8;
  ViewHistory history(ViewHistory::Pace::kFast);
  std::vector<double> plain;
  Noise noise(3);
  std::uint32_t epoch = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    const ViewCell cell(noise.normal() * 100, epoch, 0);
    const std::size_t begin = i / kEpochRows < kEpochs ? 0 : (i / kEpochRows - kEpochs + 1) * kEpochRows;
    double nearest = std::numeric_limits<double>::infinity();
    for (std::size_t k = begin; k < plain.size(); ++k)
      nearest = std::min(nearest, std::abs(plain[k] - cell.value()));
    double distance = 0;
    ViewHistory::add_each({&history, 1}, {&cell, 1}, {&distance, 1});
    CHECK(distance == nearest);
    plain.push_back(cell.value());
    if (plain.size() % kEpochRows == 0) {
      history.end_epoch(epoch);
      epoch = (epoch + 1) % kEpochs;
    }
  }
}

TEST_CASE("a cell keeps 19 bits of a value, and the order of values") {
  for (const double value : {0.0, 1.0, -1.0, 1e-20, 3.14159, -271.828, 1e30, -1e30}) {
    const ViewCell cell(value, 15, 1);
    CHECK(std::abs(cell.value() - value) <= std::abs(value) / (1 << 18) + 1e-40);
    CHECK(cell.epoch() == 15);
    CHECK(cell.is_odd());
  }
  CHECK(ViewCell(-2, 0, 0) < ViewCell(-1, 0, 0));
  CHECK(ViewCell(-1, 0, 0) < ViewCell(0, 0, 0));
  CHECK(ViewCell(0, 0, 0) < ViewCell(1, 0, 0));
  CHECK(ViewCell(1, 3, 0).value() == ViewCell(1, 9, 1).value());
}

TEST_CASE("a gap is as rare as the share of gaps that are larger, and rarer beyond all of them") {
  GapTail tail;
  for (int i = 1; i <= 49; ++i) tail.add(i);
  CHECK(tail.rarity_of(1e9) == 0);
  for (int i = 50; i <= 1000; ++i) tail.add(i);
  CHECK(tail.rarity_of(0) == 0);
  CHECK(tail.rarity_of(500) == doctest::Approx(0.30).epsilon(0.05));
  CHECK(tail.rarity_of(950) == doctest::Approx(1.3).epsilon(0.15));
  CHECK(tail.rarity_of(2000) > 5);
  double last = 0;
  for (double gap = 1; gap < 3000; gap *= 1.3) {
    CHECK(tail.rarity_of(gap) >= last - 0.02);
    last = tail.rarity_of(gap);
  }
}

TEST_CASE("rarity by deviations is that of the normal distribution, and goes on where doubles end") {
  CHECK(rarity_of_deviations(1.959964) == doctest::Approx(-std::log10(0.05)));
  CHECK(rarity_of_deviations(-2.575829) == doctest::Approx(2));
  CHECK(deviations_of_share(0.99) == doctest::Approx(2.575829));
  CHECK(rarity_of_deviations(19.999) == doctest::Approx(rarity_of_deviations(20.001)).epsilon(0.001));
  CHECK(rarity_of_deviations(1e9) == kGreatestRarity);
  CHECK(score_of(2) == doctest::Approx(0.99));
  CHECK(std::isnan(score_of(kUnknown)));
}

TEST_CASE("a season of the hours is found where there is one, and not where there is none") {
  SeasonalLevel daily;
  SeasonalLevel noisy;
  Noise noise(1);
  for (std::size_t i = 0; i < 288 * 14; ++i) {
    const double wave = std::sin(2 * std::numbers::pi * static_cast<double>(i % 288) / 288);
    daily.learn(daily.expect(time_of_row(i)), 10 + 3 * wave + 0.1 * noise.normal());
    noisy.learn(noisy.expect(time_of_row(i)), 10 + noise.normal());
  }
  const std::int64_t six = 14 * kMicrosPerDay + 6 * kMicrosPerHour;
  CHECK(daily.level() + daily.expect(six).season == doctest::Approx(13).epsilon(0.03));
  CHECK(daily.level() + daily.expect(six + 12 * kMicrosPerHour).season == doctest::Approx(7).epsilon(0.03));
  CHECK(std::abs(noisy.expect(six).season) < 0.3);
}

}  // namespace
}  // namespace leat::anomaly
