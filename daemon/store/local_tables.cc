#include "daemon/store/local_tables.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "daemon/store/table_conversion.h"
#include "pipelines/base/nearest.h"

namespace leat::store {
namespace {

/// Where `migrate` builds a table anew.
constexpr const char* kMigrating = "leat_migrating";

/// An index is named by what it is, so that equal ones meet.
constexpr std::string_view kIndexPrefix = "leat index ";

std::string index_name(const std::string& table, const std::vector<std::string>& columns) {
  return std::string(kIndexPrefix) + table + " (" + sql_names(columns) + ")";
}

/// A row's age, or its place among the rows when there are too many, is told by this column; empty: by the
/// order in which rows were appended.
std::string order_column(const sources::LocalTable& table) {
  const sources::TableRetention& retention = table.retention;
  if (!retention.any() || !retention.time_column.empty()) return retention.time_column;
  const bool by_rowid = !retention.age && table.primary_key.empty();
  return by_rowid ? std::string() : std::string(sources::kWrittenColumn);
}

std::string indexes_json(const std::set<std::vector<std::string>>& indexes) {
  return nlohmann::json(indexes).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<std::vector<std::string>> indexes_from_json(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  std::vector<std::vector<std::string>> indexes;
  if (!json.is_array()) return indexes;
  for (const auto& columns : json) {
    indexes.emplace_back();
    for (const auto& column : columns)
      if (column.is_string()) indexes.back().push_back(column.get<std::string>());
  }
  return indexes;
}

Error refusal(const std::string& table, const Error& why) {
  return {ErrorCode::kConflict,
          "the table '" + table + "' is there in another shape: " + why.message + ". 'leat table migrate " +
              table + "' rebuilds it as declared with the rows that fit, 'leat table drop " + table +
              "' deletes it, 'leat table show " + table + "' shows what is there"};
}

}  // namespace

LocalTables::LocalTables(Connection& connection) : connection_(connection) {}

// ---- What is there ---------------------------------------------------------------------------------------

Result<std::optional<LocalTables::Known>> LocalTables::find(const std::string& name) {
  Statement select(connection_, "SELECT name, shape, wanted FROM leat_tables WHERE name = ?");
  Rows rows = select.query(std::string_view(name));
  LEAT_ASSIGN(const bool found, rows.next());
  if (!found) return std::optional<Known>();
  LEAT_ASSIGN(TableShape shape, shape_from_json(rows.bytes(1)));
  return std::optional<Known>(Known{rows.text(0), std::move(shape), rows.text(2)});
}

Result<LocalTables::Known> LocalTables::must_find(const std::string& name) {
  LEAT_ASSIGN(std::optional<Known> known, find(name));
  if (!known) return fail(ErrorCode::kNotFound, "there is no table '" + name + "'");
  return *std::move(known);
}

Result<std::vector<std::string>> LocalTables::own_indexes(const std::string& table) {
  Statement select(connection_, "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?");
  Rows rows = select.query(std::string_view(table));
  std::vector<std::string> names;
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return names;
    if (std::string name = rows.text(0); name.starts_with(kIndexPrefix)) names.push_back(std::move(name));
  }
}

// ---- Declaring -------------------------------------------------------------------------------------------

/// What one pipeline does with a table, however often it declares it.
struct LocalTables::User {
  bool reads = false;
  bool writes = false;
  std::set<std::vector<std::string>> indexes;

  void add(const TableDeclaration& declared) {
    reads = reads || declared.reads;
    writes = writes || declared.writes;
    indexes.insert(declared.table->indexes.begin(), declared.table->indexes.end());
    if (std::string order = order_column(*declared.table); !order.empty()) indexes.insert({std::move(order)});
  }
  [[nodiscard]] std::string_view role() const {
    if (!writes) return "reads";
    return reads ? "reads and writes" : "writes";
  }
};

/// The tables that the pipeline used until now.
Result<std::set<std::string>> LocalTables::forget_user(const PipelineName& pipeline) {
  Statement used(connection_, "DELETE FROM leat_table_users WHERE pipeline = ? RETURNING name");
  Rows rows = used.query(std::string_view(pipeline.value));
  std::set<std::string> tables;
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return tables;
    tables.insert(rows.text(0));
  }
}

