#include "daemon/runtime/delivery_schedule.h"

#include <absl/time/time.h>
#include <doctest/doctest.h>

#include <string>

#include "pipelines/base/time.h"

namespace leat::runtime {
namespace {

struct Schedule {
  std::string zone;
  DeliverySchedule schedule;

  Schedule(const std::string& week, std::string name)
      : zone(std::move(name)), schedule(*Week::parse(week), zone) {}

  /// From a moment in RFC 3339 to the next open one, as the zone writes it.
  [[nodiscard]] std::string next(const std::string& from) const {
    absl::Time time;
    std::string error;
    REQUIRE_MESSAGE(absl::ParseTime(absl::RFC3339_full, from, &time, &error), error);
    absl::TimeZone local;
    REQUIRE(absl::LoadTimeZone(zone, &local));
    return absl::FormatTime(absl::RFC3339_sec,
                            absl::FromUnixMicros(schedule.next_open(absl::ToUnixMicros(time))), local);
  }
};

TEST_CASE("a schedule is read by the wall clock of its zone") {
  const Schedule berlin("22:00-06:00", "Europe/Berlin");
  CHECK(berlin.next("2026-07-01T12:00:00+02:00") == "2026-07-01T22:00:00+02:00");
  CHECK(berlin.next("2026-01-15T12:00:00+01:00") == "2026-01-15T22:00:00+01:00");
  CHECK(berlin.next("2026-07-01T23:30:00+02:00") == "2026-07-01T23:30:00+02:00");
  CHECK(berlin.next("2026-07-02T06:00:00+02:00") == "2026-07-02T22:00:00+02:00");
}

TEST_CASE("over a change of the clocks the window begins by the new time") {
  const Schedule berlin("08:00-09:00", "Europe/Berlin");
  CHECK(berlin.next("2026-03-28T09:00:00+01:00") == "2026-03-29T08:00:00+02:00");
  CHECK(berlin.next("2026-10-24T09:00:00+02:00") == "2026-10-25T08:00:00+01:00");
}

TEST_CASE("a window that begins in the hour that spring leaves out begins behind it") {
  const Schedule berlin("02:30-04:00", "Europe/Berlin");
  CHECK(berlin.next("2026-03-29T00:00:00+01:00") == "2026-03-29T03:00:00+02:00");
  const Schedule lost("02:10-02:50", "Europe/Berlin");
  CHECK(lost.next("2026-03-29T00:00:00+01:00") == "2026-03-30T02:10:00+02:00");
}

TEST_CASE("a window in the hour that autumn repeats is open twice, as the wall shows it twice") {
  const Schedule berlin("02:10-02:50", "Europe/Berlin");
  CHECK(berlin.next("2026-10-25T00:00:00+02:00") == "2026-10-25T02:10:00+02:00");
  CHECK(berlin.next("2026-10-25T02:50:00+02:00") == "2026-10-25T02:10:00+01:00");
  CHECK(berlin.next("2026-10-25T02:50:00+01:00") == "2026-10-26T02:10:00+01:00");
}

TEST_CASE("days of the week are the zone's, not UTC's") {
  const Schedule auckland("Sat,Sun 00:00-24:00", "Pacific/Auckland");
  CHECK(auckland.next("2026-07-03T10:00:00Z") == "2026-07-04T00:00:00+12:00");
  CHECK(auckland.next("2026-07-05T12:00:00Z") == "2026-07-11T00:00:00+12:00");
}

TEST_CASE("a window once a week is found across both changes of a year") {
  const Schedule weekly("Mon 03:00-03:10", "America/New_York");
  absl::Time time = absl::FromUnixSeconds(1'767'243'600);  // 2026-01-01.
  for (int week = 0; week < 53; ++week) {
    const std::int64_t open = weekly.schedule.next_open(absl::ToUnixMicros(time));
    absl::TimeZone zone;
    REQUIRE(absl::LoadTimeZone("America/New_York", &zone));
    CHECK(absl::FormatTime("%a %H:%M", absl::FromUnixMicros(open), zone) == "Mon 03:00");
    time = absl::FromUnixMicros(open) + absl::Minutes(10);
  }
}

}  // namespace
}  // namespace leat::runtime
