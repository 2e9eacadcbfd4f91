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
  GapTail tail(512);
  for (int i = 1; i <= 49; ++i) tail.add(i);
  CHECK(tail.rarity_of(1e9) == 0);
  for (int i = 50; i <= 1000; ++i) tail.add(i);
  CHECK(tail.rarity_of(0) == 0);
  CHECK(tail.rarity_of(500) == doctest::Approx(0.27).epsilon(0.05));
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
  for (const SeasonalLevel::Shape shape : {SeasonalLevel::Shape::kSteps, SeasonalLevel::Shape::kLines}) {
    SeasonalLevel daily(shape);
    SeasonalLevel noisy(shape);
    Noise noise(1);
    for (std::size_t i = 0; i < 288 * 14; ++i) {
      const double wave = std::sin(2 * std::numbers::pi * static_cast<double>(i % 288) / 288);
      daily.learn(daily.expect(time_of_row(i)), 10 + 3 * wave + 0.1 * noise.normal());
      noisy.learn(noisy.expect(time_of_row(i)), 10 + noise.normal());
    }
    const std::int64_t six = 14 * kMicrosPerDay + 6 * kMicrosPerHour;
    const double most = shape == SeasonalLevel::Shape::kSteps ? 0.35 : 0.2;
    CHECK(std::abs(daily.level() + daily.expect(six).season - 13) < most);
    CHECK(std::abs(daily.level() + daily.expect(six + 12 * kMicrosPerHour).season - 7) < most);
    CHECK(std::abs(noisy.expect(six).season) < 0.3);
  }
}

TEST_CASE("a season in lines does not jump at the turn of an hour, and a ramp is none") {
  SeasonalLevel daily(SeasonalLevel::Shape::kLines);
  SeasonalLevel ramp(SeasonalLevel::Shape::kLines);
  constexpr std::size_t kRows = 1440 * 6;
  const auto minute = [](std::size_t row) { return static_cast<std::int64_t>(row) * kMicrosPerMinute; };
  for (std::size_t i = 0; i < kRows; ++i) {
    const auto row = static_cast<double>(i);
    daily.learn(daily.expect(minute(i)), 10 * std::sin(2 * std::numbers::pi * row / 1440));
    ramp.learn(ramp.expect(minute(i)), row);
  }
  for (std::size_t i = kRows; i < kRows + 1440; ++i) {
    CHECK(std::abs(daily.expect(minute(i)).season - daily.expect(minute(i + 1)).season) < 0.1);
    CHECK(ramp.expect(minute(i)).season == 0);
  }
}

TEST_CASE("a level that stays away is gone to at once, one outlier is not") {
  SeasonalLevel level(SeasonalLevel::Shape::kSteps);
  Noise noise(5);
  const auto learn = [&](std::size_t row, double value) {
    return level.learn(level.expect(time_of_row(row)), value);
  };
  for (std::size_t i = 0; i < 1000; ++i) learn(i, noise.normal());
  CHECK(learn(1000, 1e9) == 0);
  CHECK(std::abs(level.level()) < 1);
  double moved = 0;
  for (std::size_t i = 1001; i < 1030; ++i) moved += learn(i, 1000 + noise.normal());
  CHECK(moved == doctest::Approx(1000).epsilon(0.01));
  CHECK(level.level() == doctest::Approx(1000).epsilon(0.01));
  CHECK(level.error_size() < 5);
}

TEST_CASE("one huge gap does not make all later ones common") {
  GapTail plain(512);
  GapTail struck(512);
  Noise noise(6);
  for (int i = 0; i < 2000; ++i) {
    const double gap = -std::log(1 - noise.fraction());
    plain.add(gap);
    struck.add(i == 300 ? 1e12 : gap);
  }
  CHECK(plain.rarity_of(12) > 4);
  CHECK(struck.rarity_of(12) > 2.5);
  CHECK(struck.rarity_of(300) > plain.rarity_of(12));
}

TEST_CASE("counts of gaps are halved when they are many, and pages from before are read as that") {
  GapTail tail(512);
  Store store;
  Noise noise(7);
  std::string head;
  for (int i = 0; i < 100'000; ++i) {
    tail.add(i < 1000 ? 1000 * noise.fraction() : noise.fraction());
    if (i == 1500) tail.save_pages('t', store);
  }
  CHECK(tail.rarity_of(500) > 3);
  tail.save_pages('t', store);
  ByteWriter writer(head);
  tail.save(writer);
  GapTail again(512);
  for (const auto& [page, value] : store.pages()) {
    ByteReader name(page);
    ByteReader content(value);
    REQUIRE(again.load_page(name, content).has_value());
  }
  ByteReader reader(head);
  again.load(reader);
  again.finish_loading();
  for (int i = 0; i < 70'000; ++i) {
    const double gap = 2 * noise.fraction();
    if (i % 100 == 0) REQUIRE(tail.rarity_of(gap) == again.rarity_of(gap));
    tail.add(gap);
    again.add(gap);
  }
}

}  // namespace
}  // namespace leat::anomaly
