#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/anomaly/series.h"

namespace leat::anomaly {
namespace {

struct Seen {
  int alerts = 0;
  std::vector<std::size_t> rows;  ///< Of the alerts.
};

constexpr std::int64_t kMicrosOfRow = 5 * kMicrosPerMinute;

Seen watch(const std::vector<double>& values, const DetectorOptions& options,
           std::int64_t micros_of_row = kMicrosOfRow) {
  const DetectorPtr detector = make_detector(options, 1);
  Seen seen;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!detector->observe({&values[i], 1}, static_cast<std::int64_t>(i) * micros_of_row).alert) continue;
    ++seen.alerts;
    seen.rows.push_back(i);
  }
  return seen;
}

DetectorOptions plain(std::uint32_t history = 2048) {
  DetectorOptions options;
  options.history = history;
  return options;
}

bool is_near(const Seen& seen, std::size_t row) {
  return std::any_of(seen.rows.begin(), seen.rows.end(),
                     [&](std::size_t at) { return at >= row && at < row + 60; });
}

TEST_CASE("a wave with noise is no novelty for weeks") {
  CHECK(watch(daily_series(288 * 21, 21), plain()).alerts <= 4);
}

TEST_CASE("a value that never was, one at the wrong hour, and a line that goes quiet are novelties") {
  std::vector<double> spike = daily_series(288 * 14, 22);
  spike[3000] = 40;
  CHECK(is_near(watch(spike, plain()), 3000));
  std::vector<double> shifted = daily_series(288 * 14, 23);
  for (std::size_t i = 3000; i < 3144; ++i) shifted[i] = 40 - shifted[i];
  CHECK(is_near(watch(shifted, plain()), 3000));
  std::vector<double> quiet = daily_series(288 * 14, 24);
  for (std::size_t i = 3000; i < 3060; ++i) quiet[i] = quiet[2999];
  CHECK(is_near(watch(quiet, plain()), 3000));
}

TEST_CASE(
    "an alert is followed by none for a while but a much stronger one, and a higher threshold has fewer") {
  std::vector<double> values = daily_series(288 * 14, 25);
  for (std::size_t i = 3000; i < 3050; ++i) values[i] += 3.0 * static_cast<double>(i - 2990);
  const Seen seen = watch(values, plain());
  int close = 0;
  for (std::size_t i = 1; i < seen.rows.size(); ++i) close += seen.rows[i] - seen.rows[i - 1] <= 120 ? 1 : 0;
  CHECK(close <= 2);
  DetectorOptions options = plain();
  options.cooldown = 0;
  const Seen all = watch(values, options);
  CHECK(all.alerts > seen.alerts);
  options.threshold = 4;
  CHECK(watch(values, options).alerts < all.alerts);
}

TEST_CASE("a much stronger event is an alert within the cool-down of a weak one") {
  int weak = 0;
  int strong = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Noise noise(seed);
    std::vector<double> values;
    for (int i = 0; i < 4000; ++i) values.push_back(50 + noise.normal());
    const Seen before = watch(values, plain());
    const auto old = [](std::size_t row) { return row > 1000 && row < 3900; };
    const auto first = std::ranges::find_if(before.rows, old);
    if (first == before.rows.end()) continue;
    ++weak;
    values[*first + 16] = 70;
    strong += static_cast<int>(std::ranges::count(watch(values, plain()).rows, *first + 16));
  }
  CHECK(weak >= 10);
  CHECK(strong >= weak - 3);
}

TEST_CASE("a coarse sensor is no novelty at values that it gives all the time, and is one elsewhere") {
  int alerts = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    CAPTURE(seed);
    Noise noise(seed);
    std::vector<double> values;
    for (int i = 0; i < 6000; ++i) values.push_back(std::round(2 * (20 + 0.12 * noise.normal())) / 2);
    for (const std::size_t row : watch(values, plain()).rows) alerts += row > 500 ? 1 : 0;
    values[3000] = 25;
    CHECK(std::ranges::count(watch(values, plain()).rows, 3000U) == 1);
  }
  CHECK(alerts <= 8);
}

