#include "tests/unit/sql/parse_fixture.h"

namespace leat::sql {
namespace {

const TableReference& from(const Parsed& parsed) {
  return *parsed.select().from.value().first;
}

}  // namespace

TEST_CASE("SELECT keeps its clauses") {
  const Parsed parsed(
      "SELECT DISTINCT a AS x, b y, t.* FROM t WHERE a > 1 GROUP BY a, b HAVING COUNT(*) > 1 "
      "WINDOW w AS (PARTITION BY a) QUALIFY ROW_NUMBER() OVER w = 1 ORDER BY a DESC NULLS LAST LIMIT 10 "
      "OFFSET 5 ROWS");
  const auto& select = parsed.select();
  CHECK(select.distinct);
  REQUIRE(select.items.size() == 3);
  CHECK(select.items[0].alias->text == "x");
  CHECK(select.items[1].alias->text == "y");
  CHECK(tree(*select.where) == "(a > 1)");
  CHECK(select.group_by.size() == 2);
  CHECK(select.having != nullptr);
  CHECK(select.windows.front().name.text == "w");
  CHECK(select.qualify != nullptr);
}

TEST_CASE("a query has an order and bounds") {
  const Parsed parsed("SELECT a FROM t ORDER BY a DESC NULLS LAST, b OFFSET 5 ROWS FETCH NEXT 10 ROWS ONLY");
  const auto& query = parsed.query();
  REQUIRE(query.order_by.size() == 2);
  CHECK(query.order_by[0].direction == OrderItem::Direction::kDescending);
  CHECK(query.order_by[0].nulls == OrderItem::Nulls::kLast);
  CHECK(tree(*query.offset) == "5");
  CHECK(tree(*query.limit) == "10");
}

TEST_CASE("GROUP BY knows grouping sets, rollups and cubes") {
  const Parsed parsed("SELECT 1 FROM t GROUP BY GROUPING SETS ((a, b), a, ()), ROLLUP (a, (b, c)), CUBE (d)");
  const auto& groups = parsed.select().group_by;
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].kind == GroupItem::Kind::kGroupingSets);
  REQUIRE(groups[0].items.size() == 3);
  CHECK(groups[0].items[0].values.size() == 2);
  CHECK(groups[0].items[2].kind == GroupItem::Kind::kSet);
  CHECK(groups[0].items[2].values.empty());
  CHECK(groups[1].kind == GroupItem::Kind::kRollup);
  CHECK(groups[2].kind == GroupItem::Kind::kCube);
}

TEST_CASE("window table functions are called in TABLE() or bare, with names or without") {
  for (const std::string_view call :
       {"TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND))",
        "TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)",
        "TABLE(TUMBLE(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '5' SECOND))"}) {
    const Parsed parsed("SELECT * FROM " + std::string(call) + " AS w");
    const auto* function = as<TableFunction>(from(parsed));
    REQUIRE(function != nullptr);
    CHECK(function->call->name == "TUMBLE");
    CHECK(function->call->arguments.size() == 3);
    CHECK(function->alias->text == "w");
  }
}

TEST_CASE("SESSION takes the keys of its table") {
  const Parsed parsed(
      "SELECT * FROM TABLE(SESSION(TABLE t PARTITION BY a, b, DESCRIPTOR(ts), INTERVAL '1' MINUTE))");
  const auto& call = *as<TableFunction>(from(parsed))->call;
  REQUIRE(call.arguments.size() == 3);
  CHECK(as<TableArgument>(*call.arguments[0].value)->partition_by.size() == 2);
}

TEST_CASE("joins are one chain from left to right") {
  const Parsed parsed(
      "SELECT * FROM a JOIN b ON a.x = b.x LEFT OUTER JOIN c USING (x, y) NATURAL FULL JOIN d CROSS JOIN e, "
      "f");
  const auto& joins = parsed.select().from->joins;
  REQUIRE(joins.size() == 5);
  CHECK(joins[0].kind == JoinKind::kInner);
  CHECK(tree(*joins[0].on) == "(a.x = b.x)");
  CHECK(joins[1].kind == JoinKind::kLeft);
  CHECK(joins[1].using_columns.size() == 2);
  CHECK(joins[2].natural);
  CHECK(joins[2].kind == JoinKind::kFull);
  CHECK(joins[3].kind == JoinKind::kCross);
  CHECK(joins[4].kind == JoinKind::kComma);
}

