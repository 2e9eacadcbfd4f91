#include "pipelines/formats/read_scalar.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace leat::formats {
namespace {

std::optional<double> json_double(std::string_view text) {
  NumberParts parts;
  const char* const end = text.data() + text.size();
  if (scan_number(text.data(), end, parts) != end) return std::nullopt;
  return to_double(parts, text);
}

std::optional<std::int64_t> json_integer(std::string_view text) {
  NumberParts parts;
  const char* const end = text.data() + text.size();
  if (scan_number(text.data(), end, parts) != end) return std::nullopt;
  return to_integer(parts);
}

Int128 decimal(std::string_view text, std::int32_t precision, std::int32_t scale) {
  Int128 out = 0;
  CHECK(read_decimal(text, precision, scale, out) == DecimalReading::kExact);
  return out;
}

constexpr TimestampSyntax kSql = timestamp_syntax(TimestampStandard::kSql, Zone::kNone);
constexpr TimestampSyntax kSqlZoned = timestamp_syntax(TimestampStandard::kSql, Zone::kUtc);
constexpr TimestampSyntax kIso = timestamp_syntax(TimestampStandard::kIso, Zone::kNone);

TEST_CASE("a double is the nearest one on the fast path and on the slow one") {
  for (const char* text :
       {"0", "-0.0", "21.5", "1e22", "1e23", "9007199254740993", "0.1", "1.7976931348623157e308", "4.9e-324",
        "2.2250738585072011e-308", "123456789012345678901234567890", "3.14159e-5",
        "1.00000000000000000000000000000000000000001"})
    CHECK(json_double(text) == std::strtod(text, nullptr));
  CHECK(std::signbit(*json_double("-0.0")));
}

TEST_CASE("a double beyond its range becomes infinite or zero as in Java") {
  CHECK(json_double("1e400") == std::numeric_limits<double>::infinity());
  CHECK(json_double("-1e999999999999") == -std::numeric_limits<double>::infinity());
  CHECK(json_double("1e-400") == 0.0);
  CHECK(read_float("1e39") == std::numeric_limits<float>::infinity());
  CHECK(read_double("1" + std::string(400, '0')) == std::numeric_limits<double>::infinity());
}

TEST_CASE("numbers that JSON does not know are refused") {
  for (const char* text :
       {"", "-", "01", "1.", ".5", "+1", "1e", "1e+", "0x10", "NaN", "Infinity", "--1", "1.e5"})
    CHECK_FALSE(json_double(text));
}

TEST_CASE("texts may hold the numbers that Java knows") {
  CHECK(read_double("+.5e3") == 500.0);
  CHECK(std::isnan(*read_double("NaN")));
  CHECK(read_double("-Infinity") == -std::numeric_limits<double>::infinity());
  for (const char* text : {"", "abc", "1 2", "inf", "nan", "1e", "--1"}) CHECK_FALSE(read_double(text));
}

TEST_CASE("an integer is exact to the ends of 64 bits and cut towards zero") {
  CHECK(json_integer("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK(json_integer("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  CHECK_FALSE(json_integer("9223372036854775808"));
  CHECK_FALSE(json_integer("-9223372036854775809"));
  CHECK_FALSE(json_integer("1e19"));
  CHECK(json_integer("9007199254740993") == 9007199254740993);
  CHECK(json_integer("1.9") == 1);
  CHECK(json_integer("-1.9") == -1);
  CHECK(json_integer("1.5e3") == 1500);
  CHECK(json_integer("123e-2") == 1);
  CHECK(json_integer("1e-1000000000") == 0);
  CHECK(json_integer("0e99999") == 0);
  CHECK(json_integer("1234567890.12345678901234567890") == 1234567890);
}

TEST_CASE("an integer in a text is digits with a sign") {
  CHECK(read_integer("+5") == 5);
  CHECK(read_integer("-5") == -5);
  for (const char* text : {"", "+", "+-5", "5.0", "5x", "9223372036854775808"})
    CHECK_FALSE(read_integer(text));
}

TEST_CASE("a decimal keeps all 38 digits and rounds half up") {
  const Int128 big = decimal("12345678901234567890123456789012345678", 38, 0);
  CHECK(big == Int128(1234567890123456789) * 10000000000000000000ULL + 123456789012345678ULL);
  CHECK(decimal("1.005", 10, 2) == 101);
  CHECK(decimal("-1.005", 10, 2) == -101);
  CHECK(decimal("1.0049999999999999999999999999999999999999999", 10, 2) == 100);
  CHECK(decimal("1.5e3", 10, 1) == 15000);
  CHECK(decimal("15e-4", 10, 3) == 2);
  CHECK(decimal("0.0004", 10, 3) == 0);
  CHECK(decimal("0.00004", 10, 3) == 0);
}

TEST_CASE("a decimal that does not fit its precision overflows") {
  Int128 out = 0;
  CHECK(read_decimal("1000", 3, 0, out) == DecimalReading::kOverflow);
  CHECK(read_decimal("9.995", 3, 2, out) == DecimalReading::kOverflow);
  CHECK(read_decimal("1e1000000000", 38, 0, out) == DecimalReading::kOverflow);
  CHECK(read_decimal("0e1000000000", 38, 0, out) == DecimalReading::kExact);
  for (const char* text : {"", "-", ".", "1e", "abc", "1.2.3"})
    CHECK(read_decimal(text, 10, 2, out) == DecimalReading::kNotANumber);
}

TEST_CASE("dates follow the calendar") {
  CHECK(read_date("1970-01-01") == 0);
  CHECK(read_date("2000-02-29") == 11016);
  CHECK(read_date("0001-01-01") == -719162);
  for (const char* text : {"1900-02-29", "2021-02-29", "2020-13-01", "2020-00-01", "2020-01-00", "2020-01-32",
                           "2020-1-01", "2020/01/01", "20-01-2001", "2020-01-0a", "2020-01-011", ""})
    CHECK_FALSE(read_date(text));
}

TEST_CASE("times drop their fraction") {
  CHECK(read_time("00:00:01.999") == 1'000'000);
  CHECK(read_time("23:59:59") == 86'399'000'000);
  for (const char* text : {"24:00:00", "12:60:00", "12:00:60", "12:00", "12-00-00", "12:00:00.x"})
    CHECK_FALSE(read_time(text));
}

TEST_CASE("timestamps are cut to the declared precision, also before 1970") {
  CHECK(read_timestamp("2026-11-22 09:00:00.123", kSql, 3) == 1'795'338'000'123'000);
  CHECK(read_timestamp("2026-11-22 09:00:00.123456789", kSql, 6) == 1'795'338'000'123'456);
  CHECK(read_timestamp("2026-11-22 09:00:00.123456", kSql, 3) == 1'795'338'000'123'000);
  CHECK(read_timestamp("1969-12-31 23:59:59.9999", kSql, 3) == -1'000);
  CHECK(read_timestamp("2026-11-22 09:00:00", kSql, 0) == 1'795'338'000'000'000);
}

TEST_CASE("the separator and the Z of a timestamp are not optional") {
  CHECK(read_timestamp("2026-11-22 09:00:00Z", kSqlZoned, 3) == 1'795'338'000'000'000);
  CHECK(read_timestamp("2026-11-22T09:00", kIso, 3) == 1'795'338'000'000'000);
  CHECK_FALSE(read_timestamp("2026-11-22 09:00:00", kSqlZoned, 3));
  CHECK_FALSE(read_timestamp("2026-11-22 09:00:00Z", kSql, 3));
  CHECK_FALSE(read_timestamp("2026-11-22T09:00:00", kSql, 3));
  CHECK_FALSE(read_timestamp("2026-11-22 09:00:00", kIso, 3));
  CHECK_FALSE(read_timestamp("2026-11-22 09:00", kSql, 3));
  CHECK_FALSE(read_timestamp("2026-11-22 09:00:00.1234567890", kSql, 3));
  CHECK_FALSE(read_timestamp("", kSqlZoned, 3));
}

TEST_CASE("base64 needs its padding and its alphabet") {
  std::string out;
  CHECK(read_base64("TGVhdA==", out));
  CHECK(out == "Leat");
  CHECK(read_base64("", out));
  CHECK(out.empty());
  for (const char* text : {"TGVhdA", "TGVh!A==", "====", "TG=h"}) CHECK_FALSE(read_base64(text, out));
}

}  // namespace
}  // namespace leat::formats
