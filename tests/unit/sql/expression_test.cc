#include "tests/unit/sql/parse_fixture.h"

namespace leat::sql {

TEST_CASE("operators bind as tightly as in Calcite") {
  CHECK(tree("a + b * c") == "(a + (b * c))");
  CHECK(tree("(a + b) * c") == "((a + b) * c)");
  CHECK(tree("a - b - c") == "((a - b) - c)");
  CHECK(tree("a || b * c || d") == "(((a || b) * c) || d)");
  CHECK(tree("a % 2 = 0 AND b") == "(((a % 2) = 0) AND b)");
  CHECK(tree("-a * b") == "(-(a) * b)");
}

TEST_CASE("NOT binds looser than comparisons and tighter than AND") {
  CHECK(tree("NOT a = b AND c") == "(NOT((a = b)) AND c)");
  CHECK(tree("NOT a IS NULL") == "NOT(IS NULL(a))");
  CHECK(tree("NOT NOT a") == "NOT(NOT(a))");
}

TEST_CASE("AND binds tighter than OR, and chains are one node") {
  CHECK(tree("a OR b AND c OR d") == "(a OR (b AND c) OR d)");
  CHECK(tree("a AND b AND c AND d") == "(a AND b AND c AND d)");
}

TEST_CASE("IS NULL takes the whole comparison, IS DISTINCT FROM only its operands") {
  CHECK(tree("a = b IS NULL") == "IS NULL((a = b))");
  CHECK(tree("a + 1 IS NOT DISTINCT FROM b + 1") == "IS NOT DISTINCT FROM((a + 1), (b + 1))");
  CHECK(tree("a AND b IS NOT TRUE") == "(a AND IS NOT TRUE(b))");
  CHECK(tree("a IS JSON") == "IS JSON(a)");
  CHECK(tree("a IS NOT JSON OBJECT") == "IS NOT JSON OBJECT(a)");
}

TEST_CASE("BETWEEN takes its own AND") {
  CHECK(tree("a BETWEEN 1 AND 2 AND b") == "(BETWEEN(a, 1, 2) AND b)");
  CHECK(tree("a NOT BETWEEN b - 1 AND b + 1") == "NOT(BETWEEN(a, (b - 1), (b + 1)))");
  CHECK(tree("a BETWEEN SYMMETRIC 2 AND 1") == "BETWEEN SYMMETRIC(a, 2, 1)");
  CHECK(tree("a BETWEEN ASYMMETRIC 1 AND 2") == "BETWEEN(a, 1, 2)");
}

TEST_CASE("LIKE, SIMILAR TO and IN read their whole right side") {
  CHECK(tree("a LIKE 'x' || '%' ESCAPE '!'") == "LIKE(a, ('x' || '%'), '!')");
  CHECK(tree("a NOT LIKE 'x'") == "NOT(LIKE(a, 'x'))");
  CHECK(tree("a SIMILAR TO 'x|y'") == "SIMILAR TO(a, 'x|y')");
  CHECK(tree("a IN (1, 2) = b") == "(IN(a, 1, 2) = b)");
  CHECK(tree("a NOT IN (SELECT b FROM t)") == "NOT(IN(a, query))");
  CHECK(tree("(a, b) IN (SELECT 1, 2)") == "IN(ROW(a, b), query)");
}

TEST_CASE("a minus sign before a number is part of the number") {
  CHECK(tree("-9223372036854775808") == "-9223372036854775808");
  CHECK(tree("a -5") == "(a - 5)");
  CHECK(tree("- -5") == "-(-5)");
  CHECK(tree("+8") == "+(8)");
}

TEST_CASE("both forms of CASE, several values after WHEN included") {
  CHECK(tree("CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END") == "CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END");
  CHECK(tree("CASE x WHEN 1, 2 THEN 'a' END") == "CASE x WHEN 1 WHEN 2 THEN 'a' END");
}

TEST_CASE("names, fields, elements and stars") {
  CHECK(tree("t.r.f") == "t.r.f");
  CHECK(tree("a.b[1].c") == "ITEM(a.b, 1).c");
  CHECK(tree("(r).f") == "r.f");
  CHECK(tree("m['k']['l']") == "ITEM(ITEM(m, 'k'), 'l')");
  CHECK(tree("t.*") == "t.*");
  CHECK(tree("f(x).*") == "F(x).*");
  CHECK(tree("`a b`.`c``d`") == "a b.c`d");
}

TEST_CASE("constructors of collections and rows") {
  CHECK(tree("ARRAY[1, 2][1]") == "ITEM(ARRAY(1, 2), 1)");
  CHECK(tree("MAP['a', 1]") == "MAP('a', 1)");
  CHECK(tree("MAP[]") == "MAP()");
  CHECK(tree("ROW(1, 'a')") == "ROW(1, 'a')");
  CHECK(tree("('foo', ('bar', 12))") == "ROW('foo', ROW('bar', 12))");
  CHECK(tree("(a, b) OVERLAPS (c, d)") == "(ROW(a, b) OVERLAPS ROW(c, d))");
}

TEST_CASE("casts know what to do on errors") {
  CHECK(tree("CAST(a AS DECIMAL(10, 2))") == "CAST(a AS DECIMAL 10 2)");
  CHECK(tree("TRY_CAST(a AS ROW<x INT>)") == "TRY_CAST(a AS ROW<x INT>)");
}

TEST_CASE("functions with words between their arguments come in one order") {
  CHECK(tree("EXTRACT(DAY FROM ts)") == "EXTRACT(DAY, ts)");
  CHECK(tree("FLOOR(ts TO HOUR)") == "FLOOR(ts, HOUR)");
  CHECK(tree("CEIL(x)") == "CEIL(x)");
  CHECK(tree("POSITION('a' IN s)") == "POSITION('a', s)");
  CHECK(tree("SUBSTRING(s FROM 2 FOR 3)") == "SUBSTRING(s, 2, 3)");
  CHECK(tree("SUBSTRING(s, 2)") == "SUBSTRING(s, 2)");
  CHECK(tree("OVERLAY(s PLACING 'x' FROM 1 FOR 2)") == "OVERLAY(s, 'x', 1, 2)");
  CHECK(tree("TIMESTAMPDIFF(MONTH, a, b)") == "TIMESTAMPDIFF(MONTH, a, b)");
}

TEST_CASE("TRIM always has three arguments") {
  CHECK(tree("TRIM(s)") == "TRIM(BOTH, ' ', s)");
  CHECK(tree("TRIM(BOTH s)") == "TRIM(BOTH, ' ', s)");
  CHECK(tree("TRIM(LEADING 'x' FROM s)") == "TRIM(LEADING, 'x', s)");
  CHECK(tree("TRIM(TRAILING FROM s)") == "TRIM(TRAILING, ' ', s)");
}

TEST_CASE("functions keep their names free of reserved words' trouble") {
  CHECK(tree("YEAR(ts)") == "YEAR(ts)");
  CHECK(tree("LEFT(s, 2)") == "LEFT(s, 2)");
  CHECK(tree("if(a, 1, 2)") == "IF(a, 1, 2)");
  CHECK(tree("CURRENT_TIMESTAMP") == "CURRENT_TIMESTAMP");
  CHECK(tree("localtime") == "LOCALTIME");
}

TEST_CASE("aggregates carry DISTINCT, FILTER, WITHIN GROUP and OVER") {
  CHECK(tree("COUNT(*)") == "COUNT(*)");
  CHECK(tree("COUNT(DISTINCT a) FILTER (WHERE b > 1)") == "COUNT(DISTINCT a) FILTER (b > 1)");
  CHECK(tree("LISTAGG(a, ',') WITHIN GROUP (ORDER BY b DESC)") == "LISTAGG(a, ',') WITHIN b DESC");
  CHECK(tree("SUM(a) OVER w") == "SUM(a) OVER[w]");
  CHECK(tree("SUM(a) OVER (PARTITION BY k ORDER BY ts ROWS 2 PRECEDING)") ==
        "SUM(a) OVER[ by k order ts rows]");
}

TEST_CASE("frames hold both ends") {
  const Parsed parsed(
      "SELECT SUM(a) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW)");
  const auto& frame = as<Call>(parsed.item())->over->frame.value();
  CHECK(frame.unit == Frame::Unit::kRange);
  CHECK(frame.lower.kind == FrameBound::Kind::kPreceding);
  CHECK(tree(*frame.lower.offset) == "INTERVAL '1' HOUR");
  CHECK(frame.upper.kind == FrameBound::Kind::kCurrentRow);
}

TEST_CASE("arguments may be named, and may be tables") {
  CHECK(tree("f(a => 1, `OFFSET` => 2)") == "F(a => 1, OFFSET => 2)");
  CHECK(tree("f(input => TABLE t PARTITION BY k ORDER BY ts, x => 1)") ==
        "F(input => TABLE t by k order ts, x => 1)");
  CHECK(tree("f(TABLE t PARTITION BY a, b, DESCRIPTOR(ts))") == "F(TABLE t by a by b, DESCRIPTOR ts)");
  CHECK(tree("f(TABLE t PARTITION BY (a, b), x)") == "F(TABLE t by a by b, x)");
  CHECK(tree("ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(a, b))") ==
        "ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR a b)");
}

TEST_CASE("sub-queries stand where expressions stand") {
  CHECK(tree("(SELECT 1) + 1") == "(SCALAR(query) + 1)");
  CHECK(tree("EXISTS (SELECT 1)") == "EXISTS(query)");
  CHECK(tree("((SELECT 1) UNION (SELECT 2))") == "SCALAR(query)");
  CHECK(tree("ARRAY(SELECT a FROM t)") == "ARRAY(query)");
  CHECK(tree("a < ANY (SELECT 1)") == "ANY(a, < query)");
  CHECK(tree("a >= ALL (SELECT 1) AND b") == "(ALL(a, >= query) AND b)");
  CHECK(tree("a = SOME (SELECT 1)") == "IN(a, query)");
  CHECK(tree("a <> ALL (SELECT 1)") == "NOT(IN(a, query))");
}

TEST_CASE("the SQL/JSON functions keep their clauses") {
  const Parsed value("SELECT JSON_VALUE(j, '$.a' RETURNING INTEGER DEFAULT 0 ON EMPTY NULL ON ERROR)");
  const auto& json = *as<Call>(value.item())->json;
  CHECK(tree(*json.returning) == "INT");
  CHECK(json.on_empty == JsonClauses::Behaviour::kDefault);
  CHECK(tree(*json.default_on_empty) == "0");
  CHECK(json.on_error == JsonClauses::Behaviour::kNull);
  const Parsed query("SELECT JSON_QUERY(j, '$' WITH CONDITIONAL ARRAY WRAPPER EMPTY OBJECT ON ERROR)");
  CHECK(as<Call>(query.item())->json->wrapper == JsonClauses::Wrapper::kConditional);
  CHECK(as<Call>(query.item())->json->on_error == JsonClauses::Behaviour::kEmptyObject);
}

TEST_CASE("JSON_OBJECT takes its three spellings of a pair") {
  CHECK(tree("JSON_OBJECT(KEY 'a' VALUE 1, 'b' VALUE 2, 'c' : 3)") == "JSON_OBJECT('a', 1, 'b', 2, 'c', 3)");
  const Parsed parsed("SELECT JSON_OBJECT('a' VALUE b ABSENT ON NULL)");
  CHECK(as<Call>(parsed.item())->json->nulls == JsonClauses::NullHandling::kAbsentOnNull);
  CHECK(tree("JSON_ARRAY(NULL ON NULL)") == "JSON_ARRAY()");
  CHECK(tree("JSON_ARRAY(1, NULL NULL ON NULL)") == "JSON_ARRAY(1, NULL)");
}

TEST_CASE("every expression knows the text it stands for") {
  const Parsed parsed("SELECT a + f(b, 'ü') * 2 FROM t");
  CHECK(parsed.source.at(parsed.item().span) == "a + f(b, 'ü') * 2");
  const auto& product = *as<Call>(parsed.item())->arguments[1].value;
  CHECK(parsed.source.at(product.span) == "f(b, 'ü') * 2");
  CHECK(parsed.source.at(as<Call>(product)->written.span) == "*");
  const auto& function = *as<Call>(*as<Call>(product)->arguments[0].value);
  CHECK(parsed.source.at(function.written.span) == "f");
  CHECK(function.name == "F");
}

}  // namespace leat::sql
