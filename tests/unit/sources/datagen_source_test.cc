#include "sources/datagen/datagen_source.h"

#include <doctest/doctest.h>

#include <atomic>
#include <set>

#include "pipelines/base/bytes.h"
#include "sources/datagen/datagen_options.h"
#include "tests/support/eventually.h"

namespace leat::sources {
namespace {

using test::eventually;

/// One column `c` of a type; the rows of a range.
struct DatagenFixture {
  Type type = Type::big_int();
  OptionMap options;

  Result<std::unique_ptr<Source>> build() const {
    return datagen_connector().build(options, {.physical = {{{"other", Type::string()}, {"c", type}}},
                                               .wanted = {1},
                                               .now = [] { return std::int64_t{1'000'000}; }});
  }
  std::vector<Value> rows(std::uint64_t first, std::uint64_t count,
                          std::int64_t now = 90 * kMicrosPerDay) const {
    auto source = build();
    REQUIRE_MESSAGE(source.has_value(), (source ? "" : source.error().message));
    std::string payload;
    ByteWriter writer(payload);
    writer.varint(first);
    writer.varint(count);
    writer.zigzag(now);
    ColumnBuilder builder(type);
    ColumnBuilder* builders[] = {&builder};
    std::vector<formats::BadRecord> bad;
    CHECK((*source)->own_decoder()->decode(payload, builders, bad).rows == count);
    const ColumnPtr column = builder.finish();
    std::vector<Value> values;
    for (std::size_t row = 0; row < column->size(); ++row) values.push_back(column->value(row));
    return values;
  }
  std::string build_error() const {
    auto source = build();
    return source ? "" : source.error().message;
  }
};

TEST_CASE("a row depends on its number and the seed alone, however the rows are cut into ranges") {
  DatagenFixture it;
  const auto whole = it.rows(0, 100);
  const auto tail = it.rows(40, 60);
  CHECK(std::equal(tail.begin(), tail.end(), whole.begin() + 40));
  CHECK(whole[0] != whole[1]);
  it.options["seed"] = "1";
  CHECK(it.rows(0, 100) != whole);
}

TEST_CASE("random numbers stay within their bounds and reach both") {
  DatagenFixture it;
  it.type = Type::integer();
  it.options = {{"fields.c.min", "-2"}, {"fields.c.max", "2"}};
  std::set<std::int64_t> seen;
  for (const Value& value : it.rows(0, 1000)) seen.insert(value.as_integer());
  CHECK(seen == std::set<std::int64_t>{-2, -1, 0, 1, 2});
}

TEST_CASE("decimals, doubles and strings keep to what is asked") {
  DatagenFixture it;
  it.type = Type::decimal(5, 2);
  it.options = {{"fields.c.min", "1.5"}, {"fields.c.max", "2"}};
  for (const Value& value : it.rows(0, 100)) CHECK((value.as_decimal() >= 150 && value.as_decimal() <= 200));
  it.type = Type::float64();
  for (const Value& value : it.rows(0, 100)) CHECK((value.as_double() >= 1.5 && value.as_double() <= 2));
  it.type = Type::string();
  it.options = {{"fields.c.length", "7"}};
  for (const Value& value : it.rows(0, 100)) CHECK(value.as_string().size() == 7);
}

TEST_CASE("times are the clock's, or up to max-past earlier") {
  DatagenFixture it;
  it.type = Type::timestamp_ltz(3);
  CHECK(it.rows(0, 1, 5'000'000).front() == Value::integer(5'000'000));
  it.options = {{"fields.c.max-past", "1 s"}};
  for (const Value& value : it.rows(0, 100, 5'000'000))
    CHECK((value.as_integer() > 3'999'999 && value.as_integer() <= 5'000'000));
  it.type = Type::date();
  CHECK(it.rows(0, 1).front() == Value::integer(89));
}

TEST_CASE("times are cut to the digits of their type") {
  DatagenFixture it;
  const std::int64_t now = 90 * kMicrosPerDay + 1'234'567;
  it.type = Type::timestamp(3);
  CHECK(it.rows(0, 1, now).front() == Value::integer(now - 567));
  it.type = Type::timestamp_ltz(0);
  CHECK(it.rows(0, 1, now).front() == Value::integer(now - 234'567));
  it.type = Type::time(1);
  CHECK(it.rows(0, 1, now).front() == Value::integer(1'200'000));
  it.type = Type::timestamp(9);
  CHECK(it.rows(0, 1, now).front() == Value::integer(now));
  it.type = Type::timestamp(3);
  CHECK(it.rows(0, 1, -1).front() == Value::integer(-1'000));
}

TEST_CASE("a sequence of CHAR fills its length, and none goes beyond its type") {
  DatagenFixture it;
  it.options = {{"fields.c.kind", "sequence"}, {"fields.c.start", "9"}, {"fields.c.end", "1000"}};
  it.type = Type(TypeKind::kChar, 4);
  CHECK(it.rows(0, 2) == std::vector<Value>{Value::string("9   "), Value::string("10  ")});
  it.type = Type(TypeKind::kChar, 3);
  CHECK(it.build_error() == "field 'c': '1000' is no value of CHAR(3)");
  it.type = Type::decimal(5, 2);
  CHECK(it.build_error() == "field 'c': '1000' is no value of DECIMAL(5, 2)");
}

TEST_CASE("the null-rate gives about that share of NULLs") {
  DatagenFixture it;
  it.options = {{"fields.c.null-rate", "0.25"}};
  std::size_t nulls = 0;
  for (const Value& value : it.rows(0, 4000)) nulls += value.is_null() ? 1 : 0;
  CHECK(nulls > 850);
  CHECK(nulls < 1150);
}

TEST_CASE("sequences count from start, nested types are filled") {
  DatagenFixture it;
  it.options = {{"fields.c.kind", "sequence"}, {"fields.c.start", "5"}, {"fields.c.end", "10"}};
  CHECK(it.rows(2, 2) == std::vector<Value>{Value::integer(7), Value::integer(8)});
  it.type = Type::row({{"a", Type::array(Type::boolean())}, {"n", Type::integer()}});
  it.options = {{"fields.c.a.length", "2"}, {"fields.c.n.min", "3"}, {"fields.c.n.max", "3"}};
  const Value row = it.rows(0, 1).front();
  CHECK(row.as_list()[0].as_list().size() == 2);
  CHECK(row.as_list()[1] == Value::integer(3));
}

TEST_CASE("the source ends behind the last row of the shortest sequence or number-of-rows") {
  const auto total = [](const OptionMap& map) { return read_datagen_options(map).total_rows(); };
  CHECK(!total({}));
  CHECK(total({{"number-of-rows", "7"}}) == 7);
  OptionMap map{{"fields.c.kind", "sequence"}, {"fields.c.start", "1"}, {"fields.c.end", "5"}};
  CHECK(total(map) == 5);
  map["number-of-rows"] = "3";
  CHECK(total(map) == 3);
}

TEST_CASE("the rate follows the given clock") {
  std::atomic<std::int64_t> now{0};
  OptionMap options{{"rows-per-second", "100"}};
  auto built = datagen_connector().build(options, {.now = [&] { return now.load(); }});
  REQUIRE(built.has_value());
  auto intake = make_memory_intake({.size = {1 << 20}}, WhenFull::kWait);
  auto tracker = (*built)->tracker("");
  REQUIRE((*built)->start(*intake, "").has_value());
  std::uint64_t rows = 0;
  const auto count = [&] {
    const auto batch = intake->read(1 << 20);
    for (const Message& message : batch->messages) {
      ByteReader range(message.payload);
      range.varint();
      rows += range.varint();
    }
    return rows;
  };
  CHECK(eventually([&] { return count() == 1; }));
  now = 500'000;
  CHECK(eventually([&] { return count() == 51; }));
  now = 100'000;  // The clock is set back: the rate goes on from there.
  CHECK(eventually([&] { return count() == 52; }));
  (*built)->stop();
}

TEST_CASE("wrong datagen options are errors") {
  const auto errors_of = [](const OptionMap& map) {
    std::vector<OptionError> errors;
    read_datagen_options(map, {}, errors);
    return errors.size();
  };
  CHECK(errors_of({{"rows-per-second", "0"}}) == 1);
  CHECK(errors_of({{"fields.c.knd", "random"}}) == 1);
  CHECK(errors_of({{"fields.c.kind", "sequence"}}) == 1);
  CHECK(errors_of({{"fields.c.null-rate", "2"}}) == 1);
  CHECK(errors_of({{"fields.c.kind", "sequence"}, {"fields.c.start", "2"}, {"fields.c.end", "1"}}) == 1);
}

TEST_CASE("each attribute that is wrong for its column is one error at its key") {
  const auto keys_of = [](const OptionMap& map) {
    const Schema schema{
        {{"n", Type::integer()}, {"s", Type(TypeKind::kVarChar, 5)}, {"a", Type::array(Type::tiny_int())}}};
    std::vector<OptionError> errors;
    datagen_connector().info.validate_table(map, {"t", schema, {}}, errors);
    std::string keys;
    for (const OptionError& error : errors) keys += error.key + " ";
    return keys;
  };
  CHECK(keys_of({{"fields.n.min", "1"}, {"fields.s.var-len", "true"}, {"fields.a.length", "9"}}).empty());
  CHECK(keys_of({{"fields.n.min", "x"}, {"fields.n.max", "y"}}) == "fields.n.min fields.n.max ");
  CHECK(keys_of({{"fields.n.min", "2"}, {"fields.n.max", "1"}}) == "fields.n.max ");
  CHECK(keys_of({{"fields.s.min", "2"}, {"fields.s.length", "6"}}) == "fields.s.min ");
  CHECK(keys_of({{"fields.s.length", "6"}}) == "fields.s.length ");
  CHECK(keys_of({{"fields.a.element.max", "128"}}) == "fields.a.element.max ");
  CHECK(keys_of({{"fields.a.key.max", "1"}}) == "fields.a.key.max ");
  CHECK(keys_of({{"fields.a.kind", "sequence"}, {"fields.a.start", "1"}, {"fields.a.end", "2"}}) ==
        "fields.a.kind ");
}

TEST_CASE("what can not be made is refused when it is built") {
  DatagenFixture it;
  it.options = {{"fields.x.min", "1"}};
  CHECK(it.build_error().find("no column 'x'") != std::string::npos);
  it.options = {{"fields.c.min", "abc"}};
  CHECK(it.build_error().find("'abc' is no value of BIGINT") != std::string::npos);
  it.type = Type::decimal(3, 0);
  for (const std::string text : {"", "-", ".", "1000", "1e2"}) {
    it.options = {{"fields.c.max", text}};
    CHECK(it.build_error() == "field 'c': '" + text + "' is no value of DECIMAL(3, 0)");
  }
  it.type = Type::boolean();
  it.options = {{"fields.c.kind", "sequence"}, {"fields.c.start", "1"}, {"fields.c.end", "2"}};
  CHECK(it.build_error().find("sequence of BOOLEAN") != std::string::npos);
}

}  // namespace
}  // namespace leat::sources
