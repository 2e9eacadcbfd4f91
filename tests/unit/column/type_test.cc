#include "pipelines/column/type.h"

#include <doctest/doctest.h>

using namespace leat;

TEST_CASE("types print as Flink prints them") {
  CHECK(Type::string().to_string() == "STRING");
  CHECK(Type(TypeKind::kVarChar, 20).to_string() == "VARCHAR(20)");
  CHECK(Type::decimal(10, 2).with_nullable(false).to_string() == "DECIMAL(10, 2) NOT NULL");
  CHECK(Type::timestamp_ltz(3).to_string() == "TIMESTAMP_LTZ(3)");
  CHECK(Type::array(Type::row({{"a", Type::integer()}, {"b", Type::string()}})).to_string() ==
        "ARRAY<ROW<`a` INT, `b` STRING>>");
  CHECK(Type::map(Type::string(), Type::float64()).to_string() == "MAP<STRING, DOUBLE>");
}

TEST_CASE("nullability matters for equality but not for the shape") {
  const Type nested = Type::array(Type::integer());
  const Type strict = Type::array(Type::integer().with_nullable(false)).with_nullable(false);
  CHECK_FALSE(nested == strict);
  CHECK(nested.same_shape(strict));
  CHECK_FALSE(Type::decimal(10, 2).same_shape(Type::decimal(10, 3)));
}

TEST_CASE("columns are found by their exact name only") {
  const Schema schema{{{"Device", Type::string()}, {"device", Type::integer()}}};
  CHECK(schema.find("device") == 1);
  CHECK_FALSE(schema.find("DEVICE"));
}
