#include "pipelines/column/column.h"

#include <doctest/doctest.h>

#include "pipelines/column/column_builder.h"

using namespace leat;

namespace {

Value text(const char* value) {
  return Value::string(value);
}

ColumnPtr column_of(const Type& type, const std::vector<Value>& values) {
  ColumnBuilder builder(type);
  for (const Value& value : values) builder.append_value(value);
  return builder.finish();
}

std::vector<Value> values_of(const ColumnPtr& column) {
  std::vector<Value> values;
  for (std::size_t row = 0; row < column->size(); ++row) values.push_back(column->value(row));
  return values;
}

const std::vector<Value> kStrings{text("a"), Value::null(), text(""), text("long enough to be copied")};
const Type kNested = Type::array(Type::row({{"x", Type::integer()}, {"y", Type::string()}}));
const std::vector<Value> kNestedValues{
    Value::list({Value::list({Value::integer(1), text("a")}), Value::list({Value::null(), text("b")})}),
    Value::null(), Value::list({}), Value::list({Value::null()})};

}  // namespace

TEST_CASE("a column gives back what its builder was given") {
  CHECK(values_of(column_of(Type::string(), kStrings)) == kStrings);
  CHECK(values_of(column_of(kNested, kNestedValues)) == kNestedValues);
  const std::vector<Value> decimals{Value::decimal(absl::Int128Max()), Value::decimal(-1), Value::null()};
  CHECK(values_of(column_of(Type::decimal(38, 2), decimals)) == decimals);
}

TEST_CASE("the slot of a NULL is zero") {
  const ColumnPtr column = column_of(Type::big_int(), {Value::integer(7), Value::null()});
  CHECK(column->values<std::int64_t>()[1] == 0);
  CHECK(column_of(Type::big_int(), {Value::integer(7)})->validity().empty());
}

TEST_CASE("gather, slice and concat agree with the values") {
  for (const auto& [type, values] :
       {std::pair{Type::string(), kStrings}, std::pair{kNested, kNestedValues}}) {
    const ColumnPtr column = column_of(type, values);
    const std::vector<std::uint32_t> rows{3, 0, 0, 1};
    CHECK(values_of(gather(column, rows)) == std::vector<Value>{values[3], values[0], values[0], values[1]});
    CHECK(values_of(slice(column, 1, 2)) == std::vector<Value>{values[1], values[2]});
    const std::vector<ColumnPtr> halves{slice(column, 0, 1), slice(column, 1, 3)};
    CHECK(values_of(concat(halves)) == values);
  }
}

TEST_CASE("strings outlive the builder and the columns they came from") {
  ColumnPtr kept;
  {
    const ColumnPtr column = column_of(Type::string(), kStrings);
    kept = gather(column, std::vector<std::uint32_t>{3});
  }
  CHECK(kept->strings()[0] == "long enough to be copied");
}

TEST_CASE("a truncated builder forgets the rows behind the cut, nested ones whole") {
  ColumnBuilder builder(kNested);
  builder.append_value(kNestedValues[0]);
  builder.child(0).child(0).append<std::int32_t>(9);  // A row that was begun and never closed.
  builder.truncate(1);
  builder.append_value(kNestedValues[3]);
  CHECK(values_of(builder.finish()) == std::vector<Value>{kNestedValues[0], kNestedValues[3]});
}

TEST_CASE("a finished builder starts again empty") {
  ColumnBuilder builder(Type::array(Type::string()));
  builder.append_value(Value::list({text("a")}));
  CHECK(builder.finish()->size() == 1);
  CHECK(builder.finish()->size() == 0);
}
