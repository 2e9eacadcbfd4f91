#include "pipelines/base/week.h"

#include <doctest/doctest.h>

#include <string>

#include "pipelines/base/time.h"

namespace leat {
namespace {

/// A local moment in the week of Monday, 2026-01-05.
std::int64_t at(int day, int hour, int minute = 0) {
  constexpr std::int64_t kMonday = 20'458;  // Days since 1970-01-01.
  return (kMonday + day) * kMicrosPerDay + hour * kMicrosPerHour + minute * kMicrosPerMinute;
}

Week week(const std::string& text) {
  auto read = Week::parse(text);
  REQUIRE(read);
  return *std::move(read);
}

TEST_CASE("a window of the day is open from its begin to before its end, on every day") {
  const Week day = week("08:30-17:00");
  for (int d = 0; d < 7; ++d) {
    CHECK_FALSE(day.contains(at(d, 8, 29)));
    CHECK(day.contains(at(d, 8, 30)));
    CHECK(day.contains(at(d, 16, 59)));
    CHECK_FALSE(day.contains(at(d, 17)));
  }
}

TEST_CASE("a window over midnight belongs to the day on which it begins") {
  const Week friday = week("Fri 22:00-06:00");
  CHECK(friday.contains(at(4, 23)));
  CHECK(friday.contains(at(5, 5, 59)));
  CHECK_FALSE(friday.contains(at(4, 5)));
  CHECK_FALSE(friday.contains(at(5, 22)));
  CHECK(week("Sun 22:00-06:00").contains(at(7, 1)));
}

TEST_CASE("days are single ones, ranges and lists; a range may pass the week's end") {
  const Week weekend = week("Sat,Sun 00:00-24:00; Wed 12:00-13:00");
  CHECK(weekend.contains(at(5, 0)));
  CHECK(weekend.contains(at(6, 23, 59)));
  CHECK_FALSE(weekend.contains(at(7, 0)));
  CHECK(weekend.contains(at(2, 12)));
  const Week around = week("Sat-Mon 10:00-11:00");
  for (const int day : {5, 6, 0}) CHECK(around.contains(at(day, 10)));
  for (const int day : {1, 2, 3, 4}) CHECK_FALSE(around.contains(at(day, 10)));
}

TEST_CASE("outside, the time to the next window is told, over the week's end too") {
  CHECK(week("22:00-06:00").until_next(at(0, 12)) == 10 * kMicrosPerHour);
  CHECK(week("Tue 08:00-09:00").until_next(at(1, 9)) == 7 * kMicrosPerDay - kMicrosPerHour);
  CHECK(week("00:00-24:00").until_next(at(3, 12)) == 0);
}

TEST_CASE("what is no week is refused with what was expected") {
  for (const char* text :
       {"", " ", "22:00", "22-06", "25:00-26:00", "10:00-10:00", "24:00-06:00", "10:60-11:00",
        "Mo 10:00-11:00", "Mon- 10:00-11:00x", "10:00-11:00; ", "mon 10:00-11:00", "Mon,, 10:00-11:00"}) {
    CAPTURE(text);
    const auto read = Week::parse(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().message.find("'22:00-06:00'") != std::string::npos);
  }
}

}  // namespace
}  // namespace leat