Status LocalTables::declare(const PipelineName& pipeline, const std::vector<TableDeclaration>& tables,
                            std::int64_t now) {
  LEAT_ASSIGN(std::set<std::string> touched, forget_user(pipeline));
  std::map<std::string, User> users;
  for (const TableDeclaration& declared : tables) {
    LEAT_ASSIGN(const std::string name, declare_one(pipeline, declared, now));
    users[name].add(declared);
    touched.insert(name);
  }
  for (const auto& [table, user] : users) LEAT_TRY(keep_user(pipeline, table, user));
  for (const std::string& table : touched) LEAT_TRY(settle_indexes(table));
  return {};
}

/// The table's name, in the letters that are kept.
Result<std::string> LocalTables::declare_one(const PipelineName& pipeline, const TableDeclaration& declared,
                                             std::int64_t now) {
  LEAT_ASSIGN(const std::optional<Known> known, find(declared.table->name));
  LEAT_TRY(known ? adjust(pipeline, *known, declared) : create(*declared.table));
  if (declared.writes || declared.table->retention.any()) LEAT_TRY(keep_retention(*declared.table, now));
  return known ? known->name : declared.table->name;
}

/// Names of the store itself, now and in later versions.
Status LocalTables::refuse_taken(const std::string& name) {
  Statement select(connection_, "SELECT type FROM sqlite_schema WHERE lower(name) = lower(?)");
  Rows rows = select.query(std::string_view(name));
  LEAT_ASSIGN(const bool taken, rows.next());
  if (!taken && !sources::is_reserved_table(name)) return {};
  return fail(ErrorCode::kConflict, "'" + name + "' is a name that the store keeps for itself");
}

Status LocalTables::create(const sources::LocalTable& table) {
  LEAT_TRY(refuse_taken(table.name));
  const TableShape shape = shape_of(table);
  LEAT_TRY(connection_.exec(create_sql(table.name, shape).c_str()));
  Statement insert(connection_, "INSERT INTO leat_tables (name, shape) VALUES (?, ?)");
  return insert.run(std::string_view(table.name), std::string_view(shape_to_json(shape)));
}

Status LocalTables::adjust(const PipelineName& pipeline, const Known& known,
                           const TableDeclaration& declared) {
  const auto added =
      added_columns(known.shape, shape_of(*declared.table), declared.writes ? Use::kWrites : Use::kReads);
  if (!added) return tl::unexpected<Error>(refusal(known.name, added.error()));
  TableShape shape = known.shape;
  for (const TableShape::Column& column : *added) {
    const std::string sql =
        "ALTER TABLE " + sql_name(known.name) + " ADD COLUMN " + sql_name(column.name) + " " + column.storage;
    LEAT_TRY(connection_.exec(sql.c_str()));
    shape.columns.push_back(column);
  }
  // What another pipeline wants, it wants still.
  Statement update(connection_,
                   "UPDATE leat_tables SET shape = ?2, "
                   "wanted = iif(json_extract(wanted, '$.pipeline') = ?3, NULL, wanted) WHERE name = ?1");
  return update.run(std::string_view(known.name), std::string_view(shape_to_json(shape)),
                    std::string_view(pipeline.value));
}

Result<bool> LocalTables::has_written_column(const std::string& table) {
  Statement select(connection_, "SELECT 1 FROM pragma_table_info(?) WHERE name = ?");
  Rows rows = select.query(std::string_view(table), sources::kWrittenColumn);
  return rows.next();
}

