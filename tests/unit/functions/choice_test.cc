#include "tests/unit/functions/fixture.h"

namespace leat::functions {
namespace {

ColumnPtr integers(const std::vector<Value>& values) {
  return column_of(Type::integer(), values);
}

TEST_CASE("mathematics keeps types where SQL does") {
  CHECK(call("ROUND", {decimal("125.315")}) == "125");
  CHECK(call("ROUND", {decimal("1.2345"), integer(3)}) == "1.235");
  CHECK(call("ROUND", {number(1.2345), integer(3)}) == "1.235");
  CHECK(call("ROUND", {number(1.005), integer(2)}) == "1.01");
  CHECK(call("ROUND", {value(Type::tiny_int(), 123), integer(-2)}) == "100");
  CHECK(call("ROUND", {integer(1), null(Type::integer())}) == "NULL");
  CHECK(call("TRUNCATE", {decimal("-42.345"), integer(2)}) == "-42.34");
  CHECK(call("CEIL", {decimal("-2.5")}) == "-2");
  CHECK(call("FLOOR", {number(-2.5)}) == "-3.0");
  CHECK(call("SIGN", {decimal("-1.1")}) == "-1.0");
  CHECK(call("ABS", {value(Type::tiny_int(), -128)}) == "-128");
  CHECK(call("LOG", {integer(-1)}) == "NaN");
  CHECK(call("POWER", {integer(5), integer(5)}) == "3125.0");
}

TEST_CASE("choices take cells of the chosen column") {
  const ColumnPtr a = integers({Value::integer(1), Value::null(), Value::integer(3)});
  const ColumnPtr b = integers({Value::integer(9), Value::integer(2), Value::integer(3)});
  CHECK(texts_of(call_columns("COALESCE", {a, b})) == "1|2|3");
  CHECK(texts_of(call_columns("GREATEST", {a, b})) == "9|NULL|3");
  CHECK(texts_of(call_columns("LEAST", {b, a})) == "1|NULL|3");
  CHECK(texts_of(call_columns("NULLIF", {b, a})) == "9|2|NULL");
  const ColumnPtr when =
      column_of(Type::boolean(), {Value::boolean(true), Value::null(), Value::boolean(false)});
  CHECK(texts_of(call_columns("IF", {when, a, b})) == "1|2|3");
  CHECK(call_typed("COALESCE", {integer(1), bigint(2)}).type.to_string() == "BIGINT");
}

TEST_CASE("character classes are whole texts of them") {
  CHECK(call("IS_DIGIT", {text("12a")}) == "FALSE");
  CHECK(call("IS_ALPHA", {text("")}) == "FALSE");
  CHECK(call("IS_DECIMAL", {text("-1.5")}) == "TRUE");
  CHECK(call("IS_DECIMAL", {text("1.5.2")}) == "FALSE");
  CHECK(call("IS_ALPHA", {null(Type::string())}) == "FALSE");
  CHECK(call("IS_DIGIT", {null(Type::integer())}) == "TRUE");
}

TEST_CASE("collections are made, read and counted") {
  CHECK(call("ARRAY", {integer(1), null(Type::integer())}) == "[1, NULL]");
  CHECK(call("MAP", {text("k"), integer(1), text("k"), integer(2)}) == "{k=2}");
  CHECK(call("ROW", {integer(1), text("foo"), boolean(true)}) == "(1, foo, TRUE)");
  CHECK(call("ARRAY", {text("a"), integer(1)}).starts_with("error: ARRAY"));
  CHECK(call("ARRAY", {{Type(), Value::null()}}).starts_with("error: ARRAY"));
  const Arg array{Type::array(Type::integer()), Value::list({Value::integer(7), Value::integer(8)})};
  CHECK(call("[]", {array, integer(2)}) == "8");
  CHECK(call("[]", {array, integer(3)}) == "NULL");
  CHECK(call("[]", {array, integer(0)}) == "error: an array's index starts from 1, not 0");
  CHECK(call("CARDINALITY", {array}) == "2");
  CHECK(call("ELEMENT", {array}) == "error: ELEMENT of an array of more than one element");
  const Arg map{Type::map(Type::string(), Type::integer()),
                Value::list({Value::string("a"), Value::integer(1)})};
  CHECK(call("[]", {map, text("a")}) == "1");
  CHECK(call("[]", {map, text("b")}) == "NULL");
}

TEST_CASE("a field of a NULL row is NULL") {
  const Type type = Type::row({{"x", Type::integer().with_nullable(false)}, {"y", Type::string()}});
  const ColumnPtr rows =
      column_of(type, {Value::list({Value::integer(1), Value::string("a")}), Value::null()});
  const std::vector<ArgumentInfo> infos{{type, std::nullopt}, {Type::string(), Value::string("x")}};
  const Result<BoundScalar> field = find_scalar(".")->bind(infos, {});
  REQUIRE(field.has_value());
  const Datum arguments[2] = {{rows}, {Column::constant(Type::string(), Value::string("x"), 1), true}};
  RowErrors errors;
  CHECK(texts_of(field->kernel({.rows = 2, .errors = &errors}, arguments)) == "1|NULL");
  CHECK(field->result.nullable());
  CHECK(call(".", {{type, Value::null()}, text("z")}) ==
        "error: ROW<`x` INT NOT NULL, `y` STRING> has no field 'z'");
}

TEST_CASE("every scalar function is found by its name and documented") {
  std::string_view before;
  for (const ScalarFunction& function : all_scalars()) {
    CHECK_MESSAGE(function.name > before, function.name);
    CHECK(find_scalar(function.name) == &function);
    CHECK_MESSAGE((function.doc.ends_with('.') && !function.example.empty()), function.name);
    before = function.name;
  }
  CHECK(find_scalar("NO_SUCH_FUNCTION") == nullptr);
}

}  // namespace
}  // namespace leat::functions