TEST_CASE("FROM takes tables of a point in time, of functions, of arrays and of rows") {
  const Parsed temporal("SELECT 1 FROM a JOIN r FOR SYSTEM_TIME AS OF a.ts AS r ON TRUE");
  const auto& right = *temporal.select().from->joins[0].right;
  CHECK(tree(*as<NamedTable>(right)->system_time) == "a.ts");
  CHECK(right.alias->text == "r");
  const Parsed lateral("SELECT 1 FROM t, LATERAL TABLE(f(a)) AS x (b, c)");
  CHECK(lateral.select().from->joins[0].right->lateral);
  CHECK(lateral.select().from->joins[0].right->column_aliases.size() == 2);
  const Parsed unnest("SELECT 1 FROM t CROSS JOIN UNNEST(t.a) WITH ORDINALITY AS u (v, n)");
  CHECK(as<Unnest>(*unnest.select().from->joins[0].right)->ordinality == Unnest::Ordinality::kWith);
}

TEST_CASE("parentheses in FROM hold a query or a join") {
  CHECK(as<DerivedTable>(from(Parsed("SELECT 1 FROM (SELECT 1) AS t"))) != nullptr);
  CHECK(as<DerivedTable>(from(Parsed("SELECT 1 FROM (VALUES (1), (2)) AS t (a)"))) != nullptr);
  CHECK(as<DerivedTable>(from(Parsed("SELECT 1 FROM ((SELECT 1) UNION ALL (SELECT 2)) t"))) != nullptr);
  CHECK(as<JoinedTable>(from(Parsed("SELECT 1 FROM (a JOIN b ON TRUE)"))) != nullptr);
  CHECK(as<JoinedTable>(from(Parsed("SELECT 1 FROM ((a JOIN b ON TRUE) JOIN c ON TRUE)"))) != nullptr);
}

TEST_CASE("hints keep their options") {
  const Parsed parsed(
      "SELECT /*+ STATE_TTL('a' = '1d') */ * FROM t /*+ OPTIONS('k' = 'v', 'l' = 'm') */ AS x");
  CHECK(parsed.select().hints.front().name.text == "STATE_TTL");
  const auto& hint = as<NamedTable>(from(parsed))->hints.front();
  CHECK(hint.options.size() == 2);
  CHECK(hint.options[1].value.text == "m");
  CHECK(from(parsed).alias->text == "x");
}

TEST_CASE("INTERSECT binds tighter than UNION, both run from left to right") {
  const Parsed parsed("SELECT 1 UNION ALL SELECT 2 INTERSECT SELECT 3 EXCEPT SELECT 4");
  const auto* chain = as<SetOperation>(*parsed.query().body);
  REQUIRE(chain != nullptr);
  REQUIRE(chain->steps.size() == 2);
  CHECK(chain->steps[0].quantifier == SetOperation::Quantifier::kAll);
  CHECK(as<SetOperation>(*chain->steps[0].right) != nullptr);
  CHECK(chain->steps[1].op == SetOperation::Operator::kExcept);
}

TEST_CASE("WITH names queries") {
  const Parsed parsed("WITH a AS (SELECT 1), b (x) AS (SELECT 2) SELECT * FROM a, b");
  REQUIRE(parsed.query().with.size() == 2);
  CHECK(parsed.query().with[1].columns.front().text == "x");
}

TEST_CASE("a row inside VALUES is not the row of VALUES") {
  const Parsed parsed("VALUES (ROW(1, 2)), ROW(3), 4");
  const auto* values = as<Values>(*parsed.query().body);
  REQUIRE(values->rows.size() == 3);
  CHECK(tree(*values->rows[0].values.front()) == "ROW(1, 2)");
  CHECK(tree(*values->rows[1].values.front()) == "3");
  CHECK(tree(*values->rows[2].values.front()) == "4");
}

}  // namespace leat::sql
