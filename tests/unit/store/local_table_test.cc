// Local tables as plain SQL finds them, and what the store does with them.
#include <algorithm>

#include "daemon/store/sqlite.h"
#include "daemon/store/table_cells.h"
#include "pipelines/column/column_builder.h"
#include "tests/unit/store/store_fixture.h"

namespace leat::store {
namespace {

using Lines = std::vector<std::string>;

std::shared_ptr<const sources::LocalTable> table_of(sources::TableRetention retention = {},
                                                    std::vector<std::size_t> key = {0}) {
  Schema columns{{{"id", Type::string().with_nullable(key.empty())}, {"value", Type::float64()}}};
  return std::make_shared<const sources::LocalTable>(sources::LocalTable{.name = "machines",
                                                                         .columns = columns,
                                                                         .primary_key = std::move(key),
                                                                         .indexes = {{"value"}},
                                                                         .retention = std::move(retention)});
}

struct Row {
  std::string id;
  double value = 0;
  RowKind kind = RowKind::kInsert;
};

Batch batch_of(const std::vector<Row>& rows) {
  ColumnBuilder ids(Type::string());
  ColumnBuilder values(Type::float64());
  Batch batch{.size = rows.size()};
  for (const Row& row : rows) {
    ids.append_string(row.id);
    values.append(row.value);
    batch.kinds.push_back(row.kind);
  }
  batch.columns = {ids.finish(), values.finish()};
  return batch;
}

struct LocalTableFixture : StoreFixture {
  LocalTableFixture() { REQUIRE(open()); }

