// What people may ask of the local tables, and what they may not.
#include "daemon/store/query.h"

#include <chrono>

#include "pipelines/column/column_builder.h"
#include "tests/unit/store/store_fixture.h"

namespace leat::store {
namespace {

struct QueryFixture : StoreFixture {
  QueryFixture() {
    REQUIRE(open());
    const Schema columns{{{"id", Type::string().with_nullable(false)}, {"value", Type::float64()}}};
    table = std::make_shared<const sources::LocalTable>(
        sources::LocalTable{.name = "machines", .columns = columns, .primary_key = {0}, .indexes = {}});
    REQUIRE(store->tables().declare(kPipeline, {{.table = table, .writes = true}}));
    put({{"a", 1.5}, {"b", 2.5}, {"c", 3.5}});
  }
  void put(const std::vector<std::pair<std::string, double>>& rows) {
    ColumnBuilder ids(Type::string());
    ColumnBuilder values(Type::float64());
    for (const auto& [id, value] : rows) {
      ids.append_string(id);
      values.append(value);
    }
    Batch batch{.size = rows.size()};
    batch.columns = {ids.finish(), values.finish()};
    REQUIRE(store->tables().put({table, {batch}}));
  }
  QueryResult ask(const std::string& sql, const QueryLimits& limits = {}) const {
    return store->tables().query(sql, limits);
  }
  /// Why it is refused; empty: it is not.
  std::string refusal(const std::string& sql) const {
    const auto answer = ask(sql);
    return answer ? "" : answer.error().error.message;
  }
  /// The cells of the first column.
  std::vector<std::string> texts(const std::string& sql) const {
    std::vector<std::string> all;
    const auto answer = ask(sql);
    REQUIRE_MESSAGE(answer, answer.error().error.message);
    for (const auto& row : answer->rows) all.push_back(std::get<std::string>(row.at(0)));
    return all;
  }

  std::shared_ptr<const sources::LocalTable> table;
};

using Texts = std::vector<std::string>;

TEST_CASE_FIXTURE(QueryFixture, "a query reads local tables with SQLite's own SQL") {
  CHECK(texts("SELECT id FROM machines WHERE value > 2 ORDER BY id DESC; -- that is all") == Texts{"c", "b"});
  CHECK(texts("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) "
              "SELECT group_concat(i) || max(value) FROM n, machines") == Texts{"1,1,1,2,2,2,3,3,33.5"});
  CHECK(texts("SELECT json_extract(value, '$.x') FROM json_each('[{\"x\": \"y\"}]')") == Texts{"y"});
  const auto answer = ask("SELECT id, value, count(*) OVER () AS n, NULL FROM MACHINES LIMIT 1");
  REQUIRE(answer);
  CHECK(answer->columns.at(0).name == "id");
  CHECK(answer->columns.at(1).type == "REAL");
  CHECK(answer->columns.at(2).type == "INT");
  CHECK(answer->columns.at(3).type.empty());
  CHECK(std::get<std::int64_t>(answer->rows.at(0).at(2)) == 3);
}

TEST_CASE_FIXTURE(QueryFixture, "Leat's own tables and SQLite's are not read, however they are asked for") {
  for (const char* sql :
       {"SELECT * FROM positions", "SELECT * FROM leat_tables", "SELECT sql FROM sqlite_schema",
        "SELECT * FROM main.blocks", "SELECT (SELECT id FROM store) FROM machines",
        "SELECT * FROM machines UNION SELECT name, 1 FROM sqlite_master",
        "SELECT * FROM pragma_table_info('state')",
        "WITH x AS (SELECT payload FROM dead_letters) SELECT * FROM x", "SELECT * FROM sqlite_sequence",
        "SELECT count(*) FROM operators", "SELECT rowid FROM pipelines", "SELECT * FROM dbstat",
        "SELECT * FROM sqlite_dbpage"}) {
    CAPTURE(sql);
    CHECK(refusal(sql) != "");
  }
  CHECK(refusal("SELECT * FROM positions") == "'positions' is no local table");
  CHECK(refusal("SELECT * FROM machine") == "no such table: machine (did you mean 'machines'?)");
}

TEST_CASE_FIXTURE(QueryFixture, "the bytes of an answer are bounded, also those of one row") {
  const std::string text = "printf('%.*c', 200000, 'a')";
  std::string row = text;
  for (int i = 0; i < 30; ++i) row += ", " + text;
  CHECK(refusal("SELECT " + row).find("the first row alone has more than 4194304 bytes") == 0);
  const auto some = ask("SELECT id, " + text + ", " + text + ", " + text + ", " + text + ", " + text + ", " +
                        text + ", " + text + " FROM machines");
  REQUIRE(some);
  CHECK(some->truncated);
  CHECK(some->rows.size() == 2);
}

TEST_CASE_FIXTURE(QueryFixture, "what is sorted takes a bounded piece of memory, and no file") {
  const std::string many =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
      "SELECT i FROM n ORDER BY printf('%.*c', 20000, 'a') || i";
  const std::string why = refusal(many);
  const bool bounded = why.find("needs more memory than 67108864 bytes") != std::string::npos ||
                       why.find("took longer") != std::string::npos;
  INFO(why);
  CHECK(bounded);
}

TEST_CASE_FIXTURE(QueryFixture, "whatever writes, attaches or reaches outside is refused") {
  for (const char* sql : {"DELETE FROM machines",
                          "INSERT INTO machines VALUES ('x', 1)",
                          "UPDATE machines SET value = 0",
                          "DROP TABLE machines",
                          "CREATE TABLE x (a)",
                          "CREATE TEMP TABLE x (a)",
                          "CREATE TEMP VIEW v AS SELECT 1",
                          "ATTACH '/etc/passwd' AS x",
                          "SELECT trim('aaa', 'a')",
                          "DETACH main",
                          "PRAGMA user_version",
                          "PRAGMA query_only = 0",
                          "BEGIN",
                          "COMMIT",
                          "SAVEPOINT s",
                          "VACUUM",
                          "VACUUM INTO '/tmp/x'",
                          "REINDEX",
                          "ANALYZE",
                          "SELECT load_extension('x')",
                          "SELECT readfile('/etc/passwd')",
                          "SELECT fts3_tokenizer('a')",
                          "SELECT randomblob(1000000)",
                          "SELECT zeroblob(1000000)",
                          "SELECT sqlite_compileoption_get(1)",
                          "EXPLAIN DELETE FROM machines",
                          "CREATE VIRTUAL TABLE t USING fts5(a)"}) {
    CAPTURE(sql);
    CHECK(refusal(sql) != "");
  }
  CHECK(refusal("PRAGMA user_version") == "only a SELECT from local tables is allowed here");
  CHECK(refusal("SELECT load_extension('x')") == "the function 'load_extension' is not allowed here");
  CHECK(texts("SELECT id FROM machines") == Texts{"a", "b", "c"});
}

TEST_CASE_FIXTURE(QueryFixture, "one statement at a time") {
  CHECK(refusal("") == "there is no statement: a SELECT is expected");
  CHECK(refusal("-- nothing") == "there is no statement: a SELECT is expected");
  const auto answer = ask("SELECT 1; DELETE FROM machines");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().error.message == "one statement at a time: something follows the first");
  CHECK(answer.error().offset == 9);
  CHECK(refusal(std::string("SELECT 1\0; DROP", 15)) != "");
}

TEST_CASE_FIXTURE(QueryFixture, "an error names no file, and the place in the text") {
  const auto answer = ask("SELECT id,\n  valu FROM machines");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().error.message == "no such column: valu");
  CHECK(answer.error().error.code == ErrorCode::kInvalid);
  CHECK(answer.error().offset == 13);
}

