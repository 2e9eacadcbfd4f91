#include "pipelines/base/time.h"

#include <doctest/doctest.h>

using namespace leat;

TEST_CASE("durations are read in the spellings of Flink and systemd") {
  CHECK(parse_duration("200 ms").value() == Micros(200'000));
  CHECK(parse_duration("1s").value() == Micros(1'000'000));
  CHECK(parse_duration("5min").value() == Micros(300'000'000));
  CHECK(parse_duration("1 h 30 min").value() == Micros(5'400'000'000));
  CHECK(parse_duration("7 d").value() == Micros(7 * kMicrosPerDay));
  CHECK(parse_duration("1500").value() == Micros(1'500'000));
  CHECK(parse_duration("0").value() == Micros(0));
}

TEST_CASE("what is no duration is refused") {
  for (const char* text : {"", "s", "-1 s", "1 fortnight", "99999999999999 d", "1.5 s"})
    CHECK_FALSE(parse_duration(text));
}

TEST_CASE("a printed duration reads back as the same") {
  for (const std::int64_t micros :
       {0LL, 1LL, 999LL, 1'000LL, 90'000'000LL, 3'600'000'000LL, 86'400'000'001LL})
    CHECK(parse_duration(format_duration(Micros(micros))).value() == Micros(micros));
}

TEST_CASE("division rounds down before 1970, too") {
  CHECK(floor_div(-1, 10) == -1);
  CHECK(floor_mod(-1, 10) == 9);
  CHECK(floor_div(-10, 10) == -1);
  CHECK(floor_mod(-10, 10) == 0);
  CHECK(floor_div(19, 10) == 1);
}

TEST_CASE("sums stop at the ends of time") {
  CHECK(saturating_add(kMaxWatermark, 1) == kMaxWatermark);
  CHECK(saturating_add(kMinWatermark, -1) == kMinWatermark);
  CHECK(saturating_add(40, 2) == 42);
}

TEST_CASE("RFC 3339 has the fewest digits that are exact") {
  CHECK(format_rfc3339(Timestamp(Micros(0))) == "1970-01-01T00:00:00Z");
  CHECK(format_rfc3339(Timestamp(Micros(-250'000))) == "1969-12-31T23:59:59.75Z");
  CHECK(format_rfc3339(Timestamp(Micros(4'070'908'800'000'001))) == "2099-01-01T00:00:00.000001Z");
}