/// Rows that are there already count as written now.
Status LocalTables::add_written_column(const std::string& table, std::int64_t now) {
  LEAT_ASSIGN(const bool there, has_written_column(table));
  if (there) return {};
  const std::string sql = "ALTER TABLE " + sql_name(table) + " ADD COLUMN " +
                          sql_name(sources::kWrittenColumn) + " INTEGER NOT NULL DEFAULT " +
                          std::to_string(now);
  return connection_.exec(sql.c_str());
}

Status LocalTables::keep_retention(const sources::LocalTable& table, std::int64_t now) {
  const sources::TableRetention& retention = table.retention;
  const std::string order = order_column(table);
  if (order == sources::kWrittenColumn) LEAT_TRY(add_written_column(table.name, now));
  std::int32_t digits = 0;
  if (const auto column = table.columns.find(retention.time_column))
    digits = table.columns.fields[*column].type.precision();
  Statement update(connection_,
                   "UPDATE leat_tables SET keep_for = nullif(?2, 0), keep_rows = nullif(?3, 0), "
                   "order_column = nullif(?4, ''), order_digits = ?5 WHERE name = ?1");
  return update.run(std::string_view(table.name),
                    static_cast<std::int64_t>(retention.age ? retention.age->count() : 0),
                    retention.rows.value_or(0), std::string_view(order), static_cast<std::int64_t>(digits));
}

Status LocalTables::keep_user(const PipelineName& pipeline, const std::string& table, const User& user) {
  Statement insert(
      connection_,
      "INSERT OR REPLACE INTO leat_table_users (name, pipeline, role, indexes) VALUES (?, ?, ?, ?)");
  return insert.run(std::string_view(table), std::string_view(pipeline.value), user.role(),
                    std::string_view(indexes_json(user.indexes)));
}

/// CREATE INDEX of each index that somebody declares, once.
Result<std::vector<std::string>> LocalTables::wanted_indexes(const std::string& table) {
  Statement select(connection_, "SELECT indexes FROM leat_table_users WHERE name = ?");
  Rows rows = select.query(std::string_view(table));
  std::vector<std::string> wanted;
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return wanted;
    for (const std::vector<std::string>& columns : indexes_from_json(rows.bytes(0)))
      wanted.push_back("CREATE INDEX IF NOT EXISTS " + sql_name(index_name(table, columns)) + " ON " +
                       sql_name(table) + " (" + sql_names(columns) + ")");
  }
}

Status LocalTables::settle_indexes(const std::string& table) {
  LEAT_ASSIGN(const std::optional<Known> known, find(table));
  if (!known) return {};
  LEAT_ASSIGN(const std::vector<std::string> wanted, wanted_indexes(known->name));
  LEAT_ASSIGN(const std::vector<std::string> there, own_indexes(known->name));
  for (const std::string& name : there) {
    const auto keeps = [&](const std::string& sql) {
      return sql.find(sql_name(name) + " ON ") != std::string::npos;
    };
    if (std::ranges::none_of(wanted, keeps))
      LEAT_TRY(connection_.exec(("DROP INDEX " + sql_name(name)).c_str()));
  }
  for (const std::string& sql : wanted) LEAT_TRY(connection_.exec(sql.c_str()));
  return {};
}

// ---- Changing --------------------------------------------------------------------------------------------

Status LocalTables::remember_wanted(const PipelineName& pipeline,
                                    const std::vector<TableDeclaration>& tables) {
  std::map<std::string, TableShape> wanted;  // A pipeline may declare a table more than once.
  std::set<std::string> refused;
  for (const TableDeclaration& declared : tables) {
    LEAT_ASSIGN(const std::optional<Known> known, find(declared.table->name));
    if (!known) continue;
    const TableShape shape = shape_of(*declared.table);
    const Use use = declared.writes ? Use::kWrites : Use::kReads;
    if (!added_columns(known->shape, shape, use)) refused.insert(known->name);
    TableShape& becomes = wanted.try_emplace(known->name, known->shape).first->second;
    becomes = rebuilt(becomes, shape, use);
  }
  Statement update(connection_,
                   "UPDATE leat_tables SET wanted = json_set(?2, '$.pipeline', ?3) WHERE name = ?1");
  for (const std::string& name : refused)
    LEAT_TRY(update.run(std::string_view(name), std::string_view(shape_to_json(wanted[name])),
                        std::string_view(pipeline.value)));
  return {};
}