TEST_CASE("an error code hides nothing that follows: spikes behind it are found as those without it") {
  for (const double code : {0.0, -9999.0, 65535.0, 1e9, 3.4e38, 1e300}) {
    CAPTURE(code);
    Noise noise(31);
    std::vector<double> values;
    for (int i = 0; i < 6000; ++i)
      values.push_back(100 + noise.normal() + (i >= 1000 && i % 1000 == 0 ? 20 + i / 1000 : 0));
    values[300] = code;
    const Seen seen = watch(values, plain());
    for (std::size_t spike = 1000; spike < values.size(); spike += 1000)
      CHECK(std::ranges::count(seen.rows, spike) == 1);
    CHECK(seen.alerts < 20);
  }
}

TEST_CASE("right behind the cool-down of an error code a spike of twelve deviations is found") {
  for (const double code : {-9999.0, 1e9}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      CAPTURE(code);
      CAPTURE(seed);
      Noise noise(seed);
      std::vector<double> values;
      for (int i = 0; i < 426; ++i) values.push_back(100 + noise.normal());
      values[300] = code;
      values[425] = 112;
      DetectorOptions options = plain();
      options.cooldown = 0;
      CHECK(std::ranges::count(watch(values, options).rows, 425U) == 1);
    }
  }
}

TEST_CASE("an error code among the first rows sets no scale") {
  for (const std::size_t at : {0U, 3U, 22U, 45U}) {
    for (const double code : {-9999.0, 1e9, 1e300}) {
      CAPTURE(at);
      CAPTURE(code);
      Noise noise(33);
      std::vector<double> values;
      for (int i = 0; i < 501; ++i) values.push_back(100 + noise.normal());
      values[at] = code;
      values[500] = 120;
      CHECK(std::ranges::count(watch(values, plain()).rows, 500U) == 1);
    }
  }
}

TEST_CASE("plain noise alerts little while it is young, and a spike in it is found") {
  int alerts = 0;
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Noise noise(seed);
    std::vector<double> values;
    for (int i = 0; i < 300; ++i) values.push_back(50 + noise.normal());
    alerts += watch(values, plain()).alerts;
    values[185] += 12;
    found += static_cast<int>(std::ranges::count(watch(values, plain()).rows, 185U));
  }
  CHECK(alerts <= 4);
  CHECK(found >= 38);
}

TEST_CASE("error codes in a young series hide no spike behind their cool-down") {
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const std::size_t codes : {1U, 3U}) {
      Noise noise(seed);
      std::vector<double> values;
      for (int i = 0; i < 201; ++i) values.push_back(50 + noise.normal());
      for (std::size_t i = 0; i < codes; ++i) values[60 + i] = 65535;
      values[200] += 12;
      DetectorOptions options = plain();
      options.cooldown = 0;
      found += static_cast<int>(std::ranges::count(watch(values, options).rows, 200U));
    }
  }
  CHECK(found >= 38);
}

TEST_CASE("behind a step of a thousand deviations spikes are found at the new level") {
  Noise noise(32);
  std::vector<double> values;
  for (int i = 0; i < 6000; ++i)
    values.push_back((i > 2000 ? 1100 : 100) + noise.normal() +
                     (i > 2000 && i % 1000 == 0 ? 20 + i / 500 : 0));
  const Seen seen = watch(values, plain());
  CHECK(std::ranges::count(seen.rows, 2001U) == 1);
  for (std::size_t spike = 3000; spike < values.size(); spike += 1000)
    CHECK(std::ranges::count(seen.rows, spike) == 1);
}

/// `rows` of one value, then normal noise of a size about a level.
std::vector<double> begins_flat(std::size_t rows, double value, double level, double size,
                                std::uint64_t seed) {
  Noise noise(seed);
  std::vector<double> values(rows, value);
  while (values.size() < rows + 5000) values.push_back(level + size * noise.normal());
  return values;
}

