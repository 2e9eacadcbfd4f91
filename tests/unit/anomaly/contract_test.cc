// What every detector promises, held by each method.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "tests/unit/anomaly/series.h"

namespace leat::anomaly {
namespace {

Verdict observe(Detector& detector, double value, std::size_t row) {
  return detector.observe({&value, 1}, time_of_row(row));
}

TEST_CASE("nothing is said before there is enough to say it by, and all is said behind that") {
  for (const Method method : all_methods()) {
    CAPTURE(to_string(method));
    const DetectorPtr detector = make_detector(options_of(method), 1);
    const std::vector<double> values = daily_series(400, 1);
    for (std::size_t i = 0; i < 50; ++i) {
      const Verdict verdict = observe(*detector, values[i], i);
      CHECK(std::isnan(verdict.rarity));
      CHECK_FALSE(verdict.alert);
    }
    for (std::size_t i = 50; i < 200; ++i) observe(*detector, values[i], i);
    for (std::size_t i = 200; i < values.size(); ++i) CHECK(observe(*detector, values[i], i).rarity >= 0);
  }
}

TEST_CASE("a row without a number is passed over: what follows is judged as if it had not been there") {
  for (const Method method : all_methods()) {
    CAPTURE(to_string(method));
    const DetectorPtr plain = make_detector(options_of(method), 1);
    const DetectorPtr gaps = make_detector(options_of(method), 1);
    const std::vector<double> values = daily_series(300, 2);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i % 7 == 0)
        for (const double none : {kUnknown, std::numeric_limits<double>::infinity()})
          CHECK(std::isnan(observe(*gaps, none, i).rarity));
      CHECK(text_of(observe(*plain, values[i], i)) == text_of(observe(*gaps, values[i], i)));
    }
  }
}

TEST_CASE("a flat line is no alert, a step from it is odd, and the new level is learnt") {
  for (const Method method : all_methods()) {
    CAPTURE(to_string(method));
    const DetectorPtr detector = make_detector(options_of(method), 1);
    for (std::size_t i = 0; i < 500; ++i) {
      const Verdict verdict = observe(*detector, 21.5, i);
      CHECK_FALSE(verdict.alert);
      if (i > 200) CHECK(verdict.rarity == 0);
    }
    double most = 0;
    for (std::size_t i = 500; i < 600; ++i) most = std::max(most, observe(*detector, 30, i).rarity);
    CHECK(most > 1);
    for (std::size_t i = 600; i < 3000; ++i) observe(*detector, 30, i);
    for (std::size_t i = 3000; i < 3100; ++i) CHECK_FALSE(observe(*detector, 30, i).alert);
  }
}

TEST_CASE("a step of a noisy series is learnt: behind it there are as many alerts as without it") {
  for (const Method method : all_methods()) {
    CAPTURE(to_string(method));
    const DetectorPtr plain = make_detector(options_of(method), 1);
    const DetectorPtr step = make_detector(options_of(method), 1);
    const std::vector<double> values = daily_series(6000, 3);
    int without = 0;
    int with = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool alert = observe(*plain, values[i], i).alert;
      const bool step_alert = observe(*step, values[i] + (i < 1500 ? 0 : 400), i).alert;
      if (i < 4000) continue;
      without += alert ? 1 : 0;
      with += step_alert ? 1 : 0;
    }
    CHECK(with <= without + without / 5 + 5);
  }
}

TEST_CASE("time may stand still, jump and step back") {
  for (const Method method : all_methods()) {
    CAPTURE(to_string(method));
    const DetectorPtr detector = make_detector(options_of(method), 1);
    const std::vector<double> values = daily_series(600, 4);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t row = i % 50 == 0 ? i + 3000 : i % 3 == 0 ? i - 1 : i;
      const Verdict verdict = observe(*detector, values[i], row);
      if (i > 200) CHECK(std::isfinite(verdict.rarity));
    }
  }
}

TEST_CASE("an error code of a sensor does not end all judgement") {
  for (const Method method : all_methods()) {
    CAPTURE(to_string(method));
    const DetectorPtr detector = make_detector(options_of(method), 1);
    const std::vector<double> values = daily_series(3000, 5);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Verdict verdict = observe(*detector, i == 500 ? -1e30 : values[i], i);
      // A sum of deviations takes one row for one row, however large its value is.
      if (i == 500 && method != Method::kPageHinkley) CHECK(verdict.rarity > 0.8);
      if (i > 200) CHECK(std::isfinite(verdict.rarity));
    }
  }
}

