#include "pipelines/column/codec.h"

#include <doctest/doctest.h>

#include <limits>

using namespace leat;

namespace {

ColumnPtr one(const Type& type, const Value& value) {
  ColumnBuilder builder(type);
  builder.append_value(value);
  return builder.finish();
}

std::string encoded(const Type& type, const Value& value) {
  std::string bytes;
  ByteWriter writer(bytes);
  write_cell(*one(type, value), 0, writer);
  return bytes;
}

const Type kRow = Type::row({{"a", Type::small_int()}, {"b", Type::map(Type::string(), Type::float32())}});
const std::vector<std::pair<Type, Value>> kCells{
    {Type::boolean(), Value::boolean(true)},
    {Type::tiny_int(), Value::integer(-128)},
    {Type::integer(), Value::integer(std::numeric_limits<std::int32_t>::min())},
    {Type::big_int(), Value::integer(std::numeric_limits<std::int64_t>::max())},
    {Type::float64(), Value::float64(1e-300)},
    {Type::decimal(38, 0), Value::decimal(absl::Int128Min())},
    {Type::string(), Value::string(std::string("a\0b", 3))},
    {Type::string(), Value::null()},
    {kRow, Value::list({Value::integer(3), Value::list({Value::string("k"), Value::float64(0.5)})})},
    {kRow, Value::list({Value::null(), Value::null()})}};

}  // namespace

TEST_CASE("every type of cell reads back as it was written") {
  for (const auto& [type, value] : kCells) {
    const std::string bytes = encoded(type, value);
    ColumnBuilder builder(type);
    ByteReader reader(bytes);
    REQUIRE(read_cell(reader, builder));
    CHECK(reader.at_end());
    CHECK(builder.finish()->value(0) == value);
  }
}

TEST_CASE("a cell that is cut anywhere is corrupt and appends nothing") {
  for (const auto& [type, value] : kCells) {
    const std::string bytes = encoded(type, value);
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      ColumnBuilder builder(type);
      ByteReader reader(std::string_view(bytes).substr(0, cut));
      const Status read = read_cell(reader, builder);
      REQUIRE_FALSE(read);
      CHECK(read.error().code == ErrorCode::kCorrupt);
      CHECK(builder.size() == 0);
    }
  }
}

TEST_CASE("what GROUP BY takes as equal has equal bytes") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(encoded(Type::float64(), Value::float64(-0.0)) != encoded(Type::float64(), Value::float64(0.0)));
  CHECK(encoded(Type::float64(), Value::float64(-nan)) == encoded(Type::float64(), Value::float64(nan)));
}

TEST_CASE("as keys, maps with the same entries have equal bytes, at whatever depth") {
  const auto key = [](const Type& type, const Value& value) {
    std::string bytes;
    ByteWriter writer(bytes);
    write_key_cell(*one(type, value), 0, writer);
    return bytes;
  };
  const auto text = [](const char* word) { return Value::string(word); };
  const auto map = [&](const char* first, std::int64_t a, const char* second, std::int64_t b) {
    return Value::list({text(first), Value::integer(a), text(second), Value::integer(b)});
  };
  const Type counts = Type::map(Type::string(), Type::integer());
  CHECK(key(counts, map("a", 1, "bb", 2)) == key(counts, map("bb", 2, "a", 1)));
  CHECK(key(counts, map("a", 1, "bb", 2)) != key(counts, map("a", 2, "bb", 1)));
  CHECK(encoded(counts, map("a", 1, "bb", 2)) != encoded(counts, map("bb", 2, "a", 1)));
  const Type nested = Type::row({{"m", Type::array(counts)}});
  CHECK(key(nested, Value::list({Value::list({map("a", 1, "b", 2)})})) ==
        key(nested, Value::list({Value::list({map("b", 2, "a", 1)})})));
  const Type numbers = Type::array(Type::integer());
  CHECK(key(numbers, Value::list({Value::integer(1), Value::integer(2)})) !=
        key(numbers, Value::list({Value::integer(2), Value::integer(1)})));
  CHECK(holds_entries(nested));
  CHECK(!holds_entries(numbers));
}
