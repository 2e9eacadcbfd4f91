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

/// With columns "id", which is the key, and "value".
std::shared_ptr<const sources::LocalTable> table_of(const Type& id, const Type& value,
                                                    std::vector<std::size_t> key = {0}) {
  sources::LocalTable table = *table_of();
  table.columns = Schema{{{"id", id}, {"value", value}}};
  table.primary_key = std::move(key);
  table.indexes.clear();
  return std::make_shared<const sources::LocalTable>(std::move(table));
}

std::shared_ptr<const sources::LocalTable> named(sources::LocalTable table, const std::string& id,
                                                 const std::string& value) {
  table.columns.fields[0].name = id;
  table.columns.fields[1].name = value;
  table.indexes.clear();
  return std::make_shared<const sources::LocalTable>(std::move(table));
}

const Type kId = Type::string().with_nullable(false);

TEST_CASE_FIXTURE(LocalTableFixture,
                  "a column in other letters is refused, and a migration renames it with its values") {
  REQUIRE(declare(named(*table_of(), "id", "value")));
  REQUIRE(put(named(*table_of(), "id", "value"), {{"a", 1}}));
  const auto other = named(*table_of(), "ID", "Value");
  const Status refused = declare(other);
  REQUIRE(!refused);
  CHECK(refused.error().code == ErrorCode::kConflict);
  CHECK(refused.error().message.find("column 'ID' is called 'id' there") != std::string::npos);
  CHECK(refused.error().message.find("'leat table migrate machines'") != std::string::npos);
  REQUIRE(store->tables().migrate("machines"));
  CHECK(sql("SELECT name FROM pragma_table_info('machines')") == Lines{"ID", "Value"});
  REQUIRE(declare(other));
  REQUIRE(put(other, {{"a", 2}, {"b", 3}}));
  CHECK(all() == Lines{"a|2.0", "b|3.0"});
}

TEST_CASE_FIXTURE(LocalTableFixture, "who only reads may write the names of columns in other letters") {
  REQUIRE(declare(table_of()));
  REQUIRE(put(table_of(), {{"a", 1}}));
  const auto other = named(*table_of(), "Id", "VALUE");
  REQUIRE(store->tables().declare({"two"}, {{.table = other, .reads = true}}));
  sources::LocalTableRange range;
  const auto scan = store->tables().scan_table(*other, {0, 1}, range);
  REQUIRE(scan);
  CHECK((*scan)->next(10)->size == 1);
}

TEST_CASE_FIXTURE(LocalTableFixture, "tables and columns may be called anything") {
  sources::LocalTable table = *table_of();
  table.name = "we\"ird 'ta`ble";
  const auto odd = named(table, "select", "gr\"\xC3\xB6\xC3\x9F'e");
  REQUIRE(declare(odd));
  REQUIRE(put(odd, {{"a", 1}}));
  const auto other = named(table, "select", "GR\"\xC3\xB6\xC3\x9F'E");
  REQUIRE(!declare(other));
  REQUIRE(store->tables().migrate(table.name));
  REQUIRE(declare(other));
  REQUIRE(put(other, {{"a", 2}}));
  CHECK(sql("SELECT \"gr\"\"\xC3\xB6\xC3\x9F'e\" FROM \"we\"\"ird 'ta`ble\"") == Lines{"2.0"});
}