TEST_CASE_FIXTURE(QueryFixture, "rows, bytes and cells are bounded") {
  const std::string many =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, 'x' FROM n";
  const auto rows = ask(many, {.rows = 5});
  REQUIRE(rows);
  CHECK(rows->rows.size() == 5);
  CHECK(rows->truncated);
  const auto bytes = ask(many, {.rows = 1'000'000, .bytes = 10'000});
  REQUIRE(bytes);
  CHECK(bytes->truncated);
  CHECK(bytes->rows.size() < 400);
  const auto exact = ask("SELECT id FROM machines", {.rows = 3});
  REQUIRE(exact);
  CHECK_FALSE(exact->truncated);
  const std::string large = refusal("SELECT printf('%.*c', 200000, 'x') || printf('%.*c', 200000, 'y')");
  CHECK_MESSAGE(large.find("larger than") != std::string::npos, large);
}

TEST_CASE_FIXTURE(QueryFixture, "a query that takes too long is cut, and its connection is gone") {
  const auto begin = std::chrono::steady_clock::now();
  const auto answer =
      ask("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
          {.time = std::chrono::milliseconds(100)});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().error.code == ErrorCode::kCancelled);
  CHECK(answer.error().error.message == "the query took longer than its 100 ms");
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
}

TEST_CASE_FIXTURE(QueryFixture, "a page has the types of the declaration, from either end") {
  const auto newest = store->tables().page("machines", PageOrder::kNewest, {.rows = 2});
  REQUIRE(newest);
  CHECK(newest->columns.at(0).type == "STRING NOT NULL");
  CHECK(std::get<std::string>(newest->rows.at(0).at(0)) == "c");
  CHECK(newest->truncated);
  const auto oldest = store->tables().page("machines", PageOrder::kOldest, {});
  REQUIRE(oldest);
  CHECK(std::get<std::string>(oldest->rows.at(0).at(0)) == "a");
  CHECK_FALSE(oldest->truncated);
  for (const char* other : {"machine", "positions", "leat_tables", "", "x\" OR 1"}) {
    const auto page = store->tables().page(other, PageOrder::kNewest, {});
    REQUIRE_FALSE(page);
    CHECK(page.error().error.code == ErrorCode::kNotFound);
  }
}

}  // namespace
}  // namespace leat::store