TEST_CASE("values at the ends of what a double holds leave numbers behind") {
  for (const Method method : all_methods()) {
    CAPTURE(to_string(method));
    const DetectorPtr detector = make_detector(options_of(method), 1);
    const std::vector<double> values = daily_series(2000, 11);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double value = i == 300 ? 1.7e308 : i == 301 ? -1.7e308 : i == 302 ? 5e-324 : values[i];
      const Verdict verdict = observe(*detector, value, i);
      if (i > 200) CHECK(std::isfinite(verdict.rarity));
      if (i > 200 && !std::isnan(verdict.lower)) CHECK(std::isfinite(verdict.upper - verdict.lower));
    }
  }
}

TEST_CASE("a detector that is saved and loaded at any row goes on bit by bit as one that never stopped") {
  for (const Method method : all_methods()) {
    CAPTURE(to_string(method));
    DetectorOptions options = options_of(method);
    for (const std::uint32_t season : {0U, 12U}) {
      options.season_rows = season;
      options.deseasonalise = season > 0;
      const DetectorPtr whole = make_detector(options, 1);
      DetectorPtr cut = make_detector(options, 1);
      Store store;
      const std::vector<double> values = daily_series(900, 6);
      for (std::size_t i = 0; i < values.size(); ++i) {
        REQUIRE(text_of(observe(*whole, values[i], i)) == text_of(observe(*cut, values[i], i)));
        // Between one row and some epochs between two saves.
        if (i % 97 > 40 && i % 97 < 60) continue;
        if (i > 400 && i < 520) continue;
        store.save(*cut);
        cut = make_detector(options, 1);
        REQUIRE(store.load(*cut).has_value());
      }
    }
  }
}

TEST_CASE("one row costs a commit a few pages, not the history") {
  for (const Method method : all_methods()) {
    CAPTURE(to_string(method));
    DetectorOptions options = options_of(method);
    options.history = 8192;
    options.window = 1024;
    const DetectorPtr detector = make_detector(options, 1);
    const std::vector<double> values = daily_series(10'000, 7);
    Store store;
    std::size_t most = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      observe(*detector, values[i], i);
      if (i < 9000) continue;
      const std::size_t written = store.save(*detector);
      if (i > 9000) most = std::max(most, written);
    }
    CHECK(most < 2500);
  }
}

TEST_CASE("what is erased is all that was written") {
  for (const Method method : all_methods()) {
    CAPTURE(to_string(method));
    const DetectorPtr detector = make_detector(options_of(method), 1);
    const std::vector<double> values = daily_series(700, 8);
    Store store;
    for (std::size_t i = 0; i < values.size(); ++i) {
      observe(*detector, values[i], i);
      if (i % 100 == 0) store.save(*detector);
    }
    detector->unsave_pages(store);
    CHECK(store.page_count() == 0);
    store.save(*detector);
    const DetectorPtr again = make_detector(options_of(method), 1);
    REQUIRE(store.load(*again).has_value());
    for (std::size_t i = 700; i < 800; ++i)
      CHECK(text_of(observe(*detector, values[i - 700], i)) == text_of(observe(*again, values[i - 700], i)));
  }
}

TEST_CASE("the memory is bounded") {
  for (const Method method : all_methods()) {
    CAPTURE(to_string(method));
    const DetectorPtr detector = make_detector(options_of(method), 1);
    const std::vector<double> values = daily_series(6000, 9);
    std::size_t early = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      observe(*detector, values[i], i);
      if (i == 1500) early = detector->memory_bytes();
    }
    CHECK(detector->memory_bytes() <= early + early / 5);
  }
}

TEST_CASE("a damaged state is an error, not a crash") {
  for (const Method method : all_methods()) {
    CAPTURE(to_string(method));
    const DetectorPtr detector = make_detector(options_of(method), 1);
    const std::vector<double> values = daily_series(700, 10);
    for (std::size_t i = 0; i < values.size(); ++i) observe(*detector, values[i], i);
    Store store;
    store.save(*detector);
    store.head().resize(store.head().size() / 2);
    CHECK_FALSE(store.load(*make_detector(options_of(method), 1)).has_value());
    CHECK_FALSE(make_detector(options_of(method), 1)->load_page("\xff\xff", "x").has_value());
    for (auto& [page, value] : store.pages()) {
      const DetectorPtr other = make_detector(options_of(method), 1);
      CHECK_FALSE(other->load_page(page, value.substr(0, value.size() / 2)).has_value());
    }
  }
}

}  // namespace
}  // namespace leat::anomaly
