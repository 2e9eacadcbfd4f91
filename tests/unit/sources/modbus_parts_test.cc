#include <doctest/doctest.h>

#include <cstring>
#include <limits>

#include "sources/modbus/modbus_answer.h"
#include "sources/modbus/modbus_metadata.h"
#include "sources/modbus/modbus_options.h"
#include "sources/modbus/modbus_source.h"
#include "sources/modbus/poll_schedule.h"
#include "sources/modbus/register_value.h"

namespace leat::sources {
namespace {

using Words = std::vector<std::uint16_t>;

RegisterMapping mapping(std::string_view text) {
  const auto parsed = parse_register_mapping(text);
  REQUIRE_MESSAGE(parsed.has_value(), (parsed ? "" : parsed.error().message));
  return *parsed;
}

std::string mapping_error(std::string_view text) {
  const auto parsed = parse_register_mapping(text);
  return parsed ? "" : parsed.error().message;
}

std::string value(std::string_view text, const Words& words) {
  const RegisterMapping parsed = mapping(text);
  REQUIRE(words.size() == parsed.count);
  std::string out;
  append_register_value(parsed, parsed.order.value_or(ByteOrder::kAbcd), words, out);
  return out;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// ---- Mappings --------------------------------------------------------------------------------------------

TEST_CASE("a mapping names a table, an address from 0 and a type") {
  const RegisterMapping input = mapping("input 100 int16 scale 0.1 offset -40");
  CHECK(input.table == RegisterTable::kInput);
  CHECK(input.address == 100);
  CHECK(input.count == 1);
  CHECK(input.scaling.factor == 1);
  CHECK(input.scaling.shift == -400);
  CHECK(input.scaling.digits == 1);
  CHECK(mapping("holding 0x10 uint64").address == 16);
  CHECK(mapping("holding 0 uint64").count == 4);
  CHECK(mapping("coil 7").type == RegisterType::kBool);
  CHECK(mapping("input 3 string(5)").count == 3);
  CHECK(mapping(" holding\t9  bit 15 ").bit == 15);
  CHECK(mapping("holding 65535 int16").address == 65535);
}

TEST_CASE("a number of a data sheet counts from 1 and names the table by its first digit") {
  for (const auto& [sheet, table, address] :
       {std::tuple("00001", RegisterTable::kCoil, 0), std::tuple("10017", RegisterTable::kDiscrete, 16)}) {
    CHECK(mapping(sheet).table == table);
    CHECK(mapping(sheet).address == address);
  }
  CHECK(mapping("30001 int16").table == RegisterTable::kInput);
  CHECK(mapping("40101 int16").table == RegisterTable::kHolding);
  CHECK(mapping("40101 int16").address == 100);
  CHECK(mapping("465536 int16").address == 65535);
  CHECK(has(mapping_error("40000 int16"), "no number of a data sheet"));
  CHECK(has(mapping_error("100 int16"), "'holding 100'"));
  CHECK(has(mapping_error("20001 int16"), "no number of a data sheet"));
  CHECK(has(mapping_error("465537 int16"), "no number of a data sheet"));
}

TEST_CASE("what is wrong with a mapping is said, with the nearest word") {
  CHECK(has(mapping_error(""), "expected where the value is"));
  CHECK(has(mapping_error("holdin 1 int16"), "did you mean 'holding'?"));
  CHECK(has(mapping_error("holding"), "expected an address"));
  CHECK(has(mapping_error("holding 65536 int16"), "expected an address from 0 to 65535, found '65536'"));
  CHECK(has(mapping_error("holding -1 int16"), "expected an address"));
  CHECK(has(mapping_error("holding 1"), "a register needs a type"));
  CHECK(has(mapping_error("holding 1 in16"), "did you mean 'int16'?"));
  CHECK(has(mapping_error("holding 1 int16 scal 2"), "did you mean 'scale'?"));
  CHECK(has(mapping_error("holding 1 int16 uint16"), "given twice"));
  CHECK(has(mapping_error("holding 1 bool"), "'bit 0'"));
  CHECK(has(mapping_error("holding 1 bit 16"), "from 0 to 15, found '16'"));
  CHECK(has(mapping_error("coil 1 int16"), "a coil is a bool, not int16"));
  CHECK(has(mapping_error("coil 1 cdab"), "no order of bytes"));
  CHECK(has(mapping_error("holding 65535 int32"), "behind address 65535"));
  CHECK(has(mapping_error("holding 1 string(251)"), "from 1 to 250"));
  CHECK(has(mapping_error("holding 1 string"), "string(N)"));
  CHECK(has(mapping_error("holding 1 string()"), "string(N)"));
  CHECK(has(mapping_error("holding 1 int16(3)"), "no type"));
}

TEST_CASE("scale, offset and null are numbers that mean something for the type") {
  CHECK(has(mapping_error("holding 1 int16 scale"), "needs a number such as 0.1, found ''"));
  CHECK(has(mapping_error("holding 1 int16 scale 1e3"), "found '1e3'"));
  CHECK(has(mapping_error("holding 1 int16 scale --1"), "found '--1'"));
  CHECK(has(mapping_error("holding 1 int16 scale 0"), "a scale of 0"));
  CHECK(has(mapping_error("holding 1 int16 scale 2 scale 3"), "given twice"));
  CHECK(has(mapping_error("holding 1 string(4) scale 2"), "neither scale nor offset"));
  CHECK(has(mapping_error("holding 1 bit 3 offset 2"), "neither scale nor offset"));
  CHECK(has(mapping_error("holding 1 int64 scale 1000000000 offset 0.0000000001"), "more than 18 digits"));
  CHECK(has(mapping_error("holding 1 int64 scale 1234567890123456789"), "needs a number"));
  CHECK(has(mapping_error("holding 1 uint16 null -1"), "no uint16 has this value"));
  CHECK(has(mapping_error("holding 1 float32 null 0"), "NaN is NULL already"));
  CHECK(mapping("holding 1 uint64 null 18446744073709551615").null == Int128(18446744073709551615ULL));
  CHECK(mapping("holding 1 int16 scale 2.50").scaling.digits == 1);
  CHECK(mapping("holding 1 int16 scale +.5").scaling.factor == 5);
}

// ---- Values ----------------------------------------------------------------------------------------------

TEST_CASE("integers of every width come out exactly, whatever their scale") {
  CHECK(value("holding 0 int16", {0xFFFF}) == "-1");
  CHECK(value("holding 0 uint16", {0xFFFF}) == "65535");
  CHECK(value("holding 0 int32", {0xFFFF, 0xFFFE}) == "-2");
  CHECK(value("holding 0 uint32", {0x0001, 0x0000}) == "65536");
  CHECK(value("holding 0 int64", {0x8000, 0, 0, 0}) == "-9223372036854775808");
  CHECK(value("holding 0 uint64", {0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF}) == "18446744073709551615");
  CHECK(value("input 0 int16 scale 0.1 offset -40", {235}) == "-16.5");
  CHECK(value("input 0 int16 scale 0.1", {230}) == "23");
  CHECK(value("input 0 int16 scale 0.001", {0xFFFF}) == "-0.001");
  CHECK(value("input 0 uint64 scale 999999999999999999", {0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF}) ==
        "18446744073709551596553255926290448385");
}

TEST_CASE("the order of the bytes is that of the mapping") {
  CHECK(value("holding 0 uint32 abcd", {0x0102, 0x0304}) == std::to_string(0x01020304));
  CHECK(value("holding 0 uint32 cdab", {0x0304, 0x0102}) == std::to_string(0x01020304));
  CHECK(value("holding 0 uint32 badc", {0x0201, 0x0403}) == std::to_string(0x01020304));
  CHECK(value("holding 0 uint32 dcba", {0x0403, 0x0201}) == std::to_string(0x01020304));
  CHECK(value("holding 0 uint64 cdab", {4, 3, 2, 1}) == std::to_string(0x0001000200030004));
  CHECK(value("holding 0 uint16 badc", {0x0100}) == "1");
  CHECK(value("holding 0 bit 8 badc", {0x0001}) == "true");
}

TEST_CASE("floats have the fewest digits that are exact, and what is no number is NULL") {
  CHECK(value("holding 0 float32", {0x3DCC, 0xCCCD}) == "0.1");
  CHECK(value("holding 0 float32 cdab", {0xCCCD, 0x3DCC}) == "0.1");
  CHECK(value("holding 0 float64", {0x3FB9, 0x9999, 0x9999, 0x999A}) == "0.1");
  CHECK(value("holding 0 float32 scale 10 offset -0.5", {0x3DCC, 0xCCCD}) == "0.5");
  CHECK(value("holding 0 float32", {0x7FC0, 0}) == "null");
  CHECK(value("holding 0 float32", {0xFF80, 0}) == "null");
  CHECK(value("holding 0 float32 scale 1000", {0x7F7F, 0xFFFF}) == "null");
  CHECK(value("holding 0 float64", {0x7FF0, 0, 0, 0}) == "null");
}

TEST_CASE("a number that stands for no value is NULL, before it is scaled") {
  CHECK(value("holding 0 int16 null -32768 scale 0.1", {0x8000}) == "null");
  CHECK(value("holding 0 int16 null -32768 scale 0.1", {0x8001}) == "-3276.7");
}

TEST_CASE("texts end at a zero byte, lose blanks at their end, and are NULL when they are none") {
  CHECK(value("holding 0 string(4)", {0x4142, 0x4344}) == R"("ABCD")");
  CHECK(value("holding 0 string(3)", {0x4142, 0x4344}) == R"("ABC")");
  CHECK(value("holding 0 string(4) badc", {0x4241, 0x4443}) == R"("ABCD")");
  CHECK(value("holding 0 string(4)", {0x4100, 0x4344}) == R"("A")");
  CHECK(value("holding 0 string(4)", {0x4120, 0x2020}) == R"("A")");
  CHECK(value("holding 0 string(4)", {0, 0}) == R"("")");
  CHECK(value("holding 0 string(2)", {0x225C}) == R"("\"\\")");
  CHECK(value("holding 0 string(4)", {0xFFFF, 0xFFFF}) == "null");
}

TEST_CASE("bits are true or false") {
  CHECK(value("coil 0", {1}) == "true");
  CHECK(value("discrete 0", {0}) == "false");
  CHECK(value("holding 0 bit 3", {8}) == "true");
  CHECK(value("holding 0 bit 2", {8}) == "false");
}

// ---- Columns ---------------------------------------------------------------------------------------------

std::string column_error(std::string_view text, const Type& type) {
  const Status fits = check_register_column(mapping(text), type);
  return fits ? "" : fits.error().message;
}

TEST_CASE("a column must hold every value that its registers may have") {
  CHECK(column_error("holding 0 int16", Type::small_int()) == "");
  CHECK(has(column_error("holding 0 uint16", Type::small_int()), "does not hold every uint16; take INT"));
  CHECK(has(column_error("holding 0 uint32", Type::integer()), "take BIGINT"));
  CHECK(has(column_error("holding 0 uint64", Type::big_int()), "take DECIMAL(20, 0) or DOUBLE"));
  CHECK(column_error("holding 0 uint64", Type::decimal(20, 0)) == "");
  CHECK(has(column_error("holding 0 int16", Type::string()), "take SMALLINT"));
  CHECK(has(column_error("holding 0 int16", Type::boolean()), "take SMALLINT"));
  CHECK(has(column_error("holding 0 int16 scale 0.1", Type::integer()), "take DECIMAL(5, 1) or DOUBLE"));
  CHECK(column_error("holding 0 int16 scale 0.1", Type::decimal(5, 1)) == "");
  CHECK(has(column_error("holding 0 int16 scale 0.1", Type::decimal(5, 2)), "take DECIMAL(5, 1)"));
  CHECK(column_error("holding 0 int16 scale 0.1", Type::float64()) == "");
  CHECK(has(column_error("holding 0 int16 scale 1000", Type::small_int()), "take INT"));
  CHECK(column_error("holding 0 uint16 offset -32768", Type::small_int()) == "");
  CHECK(has(column_error("holding 0 float32", Type::decimal(10, 2)), "take FLOAT or DOUBLE"));
  CHECK(has(column_error("holding 0 float64", Type::float32()), "take DOUBLE"));
  CHECK(has(column_error("holding 0 string(8)", Type(TypeKind::kVarChar, 4)), "take STRING or VARCHAR(8)"));
  CHECK(has(column_error("coil 0", Type::integer()), "take BOOLEAN"));
}

// ---- Requests --------------------------------------------------------------------------------------------

std::string plan(const std::vector<std::string>& texts, const ReadLimits& limits = {}) {
  std::vector<MappedColumn> columns;
  for (const std::string& text : texts) columns.push_back({std::string(1, 'a'), mapping(text)});
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i].name[0] = static_cast<char>('a' + i);
  std::string out;
  for (const ReadRequest& request : plan_reads(columns, limits))
    out += (out.empty() ? "" : "; ") + name_of_request(request, columns);
  return out;
}

TEST_CASE("values that lie side by side are read at once, in the order of tables and addresses") {
  CHECK(plan({"holding 2 int16", "holding 0 int32", "input 0 int16", "coil 9"}) ==
        "coil 9 (d); input 0 (c); holding 0 to 2 (b, a)");
  CHECK(plan({"holding 0 bit 0", "holding 0 bit 1", "holding 0 int32"}) == "holding 0 to 1 (a, b, c)");
  CHECK(plan({"holding 0 int64", "holding 1 int16", "holding 4 int16"}) == "holding 0 to 4 (a, b, c)");
}

TEST_CASE("a gap is read along as far as it is allowed") {
  CHECK(plan({"holding 0 int16", "holding 5 int16"}) == "holding 0 (a); holding 5 (b)");
  CHECK(plan({"holding 0 int16", "holding 5 int16"}, {.gap = 3}) == "holding 0 (a); holding 5 (b)");
  CHECK(plan({"holding 0 int16", "holding 5 int16"}, {.gap = 4}) == "holding 0 to 5 (a, b)");
}

TEST_CASE("a request asks for no more than the protocol or the device allows, and cuts no value") {
  CHECK(plan({"holding 0 string(248)", "holding 124 int16", "holding 125 int16"}) ==
        "holding 0 to 124 (a, b); holding 125 (c)");
  CHECK(plan({"holding 0 string(248)", "holding 124 int32"}) ==
        "holding 0 to 123 (a); holding 124 to 125 (b)");
  CHECK(plan({"holding 0 int16", "holding 1 int32"}, {.registers = 2}) ==
        "holding 0 (a); holding 1 to 2 (b)");
  CHECK(plan({"coil 0", "coil 1999", "coil 2000"}, {.gap = 2000}) == "coil 0 to 1999 (a, b); coil 2000 (c)");
  CHECK(plan({"holding 65535 int16", "holding 65534 int16"}) == "holding 65534 to 65535 (b, a)");
}

// ---- The schedule ----------------------------------------------------------------------------------------

constexpr Micros kForEver{1'000 * kMicrosPerDay};

TEST_CASE("polls are due at the multiples of the interval, each once") {
  PollSchedule schedule(Micros(1000));
  CHECK(schedule.due(10'500) == std::nullopt);
  CHECK(schedule.wait(10'500) == Micros(500));
  CHECK(schedule.due(11'000) == 11'000);
  CHECK(schedule.due(11'000) == std::nullopt);
  CHECK(schedule.wait(11'000) == Micros(1000));
  CHECK(schedule.due(12'003) == 12'000);
  CHECK(schedule.take_passed(kForEver) == 0);
}

TEST_CASE("points that pass during a slow poll are counted and not made up for") {
  PollSchedule schedule(Micros(1000));
  CHECK(schedule.due(1'000) == 1'000);
  schedule.pass(3'500);
  CHECK(schedule.due(3'500) == std::nullopt);
  CHECK(schedule.take_passed(kForEver) == 2);
  CHECK(schedule.take_passed(kForEver) == 0);
  CHECK(schedule.due(4'000) == 4'000);
  schedule.pass(5'000);
  CHECK(schedule.due(5'000) == 5'000);
  CHECK(schedule.take_passed(kForEver) == 0);
}

TEST_CASE("points before the first connection have passed, too") {
  PollSchedule schedule(Micros(1000));
  schedule.pass(1'500);
  CHECK(schedule.take_passed(kForEver) == 0);
  schedule.pass(4'100);
  CHECK(schedule.take_passed(kForEver) == 3);
  CHECK(schedule.due(5'000) == 5'000);
}

TEST_CASE("when nobody looked for long the last point counts") {
  PollSchedule schedule(Micros(1000));
  CHECK(schedule.due(1'000) == 1'000);
  CHECK(schedule.due(6'200) == 6'000);
  CHECK(schedule.take_passed(kForEver) == 4);
}

TEST_CASE("a clock that is set back goes on from there, one set forward passes over nothing") {
  PollSchedule schedule(Micros(1000));
  CHECK(schedule.due(50'000) == 50'000);
  CHECK(schedule.due(2'500) == std::nullopt);
  CHECK(schedule.due(3'000) == 3'000);
  CHECK(schedule.due(9'000'000) == 9'000'000);
  CHECK(schedule.take_passed(Micros(1000)) == 2);
}

// ---- Answers ---------------------------------------------------------------------------------------------

using Answer = std::vector<std::uint8_t>;

constexpr std::uint8_t kUnit = 5;
const ReadRequest kTwoRegisters{RegisterTable::kHolding, 0x0102, 2, {}};

/// The values, or why there are none.
std::string said(const ReadRequest& request, const Answer& answer, std::uint8_t unit = kUnit) {
  Words words(request.count);
  const ReadOutcome outcome = read_answer(unit, request, answer, words);
  if (outcome.kind != ReadOutcome::Kind::kAnswered) return outcome.reason;
  std::string text;
  for (const std::uint16_t word : words) text += (text.empty() ? "" : " ") + std::to_string(word);
  return text;
}
std::string said(const Answer& answer, std::uint8_t unit = kUnit) {
  return said(kTwoRegisters, answer, unit);
}

TEST_CASE("a request is the unit, the table's function, the address and the count") {
  using enum RegisterTable;
  CHECK(request_bytes(kUnit, kTwoRegisters) == RequestBytes{5, 3, 1, 2, 0, 2});
  CHECK(request_bytes(255, {kCoil, 0xFFFF, 2000, {}}) == RequestBytes{255, 1, 0xFF, 0xFF, 7, 0xD0});
  CHECK(request_bytes(1, {kDiscrete, 0, 1, {}})[1] == 2);
  CHECK(request_bytes(1, {kInput, 0, 1, {}})[1] == 4);
}

TEST_CASE("an answer has registers high byte first, and bits from the lowest") {
  CHECK(said({5, 3, 4, 1, 2, 0xFF, 0xFE}) == "258 65534");
  const ReadRequest ten{RegisterTable::kCoil, 0, 10, {}};
  CHECK(said(ten, {5, 1, 2, 0b00000101, 0b11111110}) == "1 0 1 0 0 0 0 0 0 1");
  CHECK(has(said(ten, {5, 1, 1, 5}), "an answer of 1 bytes where 2 were due"));
}

TEST_CASE("every exception is an answer, also one that only the device knows") {
  const auto outcome = [](std::uint8_t code) {
    Words words(2);
    return read_answer(kUnit, kTwoRegisters, Answer{5, 0x83, code}, words);
  };
  CHECK(outcome(2).reason == "exception 2, illegal data address");
  CHECK(outcome(12).reason == "exception 12, the device's own");
  for (int code = 0; code < 256; ++code) {
    const ReadOutcome told = outcome(static_cast<std::uint8_t>(code));
    CHECK(told.kind == ReadOutcome::Kind::kException);
    CHECK(told.exception == code);
    CHECK(told.is_silence() == (code == 10 || code == 11));
  }
}

TEST_CASE("what is no answer to the request is said to be what it is") {
  CHECK(has(said({99, 3, 4, 0, 1, 0, 2}), "an answer of unit 99: it came too late"));
  CHECK(has(said({99, 0x83, 2}), "an answer of unit 99"));
  CHECK(said({5, 4, 4, 0, 1, 0, 2}) == "an answer to function 4, not to 3");
  CHECK(said({5, 0x84, 2}) == "an answer to function 132, not to 3");
  CHECK(has(said({5, 3, 2, 0, 1}), "an answer of 2 bytes where 4 were due: the device may give fewer"));
  CHECK(has(said({5, 3, 4, 0, 1, 0}), "an answer of 4 bytes where 4 were due"));
  CHECK(said({5}) == "an answer that breaks off");
  CHECK(said({5, 3}) == "an answer that breaks off");
}

TEST_CASE("a device that stands for itself need not say which unit it is") {
  CHECK(said({1, 3, 4, 0, 1, 0, 2}, 255) == "1 2");
  CHECK(said({1, 3, 4, 0, 1, 0, 2}, 0) == "1 2");
  CHECK(said({255, 3, 4, 0, 1, 0, 2}) == "1 2");
  CHECK(said({0, 3, 4, 0, 1, 0, 2}) == "1 2");
}

// ---- Options ---------------------------------------------------------------------------------------------

const OptionMap kGood{{"url", "tcp://127.0.0.1"}, {"registers.a", "holding 0 int16"}};
const Schema kColumns{{{"a", Type::small_int()}}};

std::string option_errors(OptionMap map, const Schema& schema = kColumns) {
  for (const auto& [key, value] : kGood) map.emplace(key, value);
  std::vector<OptionError> errors;
  const auto& info = modbus_source_connector().info;
  info.validate_source(map, {}, errors);
  if (errors.empty()) info.validate_table(map, {.name = "t", .physical = schema, .primary_key = {}}, errors);
  std::string text;
  for (const OptionError& error : errors) text += (text.empty() ? "" : "\n") + error.message;
  return text;
}

TEST_CASE("urls are of TCP or a serial line") {
  CHECK(option_errors({}) == "");
  CHECK(option_errors({{"url", "tcp://[::1]:1502"}}) == "");
  CHECK(option_errors({{"url", "rtu:///dev/ttyUSB0"}, {"serial.parity", "none"}}) == "");
  for (const std::string url :
       {"tcp://", "tcp://:502", "tcp://h:0", "tcp://h:99999", "tcp://h:x", "tcp://h/p", "tcp://[::1",
        "tcp://::1", "rtu://", "rtu://ttyUSB0", "http://h", ""})
    CHECK_MESSAGE(option_errors({{"url", url}}) != "", url);
  CHECK(has(option_errors({{"url", "rtu:///dev/ttyS0?baud=9600"}}), "'serial.baud-rate'"));
  CHECK(has(option_errors({{"serial.baud-rate", "9600"}}), "is for a serial line"));
  CHECK(has(option_errors({{"url", "rtu:///dev/ttyS0"}, {"serial.baud-rate", "9601"}}),
            "expected one of 1200"));
  CHECK(has(option_errors({{"url", "rtu:///dev/ttyS0"}, {"serial.stop-bits", "3"}}), "expected 1 or 2"));
}

TEST_CASE("units are numbers and ranges of them, as the transport has them") {
  OptionMap map = kGood;
  map["unit"] = "7;1-3;2";
  CHECK(units_of(read_modbus_options(map)) == std::vector<std::uint8_t>{1, 2, 3, 7});
  CHECK(option_errors({{"unit", "255"}}) == "");
  CHECK(option_errors({{"unit", "0"}}) == "");
  CHECK(has(option_errors({{"unit", "0"}, {"url", "rtu:///dev/ttyS0"}}), "units from 1 to 247"));
  for (const std::string unit : {"248", "256", "3-1", "a", "1-", "-1", "1-4000000000", "240-255", ";"})
    CHECK_MESSAGE(has(option_errors({{"unit", unit}}), "option 'unit'"), unit);
}

TEST_CASE("limits and times are checked") {
  CHECK(has(option_errors({{"scan.interval", "0"}}), "at least 1 ms"));
  CHECK(has(option_errors({{"timeout", "2 min"}}), "between 1 ms and 1 min"));
  CHECK(has(option_errors({{"retries", "11"}}), "expected at most 10"));
  CHECK(has(option_errors({{"retries", "-1"}}), "retries"));
  CHECK(option_errors({{"retries", "0"}}) == "");
  CHECK(has(option_errors({{"request.max-registers", "126"}}), "expected 1 to 125"));
  CHECK(has(option_errors({{"request.max-gap", "2001"}}), "at most 2000"));
  CHECK(has(option_errors({{"reconnect.max-delay", "1 ms"}}), "at least 'reconnect.min-delay'"));
  CHECK(has(option_errors({{"journal.size", "1 kb"}}), "at least 256 kb"));
  CHECK(has(option_errors({{"request.max-registers", "1"}, {"registers.a", "holding 0 int32"}}),
            "more than 'request.max-registers', 1"));
}

TEST_CASE("each column has its registers, and each mapping its column") {
  const Schema two{{{"a", Type::small_int()}, {"speed", Type::integer()}}};
  CHECK(has(option_errors({}, two), "column 'speed' needs 'registers.speed'"));
  CHECK(has(option_errors({{"registers.sped", "holding 1 int16"}}, two), "did you mean 'speed'?"));
  CHECK(has(option_errors({{"registers.speed", "holding 1 uint32"}}, two), "take BIGINT"));
  CHECK(has(option_errors({{"registers.a", "holding int16"}}), "option 'registers.a': expected an address"));
  CHECK(has(option_errors({}, Schema{}), "no column 'a'"));
}

TEST_CASE("a column's name may be anything") {
  const Schema odd{{{"a", Type::small_int()}, {"x.y \"z\"", Type::integer()}}};
  CHECK(option_errors({{"registers.x.y \"z\"", "holding 1 int16"}}, odd) == "");
}

// ---- Metadata --------------------------------------------------------------------------------------------

TEST_CASE("what is known of a poll is read back as it was") {
  const PollFacts facts = decode_poll_facts(encode_poll_facts({247, -5, Micros(1234)}));
  CHECK(facts.unit == 247);
  CHECK(facts.scheduled == -5);
  CHECK(facts.latency == Micros(1234));
  CHECK_FALSE(ModbusMetadataWriter::make("tcp://h", {"topic"}).has_value());
}

}  // namespace
}  // namespace leat::sources
