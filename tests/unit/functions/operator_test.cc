#include "tests/unit/functions/fixture.h"

namespace leat::functions {
namespace {

const Type kDayTime(TypeKind::kIntervalDayTime);
const Type kYearMonth(TypeKind::kIntervalYearMonth);
constexpr std::int64_t kHour = kMicrosPerHour;

TEST_CASE("comparison is NULL where a side is NULL") {
  const ColumnPtr a = column_of(Type::integer(), {Value::integer(1), Value::null(), Value::integer(3)});
  const ColumnPtr b = column_of(Type::integer(), {Value::integer(2), Value::integer(2), Value::integer(2)});
  CHECK(texts_of(call_columns("<", {a, b})) == "TRUE|NULL|FALSE");
  CHECK(texts_of(call_columns(">=", {a, b})) == "FALSE|NULL|TRUE");
  CHECK(texts_of(call_columns("IS DISTINCT FROM", {a, b})) == "TRUE|TRUE|TRUE");
  CHECK(texts_of(call_columns("IS NULL", {a})) == "FALSE|TRUE|FALSE");
}

TEST_CASE("numbers of different kinds compare by value") {
  CHECK(call("=", {integer(1), number(1.0)}) == "TRUE");
  CHECK(call("<", {decimal("1.10"), decimal("1.2")}) == "TRUE");
  CHECK(call("=", {decimal("1.10"), decimal("1.1")}) == "TRUE");
  CHECK(call(">", {decimal("99999999999999999999999999999999999999"),
                   decimal("0.00000000000000000000000000001")}) == "TRUE");
  CHECK(call("=", {bigint(3), decimal("3.0")}) == "TRUE");
  CHECK(call("=", {integer(1), text("1")}) == "error: '=' does not take (INT, STRING)");
}

TEST_CASE("text meets a time as a time") {
  CHECK(call("<", {timestamp("2020-01-01 00:00:00"), text("2020-01-02")}) == "TRUE");
  CHECK(call("=", {date("2020-01-01"), text("2020-1-1")}) == "TRUE");
  CHECK(call(">", {date("2020-01-02"), timestamp("2020-01-01 23:00:00")}) == "TRUE");
}

TEST_CASE("IN is unknown when a NULL might have matched") {
  CHECK(call("IN", {integer(2), integer(1), integer(2)}) == "TRUE");
  CHECK(call("IN", {integer(3), integer(1), null(Type::integer())}) == "NULL");
  CHECK(call("IN", {integer(3), integer(1), bigint(2)}) == "FALSE");
  CHECK(call("IN", {text("b"), text("a"), text("b")}) == "TRUE");
  CHECK(call("IN", {integer(1), decimal("1.0"), decimal("2.5")}) == "TRUE");
}

TEST_CASE("logic has three values") {
  const Arg unknown = null(Type::boolean());
  CHECK(call("AND", {unknown, boolean(false)}) == "FALSE");
  CHECK(call("AND", {unknown, boolean(true)}) == "NULL");
  CHECK(call("OR", {unknown, boolean(true)}) == "TRUE");
  CHECK(call("NOT", {unknown}) == "NULL");
  CHECK(call("IS NOT TRUE", {unknown}) == "TRUE");
  CHECK(call("IS UNKNOWN", {unknown}) == "TRUE");
}

TEST_CASE("integer arithmetic wraps and divides towards zero") {
  CHECK(call("+", {integer(2147483647), integer(1)}) == "-2147483648");
  CHECK(call("*", {bigint(INT64_MAX), bigint(2)}) == "-2");
  CHECK(call("/", {integer(-7), integer(2)}) == "-3");
  CHECK(call("/", {integer(INT32_MIN), integer(-1)}) == "-2147483648");
  CHECK(call("%", {integer(INT32_MIN), integer(-1)}) == "0");
  CHECK(call("NEGATE", {bigint(INT64_MIN)}) == "-9223372036854775808");
  CHECK(call("MOD", {integer(-26), integer(5)}) == "-1");
  CHECK(call_typed("%", {bigint(10), integer(3)}).type.to_string() == "INT");
}

TEST_CASE("division by a constant zero is refused, by a zero in a row it is the row's error") {
  CHECK(call("/", {integer(1), integer(0)}) == "error: division by zero");
  CHECK(call("/", {number(1), number(0)}) == "error: division by zero");
  const ColumnPtr a = column_of(Type::integer(), {Value::integer(6), Value::integer(6)});
  const ColumnPtr b = column_of(Type::integer(), {Value::integer(0), Value::integer(4)});
  CHECK(texts_of(call_columns("/", {a, b})) == "NULL|1");
  const ColumnPtr x = column_of(Type::float64(), {Value::float64(1)});
  const ColumnPtr zero = column_of(Type::float64(), {Value::float64(0)});
  CHECK(texts_of(call_columns("/", {x, zero})) == "Infinity");
}

TEST_CASE("decimal arithmetic has Flink's types and rounds half up") {
  CHECK(call("/", {decimal("2.0"), integer(-3)}) == "-0.666666666667");
  CHECK(call("/", {decimal("1.0"), decimal("8.0")}) == "0.125000");
  CHECK(call("/", {decimal("-7.9"), integer(2)}) == "-3.950000000000");
  CHECK(call("/", {decimal("1.0"), bigint(100000000000)}) == "0.000000000010000000000");
  CHECK(call("*", {decimal("1.50"), decimal("2.5")}) == "3.750");
  CHECK(call("%", {decimal("10.5"), decimal("3")}) == "1.5");
  CHECK(call_typed("+", {decimal("1.50"), integer(1)}).type.to_string() == "DECIMAL(13, 2)");
  CHECK(call_typed("/", {decimal("1.0"), decimal("8.0")}).type.to_string() == "DECIMAL(8, 6)");
  CHECK(call_typed("*", {decimal("1.0"), number(2)}).type.to_string() == "DOUBLE");
}

TEST_CASE("decimals of 38 digits lose nothing before the rounding, and overflow to NULL") {
  const Type wide = Type::decimal(38, 10);
  const Arg a = typed(wide, "1234567890123456.7890123456");
  const Arg b = typed(wide, "9876543210.0123456789");
  CHECK(call("*", {a, b}) == "12193263112498094789999999.220729");
  CHECK(call("/", {a, b}) == "124999.998873");
  CHECK(call("+", {a, b}) == "1234577766666666.801358025");
  const Arg huge = typed(Type::decimal(38, 0), "99999999999999999999999999999999999999");
  CHECK(call("+", {huge, huge}) == "NULL");
  CHECK(call("*", {huge, integer(-1)}) == "-99999999999999999999999999999999999999");
  CHECK(call("-", {huge, huge}) == "0");
}

TEST_CASE("times move by intervals") {
  CHECK(call("-", {timestamp("2020-01-01 00:00:00"), value(kDayTime, kHour)}) == "2019-12-31 23:00:00.000");
  CHECK(call("+", {value(kYearMonth, 1), date("2020-01-31")}) == "2020-02-29");
  CHECK(call("+", {date("2020-01-31"), value(kDayTime, 24 * kHour)}) == "2020-02-01");
  CHECK(call("-", {date("2020-01-31"), value(kDayTime, 47 * kHour)}) == "2020-01-30");
  CHECK(call("+", {time_of_day("23:30:00"), value(kDayTime, kHour)}) == "00:30:00");
  CHECK(call("-", {timestamp("2020-03-31 12:00:00", 0), value(kYearMonth, 1)}) == "2020-02-29 12:00:00");
  CHECK(call("-", {timestamp("2020-01-02 00:00:00"), timestamp("2020-01-01 12:00:00")}) == "+0 12:00:00.000");
}

TEST_CASE("intervals add, subtract and scale") {
  CHECK(call("+", {value(kYearMonth, 96), value(kYearMonth, 10)}) == "+8-10");
  CHECK(call("-", {value(kDayTime, kHour), value(kDayTime, 2 * kHour)}) == "-0 01:00:00.000");
  CHECK(call("*", {integer(3), value(kDayTime, kHour)}) == "+0 03:00:00.000");
  CHECK(call("NEGATE", {value(kYearMonth, 5)}) == "-0-05");
  CHECK(call("<", {value(kDayTime, 8), value(kDayTime, 10)}) == "TRUE");
}

TEST_CASE("the common type holds all values of its parts") {
  const auto common = [](const Type& a, const Type& b) {
    const Result<Type> type = common_type(std::vector{a, b});
    return type ? type->to_string() : "error: " + type.error().message;
  };
  CHECK(common(Type::integer(), Type::big_int()) == "BIGINT");
  CHECK(common(Type::integer(), Type::decimal(5, 2)) == "DECIMAL(12, 2)");
  CHECK(common(Type::decimal(38, 0), Type::decimal(38, 10)) == "DECIMAL(38, 6)");
  CHECK(common(Type::integer(), Type::float32()) == "FLOAT");
  CHECK(common(Type::decimal(5, 2), Type::float32()) == "DOUBLE");
  CHECK(common(Type(TypeKind::kChar, 2), Type(TypeKind::kChar, 5)) == "VARCHAR(5)");
  CHECK(common(Type::date(), Type::timestamp(3)) == "TIMESTAMP(3)");
  CHECK(common(Type(), Type::integer().with_nullable(false)) == "INT");
  CHECK(common(Type::integer(), Type::string()) == "error: INT and STRING have no common type");
}

TEST_CASE("implicit casts lose no whole digits and cross no kinds") {
  CHECK(implicitly_castable(Type::integer(), Type::big_int()));
  CHECK(implicitly_castable(Type::big_int(), Type::decimal(10, 0)));
  CHECK(implicitly_castable(Type::timestamp(6), Type::timestamp(3)));
  CHECK_FALSE(implicitly_castable(Type::big_int(), Type::integer()));
  CHECK_FALSE(implicitly_castable(Type::float64(), Type::float32()));
  CHECK_FALSE(implicitly_castable(Type::string(), Type::integer()));
  CHECK_FALSE(implicitly_castable(Type::integer(), Type::string()));
}

}  // namespace
}  // namespace leat::functions