Status LocalTables::migrate(const std::string& name, std::int64_t now) {
  LEAT_ASSIGN(const Known known, must_find(name));
  if (known.wanted.empty())
    return fail(ErrorCode::kInvalid, "no pipeline has been refused because of the table '" + known.name +
                                         "': there is nothing to migrate it to");
  LEAT_ASSIGN(const TableShape wanted, shape_from_json(known.wanted));
  // Others may have added columns since.
  const TableShape shape = rebuilt(known.shape, wanted, Use::kWrites);
  LEAT_TRY(rebuild(known, shape, now));
  Statement update(connection_, "UPDATE leat_tables SET shape = ?2, wanted = NULL WHERE name = ?1");
  LEAT_TRY(update.run(std::string_view(known.name), std::string_view(shape_to_json(shape))));
  return settle_indexes(known.name);
}

/// In the steps that SQLite's documentation gives for what ALTER TABLE cannot do
/// (https://sqlite.org/lang_altertable.html, section 7).
Status LocalTables::rebuild(const Known& known, const TableShape& shape, std::int64_t now) {
  LEAT_ASSIGN(const std::vector<std::string> theirs, made_by_people(known.name));
  LEAT_ASSIGN(const bool timed, has_written_column(known.name));
  LEAT_TRY(connection_.exec(create_sql(kMigrating, shape).c_str()));
  if (timed) LEAT_TRY(add_written_column(kMigrating, now));
  LEAT_TRY(copy_rows(known, shape, kMigrating));
  LEAT_TRY(connection_.exec(("DROP TABLE " + sql_name(known.name)).c_str()));
  LEAT_TRY(rename(kMigrating, known.name));
  for (const std::string& sql : theirs) LEAT_TRY(connection_.exec(sql.c_str()));
  return {};
}

/// CREATE of the indexes and triggers that go with the table, and are not Leat's.
Result<std::vector<std::string>> LocalTables::made_by_people(const std::string& table) {
  Statement select(connection_,
                   "SELECT name, sql FROM sqlite_schema "
                   "WHERE tbl_name = ? AND type IN ('index', 'trigger') AND sql IS NOT NULL");
  Rows rows = select.query(std::string_view(table));
  std::vector<std::string> made;
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return made;
    if (!rows.text(0).starts_with(kIndexPrefix)) made.push_back(rows.text(1));
  }
}

Status LocalTables::copy_rows(const Known& known, const TableShape& shape, const std::string& into) {
  std::string columns = "rowid";
  std::string values = "rowid";
  LEAT_ASSIGN(const bool timed, has_written_column(known.name));
  if (timed) (columns += ", ").append(sources::kWrittenColumn);
  if (timed) (values += ", ").append(sources::kWrittenColumn);
  for (const TableShape::Column& column : shape.columns) {
    const TableShape::Column* const old = known.shape.find(column.name);
    if (old == nullptr) continue;
    const std::optional<std::string> value = conversion(*old, column);
    if (!value)
      return fail(ErrorCode::kInvalid, "column '" + column.name + "' cannot become " + column.type +
                                           " from " + old->type + ": 'leat table drop " + known.name +
                                           "' deletes the table with its rows");
    columns += ", " + sql_name(column.name);
    values += ", " + *value;
  }
  const std::string sql = "INSERT INTO " + sql_name(into) + " (" + columns + ") SELECT " + values + " FROM " +
                          sql_name(known.name) + " ORDER BY rowid";
  const Status copied = connection_.exec(sql.c_str());
  if (copied || copied.error().code != ErrorCode::kInternal) return copied;
  return fail(ErrorCode::kInvalid, "the rows of '" + known.name + "' do not fit: " + copied.error().message);
}

