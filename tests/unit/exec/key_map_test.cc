#include <doctest/doctest.h>

#include <cmath>

#include <set>

#include "pipelines/column/codec.h"
#include "pipelines/exec/key_map.h"

namespace leat::exec::test {
namespace {

ColumnPtr column_of(const Type& type, const std::vector<Value>& values) {
  ColumnBuilder builder(type);
  for (const Value& value : values) builder.append_value(value);
  return builder.finish();
}

std::vector<KeyId> look_up(KeyMap& map, const ColumnPtr& column) {
  std::vector<KeyId> ids;
  map.lookup(std::span(&column, 1), column->size(), ids);
  return ids;
}

std::vector<Value> texts(int count) {
  std::vector<Value> values;
  for (int i = 0; i < count; ++i) values.push_back(Value::string("key number " + std::to_string(i)));
  return values;
}

const std::vector<std::pair<Type, std::vector<Value>>> kSamples = {
    {Type::string(),
     {Value::string(""), Value::null(), Value::string("12345678"),
      Value::string("a long key, longer than any inline string")}},
    {Type::big_int(), {Value::integer(0), Value::null(), Value::integer(-1), Value::integer(INT64_MIN)}},
    {Type::tiny_int(), {Value::integer(0), Value::null(), Value::integer(-128)}},
    {Type::float64(), {Value::float64(0.5), Value::null(), Value::float64(-3)}},
    {Type::boolean(), {Value::boolean(true), Value::null(), Value::boolean(false)}}};

TEST_CASE("equal keys have one number, different keys have different ones, NULL is a key") {
  for (const auto& [type, values] : kSamples) {
    KeyMap map({type});
    const std::vector<KeyId> first = look_up(map, column_of(type, values));
    CHECK(look_up(map, column_of(type, values)) == first);
    CHECK(std::set<KeyId>(first.begin(), first.end()).size() == values.size());
    CHECK(map.size() == values.size());
  }
}

TEST_CASE("a key gives its cells back, and its bytes are those of the codec") {
  for (const auto& [type, values] : kSamples) {
    KeyMap map({type});
    const ColumnPtr column = column_of(type, values);
    const std::vector<KeyId> ids = look_up(map, column);
    for (std::size_t row = 0; row < values.size(); ++row) {
      std::vector<ColumnBuilder> cells;
      cells.emplace_back(type);
      map.append_cells(ids[row], cells);
      CHECK(cells[0].finish()->value(0) == values[row]);
      std::string written;
      std::string expected;
      ByteWriter writer(written);
      map.write(ids[row], writer);
      ByteWriter expected_writer(expected);
      write_cell(*column, row, expected_writer);
      CHECK(written == expected);
      ByteReader reader(written);
      CHECK(map.read(reader) == ids[row]);
    }
  }
}

TEST_CASE("0.0 and -0.0 are two keys, as in Flink, and all NaNs are one") {
  KeyMap map({Type::float64()});
  const auto ids = look_up(
      map, column_of(Type::float64(), {Value::float64(0.0), Value::float64(-0.0),
                                       Value::float64(std::nan("1")), Value::float64(-std::nan("2"))}));
  CHECK(ids[0] != ids[1]);
  CHECK(ids[2] == ids[3]);
}

TEST_CASE("keys survive the growth of the table and the sweep of others") {
  KeyMap map({Type::string()});
  const ColumnPtr column = column_of(Type::string(), texts(5000));
  const std::vector<KeyId> ids = look_up(map, column);
  std::vector<std::uint32_t> uses(map.id_limit());
  for (std::size_t i = 0; i < ids.size(); i += 3) uses[ids[i]] = 1;
  map.sweep(uses);
  CHECK(map.size() == 1667);
  const std::vector<KeyId> again = look_up(map, column);
  for (std::size_t i = 0; i < ids.size(); i += 3) CHECK(again[i] == ids[i]);
  CHECK(std::set<KeyId>(again.begin(), again.end()).size() == 5000);
  CHECK(map.id_limit() == 5000);
}

TEST_CASE("damaged key bytes are refused") {
  for (const auto& [type, values] : kSamples) {
    KeyMap map({type});
    for (const std::string bytes : {"", "\x02", "\x01"}) {
      ByteReader reader(bytes);
      CHECK(map.read(reader).error().code == ErrorCode::kCorrupt);
    }
  }
}

}  // namespace
}  // namespace leat::exec::test
