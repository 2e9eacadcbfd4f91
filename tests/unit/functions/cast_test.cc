#include <limits>

#include "pipelines/base/time.h"
#include "pipelines/column/zone.h"
#include "pipelines/functions/cast.h"
#include "tests/unit/functions/fixture.h"

namespace leat::functions {
namespace {

constexpr auto kTry = CastKind::kTryCast;

TEST_CASE("text becomes an integer after blanks are trimmed and a fraction is cut") {
  CHECK(cast(text(" 12 "), Type::integer()) == "12");
  CHECK(cast(text("1.234"), Type::integer()) == "1");
  CHECK(cast(text("+7"), Type::big_int()) == "7");
  CHECK(cast(text("-128"), Type::tiny_int()) == "-128");
  CHECK(cast(text("abc"), Type::integer()) == "error: cannot cast 'abc' to INT");
  CHECK(cast(text("128"), Type::tiny_int()) == "error: cannot cast '128' to TINYINT");
  CHECK(cast(text(""), Type::integer()) == "error: cannot cast '' to INT");
  CHECK(cast(text("1e3"), Type::integer()) == "error: cannot cast '1e3' to INT");
  CHECK(cast(text("abc"), Type::integer(), kTry) == "NULL");
}

TEST_CASE("text becomes floating point as Java reads it") {
  CHECK(cast(text(" 1.5e3 "), Type::float64()) == "1500.0");
  CHECK(cast(text("Infinity"), Type::float64()) == "Infinity");
  CHECK(cast(text("1e999"), Type::float64()) == "Infinity");
  CHECK(cast(text("1.5f"), Type::float32()) == "1.5");
  CHECK(cast(text("inf"), Type::float64()) == "error: cannot cast 'inf' to DOUBLE");
}

TEST_CASE("text becomes a truth value by ten words in any case") {
  for (const char* word : {"t", "True", "Y", "yes", "1"}) CHECK(cast(text(word), Type::boolean()) == "TRUE");
  for (const char* word : {"F", "false", "n", "NO", "0"}) CHECK(cast(text(word), Type::boolean()) == "FALSE");
  CHECK(cast(text("on"), Type::boolean()) == "error: cannot cast 'on' to BOOLEAN");
  CHECK(cast(text(" true "), Type::boolean()) == "error: cannot cast ' true ' to BOOLEAN");
}

TEST_CASE("text becomes a decimal rounded half up, and must fit") {
  CHECK(cast(text("1.245"), Type::decimal(5, 2)) == "1.25");
  CHECK(cast(text("-1.245"), Type::decimal(5, 2)) == "-1.25");
  CHECK(cast(text("1e2"), Type::decimal(5, 1)) == "100.0");
  CHECK(cast(text("1234"), Type::decimal(5, 2)) == "error: cannot cast '1234' to DECIMAL(5, 2)");
  CHECK(cast(text("99999999999999999999999999999999999999"), Type::decimal(38, 0)) ==
        "99999999999999999999999999999999999999");
}

TEST_CASE("integers wrap when narrowed, floating point saturates") {
  CHECK(cast(integer(12345), Type::tiny_int()) == "57");
  CHECK(cast(bigint(4294967297), Type::integer()) == "1");
  CHECK(cast(number(1e20), Type::big_int()) == "9223372036854775807");
  CHECK(cast(number(-1e20), Type::integer()) == "-2147483648");
  CHECK(cast(number(2.9), Type::integer()) == "2");
  CHECK(cast(number(300.0), Type::tiny_int()) == "44");
  CHECK(cast(decimal("12345.67"), Type::tiny_int()) == "57");
}

TEST_CASE("a number is true unless it is zero") {
  CHECK(cast(integer(-1), Type::boolean()) == "TRUE");
  CHECK(cast(number(0.4), Type::boolean()) == "TRUE");
  CHECK(cast(number(-0.0), Type::boolean()) == "FALSE");
  CHECK(cast(decimal("-0.01"), Type::boolean()) == "TRUE");
  CHECK(cast(decimal("0.00"), Type::boolean()) == "FALSE");
}

TEST_CASE("a number that does not fit a decimal is NULL") {
  CHECK(cast(integer(1234), Type::decimal(3, 0)) == "NULL");
  CHECK(cast(number(0.125), Type::decimal(5, 2)) == "0.13");
  CHECK(cast(decimal("9.99"), Type::decimal(2, 1)) == "NULL");
  CHECK(cast(boolean(true), Type::decimal(3, 1)) == "1.0");
}

TEST_CASE("everything prints as Flink prints it") {
  CHECK(cast(boolean(true), Type::string()) == "TRUE");
  CHECK(cast(number(1e10), Type::string()) == "1.0E10");
  CHECK(cast(integer(-5), Type::string()) == "-5");
  CHECK(cast(timestamp("2020-01-01 00:00:00.1234", 4), Type::string()) == "2020-01-01 00:00:00.1234");
  CHECK(cast(value(Type(TypeKind::kIntervalYearMonth), 106), Type::string()) == "+8-10");
  CHECK(cast(value(Type(TypeKind::kIntervalDayTime), -3'600'000'000), Type::string()) == "-0 01:00:00.000");
}

TEST_CASE("CHAR is padded and VARCHAR is cut, by characters") {
  CHECK(cast(text("äb"), Type(TypeKind::kChar, 4)) == "äb  ");
  CHECK(cast(text("äbcd"), Type(TypeKind::kVarChar, 2)) == "äb");
  CHECK(cast(integer(12345), Type(TypeKind::kVarChar, 3)) == "123");
  CHECK(cast(text("abc"), Type(TypeKind::kBinary, 2)) == "ab");
}

TEST_CASE("text becomes a timestamp only in SQL's form") {
  const Type type = Type::timestamp(3);
  CHECK(cast(text("2020-1-2"), type) == "2020-01-02 00:00:00.000");
  CHECK(cast(text("2020-01-02 3:04:05.6789"), type) == "2020-01-02 03:04:05.678");
  CHECK(cast(text("2020-01-02T03:04:05"), type) ==
        "error: cannot cast '2020-01-02T03:04:05' to TIMESTAMP(3)");
  CHECK(cast(text("2021/09/27"), type) == "error: cannot cast '2021/09/27' to TIMESTAMP(3)");
  CHECK(cast(text("2020-01-02 03:04"), type, kTry) == "NULL");
  CHECK(cast(text("1500-04-30 12:00:00"), type) == "1500-04-30 12:00:00.000");
  CHECK(cast(text("2020-13-01"), Type::date(), kTry) == "NULL");
  CHECK(cast(text("2020-02-30"), Type::date(), kTry) == "NULL");
}

TEST_CASE("wall clock and instant meet in the session's zone, as Java resolves gaps and overlaps") {
  const Session berlin{"Europe/Berlin"};
  const Type ltz = Type::timestamp_ltz(0);
  // 02:30 does not exist on that day: an hour forward. 02:30 exists twice: the earlier (UTC+2).
  CHECK(cast(timestamp("2021-03-28 02:30:00", 0), ltz, CastKind::kCast, berlin) == "2021-03-28 03:30:00");
  const Result<Kernel> kernel = bind_cast(Type::timestamp(0), ltz, CastKind::kCast, berlin);
  const Arg twice = timestamp("2021-10-31 02:30:00", 0);
  const Datum datum{Column::constant(twice.type, twice.value, 1), true};
  RowErrors errors;
  CHECK(texts_of((*kernel)({.rows = 1, .errors = &errors}, {&datum, 1})) == "2021-10-31 00:30:00");
  CHECK(cast(value(ltz, 0), Type::date(), CastKind::kCast, {"America/Los_Angeles"}) == "1969-12-31");
  CHECK(cast(value(ltz, 0), Type::string(), CastKind::kCast, {"+08:00"}) == "1970-01-01 08:00:00");
}

TEST_CASE("a zone's clock is right on both sides of each change of offset") {
  ZoneClock clock(*Zone::find("Europe/Berlin"));
  const std::int64_t spring = 1616893200LL * kMicrosPerSecond;  // 2021-03-28 01:00:00 UTC
  CHECK(clock.to_local(spring - 1) - (spring - 1) == kMicrosPerHour);
  CHECK(clock.to_local(spring) - spring == 2 * kMicrosPerHour);
  CHECK(clock.to_local(spring - 1) - (spring - 1) == kMicrosPerHour);
  const std::int64_t autumn = 1635642000LL * kMicrosPerSecond;  // 2021-10-31 01:00:00 UTC
  CHECK(clock.to_local(autumn - 1) - (autumn - 1) == 2 * kMicrosPerHour);
  CHECK(clock.to_local(autumn) - autumn == kMicrosPerHour);
  for (std::int64_t utc = spring - kMicrosPerDay; utc < spring + kMicrosPerDay; utc += kMicrosPerHour)
    CHECK(clock.to_utc(clock.to_local(utc)) == utc);
  CHECK_FALSE(Zone::find("Mars/Olympus").has_value());
}

TEST_CASE("nested values are cast element by element, and one bad element spoils its row only") {
  const Type from = Type::array(Type::string());
  const Type to = Type::array(Type::integer());
  const ColumnPtr column =
      column_of(from, {Value::list({Value::string("1"), Value::null()}), Value::list({Value::string("x")}),
                       Value::list({Value::string("3")})});
  const Result<Kernel> kernel = bind_cast(from, to, CastKind::kCast, {});
  const Datum datum{column};
  RowErrors errors;
  CHECK(texts_of((*kernel)({.rows = 3, .errors = &errors}, {&datum, 1})) == "[1, NULL]|NULL|[3]");
  REQUIRE(errors.entries().size() == 1);
  CHECK(errors.entries()[0].row == 1);
  CHECK(errors.entries()[0].message == "cannot cast 'x' to INT");
}

TEST_CASE("types without a way between them cannot be cast") {
  CHECK(cast(integer(1), Type::timestamp(3)) ==
        "error: cannot cast INT to TIMESTAMP(3); use TO_TIMESTAMP_LTZ");
  CHECK(cast(timestamp("1970-01-01"), Type::float64()) == "error: cannot cast TIMESTAMP(3) to DOUBLE");
}

TEST_CASE("columns with NULLs keep them through a cast") {
  const ColumnPtr column = column_of(Type::integer(), {Value::integer(1), Value::null(), Value::integer(3)});
  const Result<Kernel> kernel = bind_cast(Type::integer(), Type::float64(), CastKind::kCast, {});
  const Datum datum{column};
  RowErrors errors;
  CHECK(texts_of((*kernel)({.rows = 3, .errors = &errors}, {&datum, 1})) == "1.0|NULL|3.0");
}

TEST_CASE("a time is cut towards the past, the earliest of all to the first whole unit behind it") {
  constexpr std::int64_t kEarliest = std::numeric_limits<std::int64_t>::min();
  CHECK(cut_to_precision(1'999'999, 0) == 1'000'000);
  CHECK(cut_to_precision(-1, 3) == -1'000);
  CHECK(cut_to_precision(kEarliest, 6) == kEarliest);
  CHECK(cut_to_precision(kEarliest, 3) == kEarliest + 808);
  CHECK(cut_to_precision(kEarliest + 808, 3) == kEarliest + 808);
}

}  // namespace
}  // namespace leat::functions