TEST_CASE_FIXTURE(LocalTableFixture, "a migration keeps the rows' numbers and age") {
  options.now = [] { return std::int64_t{10'000}; };
  reopen();
  const auto table = table_of({.age = Micros(1'000)});
  REQUIRE(declare(table));
  REQUIRE(put(table, {{"a", 1}, {"b", 2}}, 10'000));
  REQUIRE(put(table, {{"a", 0, RowKind::kDelete}}, 10'100));
  sources::LocalTable wider = *table;
  wider.columns.fields[0].type = Type(TypeKind::kVarChar, 30).with_nullable(false);
  const auto narrow = std::make_shared<const sources::LocalTable>(wider);
  CHECK(!declare(narrow));
  CHECK(!store->tables().migrate("machines"));  // A STRING may be longer.
  wider.columns.fields[0] = table->columns.fields[0];
  wider.columns.fields[1].type = Type::float64().with_nullable(false);
  const auto strict = std::make_shared<const sources::LocalTable>(wider);
  REQUIRE(!declare(strict));
  REQUIRE(store->tables().migrate("machines"));
  CHECK(sql("SELECT rowid || '|' || id || '|' || leat_time FROM machines") == Lines{"2|b|10000"});
  REQUIRE(declare(strict));
  REQUIRE(put(strict, {{"c", 3}}, 11'001));
  CHECK(all() == Lines{"c|3.0"});
}

TEST_CASE_FIXTURE(LocalTableFixture, "a migration keeps what people have made of the tables") {
  REQUIRE(declare(table_of()));
  REQUIRE(put(table_of(), {{"a", 1}}));
  const auto people = Connection::open(options.path, OpenMode::kReadWrite);
  REQUIRE(people);
  for (const char* const made :
       {"CREATE VIEW names AS SELECT id FROM machines", "CREATE VIEW broken AS SELECT * FROM nowhere",
        "CREATE UNIQUE INDEX theirs ON machines (value, id)", "CREATE TABLE seen (id TEXT)",
        "CREATE TRIGGER sees AFTER INSERT ON machines BEGIN INSERT INTO seen VALUES (new.id); END"})
    REQUIRE((*people)->exec(made));
  const auto strict = table_of(kId, Type::float64().with_nullable(false));
  REQUIRE(!declare(strict));
  const Status migrated = store->tables().migrate("machines");
  REQUIRE_MESSAGE(migrated, migrated.error().message);
  CHECK(sql("SELECT id FROM names") == Lines{"a"});
  CHECK(sql("SELECT name FROM sqlite_schema WHERE tbl_name = 'machines' AND name IN ('theirs', 'sees') "
            "ORDER BY name") == Lines{"sees", "theirs"});
  CHECK(sql("SELECT id FROM seen").empty());
  CHECK(sql("SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name LIKE 'leat index machines%'") ==
        Lines{"1"});
}

TEST_CASE_FIXTURE(LocalTableFixture, "a migration keeps columns that others declare, and their key") {
  REQUIRE(declare(table_of()));
  REQUIRE(put(table_of(), {{"a", 1}}));
  sources::LocalTable few = *table_of();
  few.columns = Schema{{{"id", Type(TypeKind::kVarChar, 9)}, {"note", Type::string()}}};
  few.primary_key.clear();
  few.indexes.clear();
  const auto other = std::make_shared<const sources::LocalTable>(few);
  REQUIRE(!store->tables().declare({"two"}, {{.table = other, .reads = true}}));
  CHECK(!store->tables().migrate("machines"));  // Not the id.
  few.columns.fields = {{"value", Type::float64().with_nullable(false)}, {"note", Type::string()}};
  const auto strict = std::make_shared<const sources::LocalTable>(few);
  REQUIRE(!store->tables().declare({"two"}, {{.table = strict, .reads = true}}));
  REQUIRE(store->tables().migrate("machines"));
  CHECK(sql("SELECT name || pk || \"notnull\" FROM pragma_table_info('machines')") ==
        Lines{"id11", "value01", "note00"});
  CHECK(all() == Lines{"a|1.0"});
}

TEST_CASE_FIXTURE(LocalTableFixture,
                  "what a pipeline wants it wants whoever starts, until it wants it no more") {
  const auto wanted = [&] { return store->tables().find("machines")->migration_wanted; };
  REQUIRE(declare(table_of(), {"one"}));
  REQUIRE(!declare(table_of(kId, Type::float64().with_nullable(false)), {"one"}));
  CHECK(wanted());
  REQUIRE(store->tables().declare({"two"}, {{.table = table_of(), .reads = true}}));
  CHECK(wanted());
  REQUIRE(declare(table_of(), {"one"}));
  CHECK(!wanted());
}

TEST_CASE_FIXTURE(LocalTableFixture,
                  "rows that are declared as the table was before its migration are refused") {
  REQUIRE(declare(table_of()));
  REQUIRE(put(table_of(), {{"a", 1}}));
  REQUIRE(!declare(table_of(kId, Type::float64().with_nullable(false))));
  REQUIRE(store->tables().migrate("machines"));
  const Status late = put(table_of(), {{"b", 2}});
  REQUIRE(!late);
  CHECK(late.error().message.find("'machines' is not as it was declared any more: column 'value' is DOUBLE "
                                  "NOT NULL there") != std::string::npos);
  CHECK(all() == Lines{"a|1.0"});
}

TEST_CASE_FIXTURE(LocalTableFixture,
                  "one table is found by its name in any letters, or the nearest is named") {
  REQUIRE(declare(table_of()));
  REQUIRE(put(table_of(), {{"a", 1}}));
  const auto found = store->tables().find("Machines");
  REQUIRE(found);
  CHECK(found->name == "machines");
  CHECK(found->rows == 0);
  CHECK(found->users.size() == 1);
  const auto missing = store->tables().find("machine");
  REQUIRE(!missing);
  CHECK(missing.error().code == ErrorCode::kNotFound);
  CHECK(missing.error().message.find("did you mean 'machines'") != std::string::npos);
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
