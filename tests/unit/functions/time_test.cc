#include "tests/unit/functions/fixture.h"

namespace leat::functions {
namespace {

const Session kShanghai{"Asia/Shanghai"};

TEST_CASE("TO_TIMESTAMP reads SQL's form or a Java pattern, and gives NULL for what is neither") {
  CHECK(call("TO_TIMESTAMP", {text("1970-01-01 00:00:00.123456789")}) == "1970-01-01 00:00:00.123");
  CHECK(call("TO_TIMESTAMP", {text("abc")}) == "NULL");
  CHECK(call("TO_TIMESTAMP", {text("20200131 235959"), text("yyyyMMdd HHmmss")}) ==
        "2020-01-31 23:59:59.000");
  CHECK(call("TO_TIMESTAMP", {text("1234567"), text("SSSSSSS")}) == "1970-01-01 00:00:00.123");
  CHECK(call("TO_TIMESTAMP", {text("2017-09-15 00:00:00.12345"), text("yyyy-MM-dd HH:mm:ss.SSS")}) ==
        "2017-09-15 00:00:00.123");
  CHECK(call("TO_TIMESTAMP", {text("5 Mar 2020 1:02 PM"), text("d MMM yyyy h:mm a")}) ==
        "2020-03-05 13:02:00.000");
  CHECK(call("TO_TIMESTAMP", {text("x"), text("yyyy-bb")}) ==
        "error: time format 'yyyy-bb' has the unknown letter b");
}

TEST_CASE("TO_TIMESTAMP_LTZ takes seconds, milliseconds or text") {
  CHECK(call("TO_TIMESTAMP_LTZ", {integer(100), integer(0)}, kShanghai) == "1970-01-01 08:01:40.000");
  CHECK(call("TO_TIMESTAMP_LTZ", {bigint(1234)}) == "1970-01-01 00:00:01.234");
  CHECK(call("TO_TIMESTAMP_LTZ", {number(100.01), integer(0)}) == "1970-01-01 00:01:40.010");
  CHECK(call("TO_TIMESTAMP_LTZ", {bigint(1'234'567), integer(6)}) == "1970-01-01 00:00:01.234567");
  CHECK(call("TO_TIMESTAMP_LTZ", {text("2020-01-01 00:00:00")}, kShanghai) == "2020-01-01 08:00:00.000");
  CHECK(call("TO_TIMESTAMP_LTZ", {bigint(INT64_MAX), integer(0)}) == "NULL");
}

TEST_CASE("DATE_FORMAT prints Java patterns, instants in the session's zone") {
  const Arg time = timestamp("2018-03-14 01:02:03.123456", 6);
  CHECK(call("DATE_FORMAT", {time, text("yyyy/MM/dd HH:mm:ss.SSSSSS")}, kShanghai) ==
        "2018/03/14 01:02:03.123456");
  CHECK(call("DATE_FORMAT", {time, text("EEE d MMMM yy, h 'o' a")}) == "Wed 14 March 18, 1 o AM");
  CHECK(call("DATE_FORMAT", {value(Type::timestamp_ltz(3), 0), text("HH:mm")}, kShanghai) == "08:00");
  CHECK(call("DATE_FORMAT", {text("2020-01-02 00:00:00"), text("DDD")}) == "002");
  CHECK(call("DATE_FORMAT", {text("2020-01-02"), text("DDD")}) == "NULL");
}

TEST_CASE("unix times are in the session's zone") {
  CHECK(call("FROM_UNIXTIME", {integer(1111885200)}, {"MET"}) == "2005-03-27 03:00:00");
  CHECK(call("UNIX_TIMESTAMP", {text("2015-07-24 10:00:00")}, {"Asia/Tokyo"}) == "1437699600");
  CHECK(call("UNIX_TIMESTAMP", {text("junk")}) == "-9223372036854775808");
  CHECK(call("UNIX_TIMESTAMP", {}) == "1600000000");
  CHECK(call("CONVERT_TZ", {text("2018-03-14 11:00:00"), text("UTC"), text("Asia/Shanghai")}) ==
        "2018-03-14 19:00:00");
}

TEST_CASE("EXTRACT knows the parts of times and intervals") {
  const Arg time = timestamp("2021-01-03 06:07:08.123456", 6);
  const auto part = [&](const char* unit) { return call("EXTRACT", {text(unit), time}); };
  CHECK(part("WEEK") == "53");
  CHECK(part("ISOYEAR") == "2020");
  CHECK(part("DOW") == "1");
  CHECK(part("ISODOW") == "7");
  CHECK(part("DOY") == "3");
  CHECK(part("CENTURY") == "21");
  CHECK(part("MILLISECOND") == "123");
  CHECK(part("MICROSECOND") == "123456");
  CHECK(part("EPOCH") == "1609654028");
  CHECK(part("FORTNIGHT") == "error: EXTRACT knows no unit FORTNIGHT");
  const Arg interval = value(Type(TypeKind::kIntervalDayTime), (19 * 24 + 12) * kMicrosPerHour);
  CHECK(call("EXTRACT", {text("DAY"), interval}) == "19");
  CHECK(call("HOUR", {value(Type::timestamp_ltz(3), 0)}, kShanghai) == "8");
}

TEST_CASE("FLOOR and CEIL go to whole units; weeks begin on Sunday") {
  const auto floor = [](const Arg& time, const char* unit) { return call("FLOOR", {time, text(unit)}); };
  const auto ceil = [](const Arg& time, const char* unit) { return call("CEIL", {time, text(unit)}); };
  CHECK(floor(timestamp("2021-02-27 00:00:00", 0), "WEEK") == "2021-02-21 00:00:00");
  CHECK(ceil(timestamp("2021-03-01 00:00:00", 0), "WEEK") == "2021-03-07 00:00:00");
  CHECK(ceil(timestamp("2018-03-01 21:00:01", 0), "MONTH") == "2018-03-01 00:00:00");
  CHECK(ceil(timestamp("1999-01-01 00:00:00", 0), "MILLENNIUM") == "2001-01-01 00:00:00");
  CHECK(floor(timestamp("2018-01-02 21:00:01", 0), "DECADE") == "2010-01-01 00:00:00");
  CHECK(ceil(date("2018-03-27"), "CENTURY") == "2101-01-01");
  CHECK(ceil(timestamp("2000-01-01 00:00:00.5", 1), "DECADE") == "2010-01-01 00:00:00.0");
  CHECK(ceil(timestamp("2000-01-01 00:00:00", 0), "DECADE") == "2000-01-01 00:00:00");
  CHECK(ceil(time_of_day("12:44:31"), "MINUTE") == "12:45:00");
  CHECK(call("FLOOR", {value(Type::timestamp_ltz(0), 0), text("DAY")}, kShanghai) == "1970-01-01 00:00:00");
}

TEST_CASE("TIMESTAMPADD keeps the last day of a month and turns dates into times when it must") {
  CHECK(call("TIMESTAMPADD", {text("MONTH"), integer(-1), date("2016-03-31")}) == "2016-02-29");
  CHECK(call("TIMESTAMPADD", {text("HOUR"), integer(-1), date("2016-06-15")}) ==
        "2016-06-14 23:00:00.000000");
  CHECK(call("TIMESTAMPADD", {text("HOUR"), integer(1), time_of_day("23:59:59")}) == "00:59:59");
  CHECK(call("TIMESTAMPADD", {text("SQL_TSI_DAY"), integer(15), time_of_day("23:59:59")}) == "23:59:59");
  CHECK(call("TIMESTAMPADD", {text("WEEK"), integer(3), date("2021-10-30")}) == "2021-11-20");
  CHECK(call("TIMESTAMPADD", {text("DAY"), null(Type::integer()), date("2021-10-30")}) == "NULL");
}

TEST_CASE("TIMESTAMPDIFF counts whole units towards zero") {
  const auto diff = [](const char* unit, const Arg& a, const Arg& b) {
    return call("TIMESTAMPDIFF", {text(unit), a, b});
  };
  CHECK(diff("MONTH", timestamp("2019-09-01"), timestamp("2016-08-01")) == "-37");
  CHECK(diff("MONTH", date("2020-01-04"), timestamp("2021-02-04 12:00:00")) == "13");
  CHECK(diff("MONTH", time_of_day("00:00:00"), timestamp("2021-02-04 12:00:00")) == "613");
  CHECK(diff("MONTH", date("2020-01-31"), date("2020-02-29")) == "1");
  CHECK(diff("MONTH", timestamp("2020-01-10 12:00:00"), timestamp("2020-02-10 11:00:00")) == "0");
  CHECK(diff("SECOND", time_of_day("10:10:10"), time_of_day("11:11:11")) == "3661");
  CHECK(diff("DAY", timestamp("2020-01-02 00:00:00"), timestamp("2020-01-01 12:00:00")) == "0");
  CHECK(diff("YEAR", date("2000-02-29"), date("2001-02-28")) == "1");
}

TEST_CASE("TIMESTAMPDIFF goes by milliseconds, which are cut, in all units but microseconds") {
  const auto diff = [](const char* unit, const char* from, const char* to) {
    return call("TIMESTAMPDIFF", {text(unit), timestamp(from, 6), timestamp(to, 6)});
  };
  CHECK(diff("SECOND", "2024-01-01 10:00:00.0001", "2024-01-01 10:00:01") == "1");
  CHECK(diff("SECOND", "2024-01-01 10:00:00.001", "2024-01-01 10:00:01.0009") == "0");
  CHECK(diff("SECOND", "1969-12-31 23:59:58.0009", "1969-12-31 23:59:59.0001") == "1");
  CHECK(diff("MILLISECOND", "2024-01-01 10:00:00.0009", "2024-01-01 10:00:00.0011") == "1");
  CHECK(diff("MICROSECOND", "2024-01-01 10:00:00.0009", "2024-01-01 10:00:00.0011") == "200");
  CHECK(diff("DAY", "2024-01-01 10:00:00.0001", "2024-01-02 10:00:00") == "1");
  CHECK(diff("MONTH", "2024-01-01 10:00:00.0001", "2024-02-01 10:00:00") == "1");
  CHECK(diff("MONTH", "2024-01-01 10:00:00.001", "2024-02-01 10:00:00.0009") == "0");
  CHECK(diff("YEAR", "1968-12-01 10:00:00.0009", "1969-12-01 10:00:00.0001") == "1");
}

TEST_CASE("months backwards are whole dates, and one more for an earlier time of the last day") {
  const auto months = [](const char* from, const char* to) {
    return call("TIMESTAMPDIFF", {text("MONTH"), timestamp(from), timestamp(to)});
  };
  CHECK(months("2024-04-15 12:00:00", "2024-03-15 06:00:00") == "-2");
  CHECK(months("2024-04-15 06:00:00", "2024-03-15 12:00:00") == "-1");
  CHECK(months("2025-02-28 11:00:00", "2024-02-29 12:00:00") == "-12");
  CHECK(months("2024-03-31 10:00:00", "2024-02-29 12:00:00") == "-1");
  CHECK(months("2024-03-15 12:00:00", "2024-03-15 10:00:00") == "-1");
  CHECK(months("2024-03-31 02:00:00", "2024-04-30 01:00:00") == "0");
}

TEST_CASE("stretches of time overlap when they share a moment") {
  const Arg nine = time_of_day("9:00:00");
  CHECK(call("OVERLAPS", {nine, time_of_day("9:30:00"), time_of_day("9:29:00"), time_of_day("9:31:00")}) ==
        "TRUE");
  CHECK(call("OVERLAPS", {nine, time_of_day("10:00:00"), time_of_day("10:15:00"),
                          value(Type(TypeKind::kIntervalDayTime), 3 * kMicrosPerHour)}) == "FALSE");
}

TEST_CASE("the row's own time comes from its intake time and watermark") {
  CHECK(call("CURRENT_TIMESTAMP", {}) == "2020-09-13 12:26:40.123");
  CHECK(call("LOCALTIMESTAMP", {}, kShanghai) == "2020-09-13 20:26:40.123");
  CHECK(call("CURRENT_DATE", {}, {"Pacific/Auckland"}) == "2020-09-14");
  CHECK(call("CURRENT_TIME", {}) == "12:26:40");
  CHECK(call("CURRENT_WATERMARK", {timestamp("2020-01-01")}) == "NULL");
  CHECK_FALSE(find_scalar("NOW")->bind({}, {})->deterministic);
}

}  // namespace
}  // namespace leat::functions