  Status declare(const std::shared_ptr<const sources::LocalTable>& table,
                 const PipelineName& by = kPipeline) {
    return store->tables().declare(by, {{.table = table, .writes = true}});
  }
  Status put(const std::shared_ptr<const sources::LocalTable>& table, const std::vector<Row>& rows,
             std::int64_t time = 1'000) {
    Commit commit = next_commit();
    commit.time = time;
    commit.tables.push_back({table, {batch_of(rows)}});
    return write(std::move(commit));
  }
  /// As somebody with the sqlite3 shell sees it: the rows, cells joined by '|'.
  [[nodiscard]] Lines sql(const std::string& text) const {
    const auto connection = Connection::open(options.path, OpenMode::kReadOnly);
    REQUIRE(connection);
    Statement statement(**connection, text);
    Rows rows = statement.query();
    Lines lines;
    for (auto more = rows.next(); more && *more; more = rows.next()) lines.push_back(rows.text(0));
    return lines;
  }
  [[nodiscard]] Lines all() const { return sql("SELECT id || '|' || value FROM machines ORDER BY rowid"); }
};

TEST_CASE_FIXTURE(LocalTableFixture,
                  "a declared table is a table of the database, with its key and indexes") {
  REQUIRE(declare(table_of()));
  CHECK(
      sql("SELECT sql FROM sqlite_schema WHERE name = 'machines'") ==
      Lines{"CREATE TABLE \"machines\" (\"id\" TEXT NOT NULL, \"value\" REAL, PRIMARY KEY (\"id\")) STRICT"});
  CHECK(sql("SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name LIKE 'leat index machines%'") ==
        Lines{"1"});
  REQUIRE(store->tables().declare(kPipeline, {}));
  CHECK(sql("SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name LIKE 'leat index machines%'") ==
        Lines{"0"});
}

TEST_CASE_FIXTURE(LocalTableFixture,
                  "rows of a commit are there with it and after a restart, changes applied") {
  const auto table = table_of();
  REQUIRE(declare(table));
  REQUIRE(put(table, {{"a", 1}, {"b", 2}, {"a", 3, RowKind::kUpdateAfter}}));
  CHECK(all() == Lines{"a|3.0", "b|2.0"});
  REQUIRE(put(table, {{"b", 0, RowKind::kDelete}, {"c", 4}}));
  reopen();
  CHECK(all() == Lines{"a|3.0", "c|4.0"});
}

TEST_CASE_FIXTURE(LocalTableFixture, "a commit that is handed in twice puts its rows in once") {
  const auto table = table_of({}, {});
  REQUIRE(declare(table));
  Commit commit = next_commit();
  commit.tables.push_back({table, {batch_of({{"a", 1}})}});
  REQUIRE(write(commit));
  REQUIRE(write(commit));
  CHECK(all() == Lines{"a|1.0"});
}

TEST_CASE_FIXTURE(LocalTableFixture, "a commit that is refused leaves no row") {
  const auto table = table_of({}, {});
  REQUIRE(declare(table));
  Commit commit = next_commit();
  commit.number = {7};
  commit.tables.push_back({table, {batch_of({{"a", 1}})}});
  CHECK(!write(commit));
  CHECK(all().empty());
}

TEST_CASE_FIXTURE(LocalTableFixture, "too many rows: those that were not written for the longest time go") {
  const auto table = table_of({.rows = 2});
  REQUIRE(declare(table));
  REQUIRE(put(table, {{"a", 1}, {"b", 2}}, 1'000));
  REQUIRE(put(table, {{"a", 3}}, 2'000));
  REQUIRE(put(table, {{"c", 4}}, 3'000));
  CHECK(all() == Lines{"a|3.0", "c|4.0"});
  reopen();
  REQUIRE(declare(table));
  REQUIRE(put(table, {{"d", 5}, {"e", 6}}, 4'000));
  CHECK(all() == Lines{"d|5.0", "e|6.0"});
}

TEST_CASE_FIXTURE(LocalTableFixture, "rows that were not written for too long go with the next commit") {
  const auto table = table_of({.age = Micros(1'000)});
  REQUIRE(declare(table));
  REQUIRE(put(table, {{"a", 1}, {"b", 2}}, 10'000));
  REQUIRE(put(table, {{"b", 3}}, 10'900));
  REQUIRE(put(table, {{"c", 4}}, 11'001));
  CHECK(all() == Lines{"b|3.0", "c|4.0"});
}

TEST_CASE_FIXTURE(LocalTableFixture, "each change of a table has another version, and no other table's") {
  const auto table = table_of();
  REQUIRE(declare(table));
  const std::uint64_t before = store->tables().version("machines");
  REQUIRE(put(table, {{"a", 1}}));
  const std::uint64_t behind = store->tables().version("MACHINES");
  CHECK(behind != before);
  CHECK(store->tables().version("machines") == behind);
  CHECK(store->tables().version("others") == 0);
}

TEST_CASE_FIXTURE(LocalTableFixture, "names of the store are nobody's") {
  sources::LocalTable mine = *table_of();
  for (const std::string name : {"blocks", "Positions", "leat_x", "sqlite_x"}) {
    mine.name = name;
    const Status taken = declare(std::make_shared<const sources::LocalTable>(mine));
    REQUIRE(!taken);
    CHECK(taken.error().code == ErrorCode::kConflict);
  }
}

TEST_CASE_FIXTURE(LocalTableFixture, "two pipelines share a table, and the list says who uses it how") {
  REQUIRE(declare(table_of(), {"one"}));
  REQUIRE(store->tables().declare({"two"}, {{.table = table_of(), .reads = true}}));
  const auto tables = store->tables().list();
  REQUIRE(tables);
  REQUIRE(tables->size() == 1);
  const TableStatus& status = tables->front();
  CHECK(status.name == "machines");
  CHECK(status.primary_key == Lines{"id"});
  CHECK(status.columns[1].type == "DOUBLE");
  REQUIRE(status.users.size() == 2);
  CHECK(status.users[0].role == "writes");
  CHECK(status.users[1].role == "reads");
}

TEST_CASE_FIXTURE(LocalTableFixture, "a migration that some row does not fit changes nothing") {
  REQUIRE(declare(table_of({}, {})));
  REQUIRE(put(table_of({}, {}), {{"a", 1}, {"a", 2}}));
  CHECK(!declare(table_of()));
  const Status migrated = store->tables().migrate("machines");
  REQUIRE(!migrated);
  CHECK(migrated.error().code == ErrorCode::kInvalid);
  CHECK(all() == Lines{"a|1.0", "a|2.0"});
  CHECK(store->tables().drop("machines"));
  CHECK(store->tables().drop("machines").error().code == ErrorCode::kNotFound);
}

TEST_CASE_FIXTURE(LocalTableFixture, "a scan sees one moment, whatever is committed meanwhile") {
  const auto table = table_of();
  REQUIRE(declare(table));
  REQUIRE(put(table, {{"a", 1}, {"b", 2}, {"c", 3}}));
  sources::LocalTableRange range;
  {
    const auto scan = store->tables().scan_table(*table, {0, 1}, range);
    REQUIRE(scan);
    CHECK(range.last == 3);
    CHECK((*scan)->next(1)->size == 1);
    REQUIRE(put(table, {{"b", 20}, {"d", 4}}));
    const auto rest = (*scan)->next(10);
    REQUIRE(rest);
    CHECK(rest->size == 2);
    CHECK(rest->columns[1]->values<double>()[0] == 2);
    CHECK((*scan)->next(10)->size == 0);
  }
  range.after = 1;  // Goes on, not beyond what there was at first.
  const auto again = store->tables().scan_table(*table, {1}, range);
  REQUIRE(again);
  const auto rows = (*again)->next(10);
  REQUIRE(rows);
  CHECK(rows->size == 2);
  CHECK(rows->columns[0]->values<double>()[0] == 20);
}

TEST_CASE_FIXTURE(LocalTableFixture, "the store closes although somebody reads, and leaves no log behind") {
  const auto table = table_of();
  REQUIRE(declare(table));
  REQUIRE(put(table, {{"a", 1}}));
  sources::LocalTableRange range;
  const auto scan = store->tables().scan_table(*table, {0}, range);
  REQUIRE(scan);
  store->close();
  CHECK((*scan)->next(1).error().code == ErrorCode::kCancelled);
  CHECK(!exists("leat.db-wal"));
  REQUIRE(open());
}

}  // namespace
}  // namespace leat::store