/// Without a look at the views that people have made: those of the old table do not find it at that moment.
Status LocalTables::rename(const std::string& from, const std::string& to) {
  const std::string sql = "ALTER TABLE " + sql_name(from) + " RENAME TO " + sql_name(to);
  LEAT_TRY(connection_.set_pragma("legacy_alter_table", "1", "1"));
  const Status renamed = connection_.exec(sql.c_str());
  LEAT_TRY(connection_.set_pragma("legacy_alter_table", "0", "0"));
  return renamed;
}

Status LocalTables::drop(const std::string& name) {
  LEAT_ASSIGN(const Known known, must_find(name));
  LEAT_TRY(connection_.exec(("DROP TABLE " + sql_name(known.name)).c_str()));
  Statement forget(connection_, "DELETE FROM leat_tables WHERE name = ?");
  LEAT_TRY(forget.run(std::string_view(known.name)));
  Statement users(connection_, "DELETE FROM leat_table_users WHERE name = ?");
  return users.run(std::string_view(known.name));
}

// ---- Telling ---------------------------------------------------------------------------------------------

namespace {

Status read_users(Connection& connection, TableStatus& table) {
  Statement select(connection,
                   "SELECT pipeline, role, indexes FROM leat_table_users WHERE name = ? ORDER BY 1");
  Rows rows = select.query(std::string_view(table.name));
  std::set<std::string> indexes;
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) break;
    table.users.push_back({PipelineName{rows.text(0)}, rows.text(1)});
    for (const std::vector<std::string>& columns : indexes_from_json(rows.bytes(2))) {
      std::string text;
      for (const std::string& column : columns) text += (text.empty() ? "" : ", ") + column;
      indexes.insert(text);
    }
  }
  table.indexes.assign(indexes.begin(), indexes.end());
  return {};
}

Result<TableStatus> table_of(const Rows& rows) {
  LEAT_ASSIGN(const TableShape shape, shape_from_json(rows.bytes(1)));
  TableStatus table{.name = rows.text(0), .primary_key = shape.primary_key};
  for (const TableShape::Column& column : shape.columns) table.columns.push_back({column.name, column.type});
  if (!rows.is_null(2)) table.retention.age = Micros(rows.integer(2));
  if (!rows.is_null(3)) table.retention.rows = rows.count(3);
  if (table.retention.any() && rows.text(4) != sources::kWrittenColumn)
    table.retention.time_column = rows.text(4);
  table.migration_wanted = !rows.is_null(5);
  return table;
}

/// Without their users and the number of their rows.
Result<std::vector<TableStatus>> read_declared(Connection& connection) {
  Statement select(
      connection,
      "SELECT name, shape, keep_for, keep_rows, order_column, wanted FROM leat_tables ORDER BY name");
  Rows rows = select.query();
  std::vector<TableStatus> tables;
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return tables;
    LEAT_ASSIGN(TableStatus table, table_of(rows));
    tables.push_back(std::move(table));
  }
}

}  // namespace

Result<std::vector<TableStatus>> read_tables(Connection& connection) {
  LEAT_ASSIGN(std::vector<TableStatus> tables, read_declared(connection));
  for (TableStatus& table : tables) {
    LEAT_TRY(read_users(connection, table));
    LEAT_ASSIGN(const std::string rows,
                connection.value(("SELECT count(*) FROM " + sql_name(table.name)).c_str()));
    table.rows = std::stoull(rows);
  }
  return tables;
}

Result<TableStatus> find_table(Connection& connection, const std::string& name) {
  LEAT_ASSIGN(std::vector<TableStatus> tables, read_declared(connection));
  std::vector<std::string> names;
  for (TableStatus& table : tables) {
    if (folded(table.name) == folded(name)) {
      LEAT_TRY(read_users(connection, table));
      return std::move(table);
    }
    names.push_back(table.name);
  }
  return fail(ErrorCode::kNotFound, "there is no table '" + name + "'" + did_you_mean(name, names));
}

}  // namespace leat::store