TEST_CASE(
    "what is off at first, or sends codes, is known once it lives: spikes are found as if it always had") {
  DetectorOptions options = plain();
  options.cooldown = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    for (const std::size_t rows : {25U, 60U, 2000U}) {
      CAPTURE(rows);
      std::vector<double> off = begins_flat(rows, 0, 1500, 2, seed);
      std::vector<double> codes = begins_flat(rows, -9999, 50, 1, seed);
      for (const std::size_t spike : {500U, 1000U, 3000U, 4500U}) {
        off[rows + spike] += 100;
        codes[rows + spike] += 30;
      }
      const Seen seen_off = watch(off, options);
      const Seen seen_codes = watch(codes, options);
      for (const std::size_t spike : {500U, 1000U, 3000U, 4500U}) {
        CHECK(std::ranges::count(seen_off.rows, rows + spike) == 1);
        CHECK(std::ranges::count(seen_codes.rows, rows + spike) == 1);
      }
    }
  }
}

TEST_CASE("what is switched on and off begins anew a few times only, and is known by both") {
  Noise noise(35);
  std::vector<double> values;
  for (int i = 0; i < 6000; ++i) values.push_back(i / 100 % 2 == 0 ? 0 : 1500 + 2 * noise.normal());
  const DetectorPtr detector = make_detector(plain(), 1);
  int unknown = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    unknown += std::isnan(detector->observe({&values[i], 1}, time_of_row(i)).rarity) ? 1 : 0;
  CHECK(unknown <= 4 * 50);
  CHECK(watch(values, plain()).alerts <= 12);
}

TEST_CASE("a detector that has begun anew is saved and loaded as any, whatever the store has of before") {
  const std::vector<double> values = begins_flat(300, 0, 1500, 2, 36);
  for (const std::size_t every : {1U, 7U, 310U}) {
    CAPTURE(every);
    DetectorOptions options = plain(64);
    const DetectorPtr whole = make_detector(options, 1);
    DetectorPtr cut = make_detector(options, 1);
    Store store;
    for (std::size_t i = 0; i < 800; ++i) {
      const Verdict expected = whole->observe({&values[i], 1}, time_of_row(i));
      REQUIRE(text_of(expected) == text_of(cut->observe({&values[i], 1}, time_of_row(i))));
      if (i % every != 0) continue;
      store.save(*cut);
      cut = make_detector(options, 1);
      REQUIRE(store.load(*cut).has_value());
    }
  }
}

TEST_CASE("what rises evenly makes no alert at the full hours") {
  for (const double noise_size : {0.0, 1.0}) {
    for (const std::int64_t seconds : {10, 60}) {
      CAPTURE(noise_size);
      CAPTURE(seconds);
      Noise noise(34);
      std::vector<double> counter;
      for (int i = 0; i < 2000; ++i) counter.push_back(1000 + 3 * i + noise_size * noise.fraction());
      const std::int64_t rows_of_hour = 3600 / seconds;
      for (const std::size_t row : watch(counter, plain(), seconds * kMicrosPerSecond).rows)
        CHECK(static_cast<std::int64_t>(row) % rows_of_hour > 6);
    }
  }
}

TEST_CASE("a history of 8192 rows never needs more than 200 KiB, one of 2048 no more than 74") {
  for (const auto& [rows, most] : {std::pair(8192U, 200U), std::pair(2048U, 74U)}) {
    CAPTURE(rows);
    const DetectorPtr detector = make_detector(plain(rows), 1);
    const std::vector<double> values = daily_series(20'000, 26);
    for (std::size_t i = 0; i < values.size(); ++i) detector->observe({&values[i], 1}, time_of_row(i));
    CHECK(detector->memory_bytes() <= most * 1024);
    CHECK(detector->memory_bytes() <= full_size_of(plain(rows), 1));
    CHECK(full_size_of(plain(rows), 1) <= most * 1024);
  }
}

}  // namespace
}  // namespace leat::anomaly
