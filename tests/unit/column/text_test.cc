#include "pipelines/column/text.h"

#include <doctest/doctest.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "pipelines/column/column_builder.h"
#include "pipelines/column/zone.h"

namespace leat {
namespace {

std::string text(double value) {
  std::string out;
  append_double(value, out);
  return out;
}

std::string text(float value) {
  std::string out;
  append_float(value, out);
  return out;
}

std::string cell(const Type& type, const Value& value, const TextStyle& style = {}) {
  std::string out;
  append_text(*Column::constant(type, value, 1), 0, style, out);
  return out;
}

std::string row(const Type& type, const Value& value) {
  std::string out;
  append_row_text({.size = 1, .columns = {Column::constant(type, value, 1)}}, 0, {.null = "null"}, out);
  return out;
}

/// By the standard library, in the layout of small numbers.
std::string shortest(double value) {
  char buffer[64];
  std::string digits(buffer, std::to_chars(buffer, std::end(buffer), value, std::chars_format::fixed).ptr);
  return digits.find('.') == std::string::npos ? digits + ".0" : digits;
}

TEST_CASE("numbers with few digits behind the point have the shortest text that gives them back") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200'000; ++i) {
    const double power = std::pow(10, i % 9);
    const double value = std::floor(std::ldexp(1, 1 + static_cast<int>(random() % 43)) *
                                    (static_cast<double>(random() % 1'000'000) / 1e6)) /
                         power;
    if (value < 1e-3 || value >= 1e7) continue;
    REQUIRE(text(value) == shortest(value));
    const double next = std::nextafter(value, 1e9);
    REQUIRE(text(next) == shortest(next));
  }
}

TEST_CASE("doubles print as Java prints them") {
  CHECK(text(1.0) == "1.0");
  CHECK(text(-0.0) == "-0.0");
  CHECK(text(100.0) == "100.0");
  CHECK(text(0.001) == "0.001");
  CHECK(text(0.00099) == "9.9E-4");
  CHECK(text(9999999.0) == "9999999.0");
  CHECK(text(1e7) == "1.0E7");
  CHECK(text(12345678.9) == "1.23456789E7");
  CHECK(text(0.1 + 0.2) == "0.30000000000000004");
  CHECK(text(std::numeric_limits<double>::denorm_min()) == "4.9E-324");
  CHECK(text(std::numeric_limits<double>::max()) == "1.7976931348623157E308");
  CHECK(text(2e23) == "2.0E23");
  CHECK(text(std::nan("")) == "NaN");
  CHECK(text(-std::numeric_limits<double>::infinity()) == "-Infinity");
  CHECK(text(1.1F) == "1.1");
  CHECK(text(3.4028235e38F) == "3.4028235E38");
}

TEST_CASE("decimals print all digits of their scale") {
  const auto decimal = [](std::int64_t unscaled, std::int32_t scale) {
    std::string out;
    append_decimal(Int128(unscaled), scale, out);
    return out;
  };
  CHECK(decimal(-12345, 2) == "-123.45");
  CHECK(decimal(5, 2) == "0.05");
  CHECK(decimal(0, 3) == "0.000");
  CHECK(decimal(7, 0) == "7");
}

TEST_CASE("times print the digits of their precision, before 1970 too") {
  CHECK(cell(Type::timestamp(3), Value::integer(-1)) == "1969-12-31 23:59:59.999");
  CHECK(cell(Type::timestamp(9), Value::integer(1)) == "1970-01-01 00:00:00.000001000");
  CHECK(cell(Type::timestamp(0), Value::integer(0)) == "1970-01-01 00:00:00");
  CHECK(cell(Type::time(1), Value::integer(86'399'900'000)) == "23:59:59.9");
  CHECK(cell(Type::date(), Value::integer(-1)) == "1969-12-31");
  CHECK(cell(Type::timestamp_ltz(0), Value::integer(0), {.time_zone = "Asia/Shanghai"}) ==
        "1970-01-01 08:00:00");
}

TEST_CASE("nested values print as CAST prints them") {
  const Type type =
      Type::row({{"a", Type::array(Type::boolean())}, {"m", Type::map(Type::string(), Type::float64())}});
  const Value value = Value::list({Value::list({Value::boolean(true), Value::null()}),
                                   Value::list({Value::string("k"), Value::float64(1)})});
  CHECK(cell(type, value) == "([TRUE, NULL], {k=1.0})");
  CHECK(cell(type, Value::null()) == "NULL");
}

TEST_CASE("the print sink's rows are Java's") {
  CHECK(row(Type::boolean(), Value::boolean(true)) == "+I[true]");
  CHECK(row(Type::string(), Value::null()) == "+I[null]");
  CHECK(row(Type::timestamp(3), Value::integer(0)) == "+I[1970-01-01T00:00]");
  CHECK(row(Type::timestamp(3), Value::integer(5'120'000)) == "+I[1970-01-01T00:00:05.120]");
  CHECK(row(Type::timestamp_ltz(3), Value::integer(1000)) == "+I[1970-01-01T00:00:00.001Z]");
  CHECK(row(Type::timestamp_ltz(3), Value::integer(0)) == "+I[1970-01-01T00:00:00Z]");
  CHECK(row(Type::decimal(10, 8), Value::decimal(Int128(12))) == "+I[1.2E-7]");
  CHECK(row(Type::row({{"a", Type::integer()}}), Value::list({Value::integer(1)})) == "+I[+I[1]]");
}

TEST_CASE("fixed offsets are zones, and nonsense is not") {
  CHECK(ZoneClock(*Zone::find("+05:30")).to_local(0) == 19'800'000'000);
  CHECK(ZoneClock(*Zone::find("GMT-3")).to_local(0) == -10'800'000'000);
  CHECK(Zone::find("UTC")->is_utc());
  CHECK(Zone::find("Nowhere").error().message == "unknown time zone 'Nowhere'");
}

TEST_CASE("a zone is one that is installed, never a file by its path: names come in messages") {
  for (const std::string name :
       {"/usr/share/zoneinfo/Europe/Berlin", "../zoneinfo/Europe/Berlin", "Europe/../Europe/Berlin",
        "file:Europe/Berlin", "file:/etc/localtime", "libc:localtime", "localtime/", "Europe", ""})
    CHECK_MESSAGE(!Zone::find(name), name);
  CHECK(!Zone::find(std::string(5000, 'A')));
  CHECK(Zone::find("Europe/Berlin"));
  CHECK(Zone::find("Etc/GMT+5"));
}

}  // namespace
}  // namespace leat
