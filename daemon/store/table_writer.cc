#include "daemon/store/table_writer.h"

#include <algorithm>
#include <utility>

#include "daemon/store/table_cells.h"
#include "daemon/store/table_shape.h"

namespace leat::store {
namespace {

/// Rows that one commit takes out beside as many as it wrote: the first commit under a new bound must not
/// hold up all others.
constexpr std::uint64_t kMostAtOnce = 4'096;

std::vector<std::string> names_of(const sources::LocalTable& table) {
  std::vector<std::string> names;
  for (const Type::Field& field : table.columns.fields) names.push_back(field.name);
  return names;
}

bool is_key(const sources::LocalTable& table, std::size_t column) {
  return std::ranges::find(table.primary_key, column) != table.primary_key.end();
}

std::string conflict_sql(const sources::LocalTable& table, const std::vector<std::string>& columns) {
  std::vector<std::string> keys;
  for (const std::size_t key : table.primary_key) keys.push_back(table.columns.fields[key].name);
  std::string changes;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i < table.columns.size() && is_key(table, i)) continue;
    const std::string column = sql_name(columns[i]);
    changes += (changes.empty() ? "" : ", ") + column + " = excluded." + column;
  }
  const std::string action = changes.empty() ? "NOTHING" : "UPDATE SET " + changes;
  return " ON CONFLICT (" + sql_names(keys) + ") DO " + action;
}

enum class Stamp : std::uint8_t { kNone, kWritten };

std::string put_sql(const sources::LocalTable& table, Stamp stamp) {
  std::vector<std::string> columns = names_of(table);
  if (stamp == Stamp::kWritten) columns.emplace_back(sources::kWrittenColumn);
  std::string places;
  for (std::size_t i = 0; i < columns.size(); ++i) places += i == 0 ? "?" : ", ?";
  const std::string sql =
      "INSERT INTO " + sql_name(table.name) + " (" + sql_names(columns) + ") VALUES (" + places + ")";
  return table.primary_key.empty() ? sql : sql + conflict_sql(table, columns);
}

std::string take_away_sql(const sources::LocalTable& table) {
  std::string conditions;
  for (const std::size_t key : table.primary_key)
    conditions += (conditions.empty() ? "" : " AND ") + sql_name(table.columns.fields[key].name) + " = ?";
  return "DELETE FROM " + sql_name(table.name) + " WHERE " + conditions;
}

}  // namespace

struct TableWriter::Target {
  Target(Connection& connection, std::shared_ptr<const sources::LocalTable> declared, Stamp written,
         std::optional<Retention> kept)
      : table(std::move(declared)),
        stamp(written),
        retention(std::move(kept)),
        put(connection, put_sql(*table, stamp)),
        take_away(connection, take_away_sql(*table)) {}

  std::shared_ptr<const sources::LocalTable> table;
  Stamp stamp;
  std::optional<Retention> retention;
  Statement put;
  Statement take_away;  // Of a table with a PRIMARY KEY.
};

TableWriter::TableWriter(Connection& connection) : connection_(connection) {}
TableWriter::~TableWriter() = default;

void TableWriter::forget() {
  targets_.clear();
  counts_.clear();
}

// ---- Tables ----------------------------------------------------------------------------------------------

/// Of one table, or of all (an empty name).
Result<std::vector<TableWriter::Retention>> TableWriter::read_retention(const std::string& table) {
  Statement select(connection_,
                   "SELECT name, order_column, order_digits, keep_for, keep_rows FROM leat_tables "
                   "WHERE (name = ?1 OR ?1 = '') AND (keep_for IS NOT NULL OR keep_rows IS NOT NULL)");
  Rows rows = select.query(std::string_view(table));
  std::vector<Retention> all;
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return all;
    Retention& one = all.emplace_back();
    one.table = rows.text(0);
    one.order_column = rows.text(1);
    one.order_digits = static_cast<std::int32_t>(rows.integer(2));
    if (!rows.is_null(3)) one.keep_for = rows.integer(3);
    if (!rows.is_null(4)) one.keep_rows = rows.count(4);
  }
}

/// Cells of one shape would go into columns of another without an error, and mean something else there.
Status TableWriter::check_shape(const sources::LocalTable& table) {
  Statement select(connection_, "SELECT shape FROM leat_tables WHERE name = ?");
  Rows rows = select.query(std::string_view(table.name));
  LEAT_ASSIGN(const bool found, rows.next());
  if (!found) return fail(ErrorCode::kNotFound, "there is no table '" + table.name + "'");
  LEAT_ASSIGN(const TableShape shape, shape_from_json(rows.bytes(0)));
  const auto added = added_columns(shape, shape_of(table), Use::kWrites);
  if (added && added->empty()) return {};
  return fail(ErrorCode::kConflict, "the table '" + table.name + "' is not as it was declared any more" +
                                        (added ? "" : ": " + added.error().message));
}

Result<TableWriter::Target*> TableWriter::target_of(const std::shared_ptr<const sources::LocalTable>& table) {
  if (const auto known = targets_.find(table.get()); known != targets_.end()) return known->second.get();
  LEAT_TRY(check_shape(*table));
  LEAT_ASSIGN(std::vector<Retention> retention, read_retention(table->name));
  Statement select(connection_, "SELECT 1 FROM pragma_table_info(?) WHERE name = ?");
  Rows rows = select.query(std::string_view(table->name), sources::kWrittenColumn);
  LEAT_ASSIGN(const bool stamped, rows.next());
  auto made = std::make_unique<Target>(
      connection_, table, stamped ? Stamp::kWritten : Stamp::kNone,
      retention.empty() ? std::nullopt : std::optional<Retention>(std::move(retention[0])));
  return targets_.emplace(table.get(), std::move(made)).first->second.get();
}

/// Null: the table's rows are not counted.
Result<std::uint64_t*> TableWriter::count_of(const std::string& table) {
  if (const auto known = counts_.find(table); known != counts_.end()) return &known->second;
  LEAT_ASSIGN(const std::string rows, connection_.value(("SELECT count(*) FROM " + sql_name(table)).c_str()));
  return &counts_.emplace(table, std::stoull(rows)).first->second;
}

void TableWriter::count(const std::string& table, std::int64_t change) {
  if (const auto known = counts_.find(table); known != counts_.end())
    known->second = static_cast<std::uint64_t>(static_cast<std::int64_t>(known->second) + change);
}

// ---- Rows in ---------------------------------------------------------------------------------------------

Status TableWriter::write(const TableRows& rows, std::int64_t now) {
  LEAT_ASSIGN(Target* const target, target_of(rows.table));
  const bool counted = target->retention && target->retention->keep_rows;
  if (counted) LEAT_TRY(count_of(target->retention->table).map([](std::uint64_t*) {}));
  std::uint64_t written = 0;
  for (const Batch& batch : rows.batches) {
    LEAT_TRY(apply(*target, batch, now));
    written += batch.size;
  }
  if (!target->retention) return {};
  const std::uint64_t most = kMostAtOnce + written;
  LEAT_TRY(expire(*target->retention, now, most).map([](std::uint64_t) {}));
  return trim(*target->retention, most);
}

Status TableWriter::apply(Target& target, const Batch& batch, std::int64_t now) {
  std::int64_t change = 0;
  for (std::size_t row = 0; row < batch.size; ++row) {
    LEAT_ASSIGN(const std::int64_t rows, batch.kind(row) == RowKind::kDelete ? take_away(target, batch, row)
                                                                             : put(target, batch, row, now));
    change += rows;
  }
  if (target.retention) count(target.retention->table, change);
  return {};
}

/// By how many rows the table grows.
Result<std::int64_t> TableWriter::put(Target& target, const Batch& batch, std::size_t row, std::int64_t now) {
  // An update leaves it as it is; so an insertion can be told from it.
  sqlite3_set_last_insert_rowid(connection_.raw(), 0);
  const Schema& columns = target.table->columns;
  LEAT_TRY(target.put.run_bound([&](sqlite3_stmt* statement) {
    int rc = SQLITE_OK;
    int index = 0;
    for (std::size_t i = 0; i < columns.size() && rc == SQLITE_OK; ++i)
      rc = bind_cell(statement, ++index, columns.fields[i].type, *batch.columns[i], row);
    if (rc == SQLITE_OK && target.stamp == Stamp::kWritten) rc = sqlite3_bind_int64(statement, ++index, now);
    return rc;
  }));
  return sqlite3_last_insert_rowid(connection_.raw()) == 0 ? 0 : 1;
}

Result<std::int64_t> TableWriter::take_away(Target& target, const Batch& batch, std::size_t row) {
  const sources::LocalTable& table = *target.table;
  LEAT_TRY(target.take_away.run_bound([&](sqlite3_stmt* statement) {
    int rc = SQLITE_OK;
    int index = 0;
    for (const std::size_t key : table.primary_key)
      if (rc == SQLITE_OK)
        rc = bind_cell(statement, ++index, table.columns.fields[key].type, *batch.columns[key], row);
    return rc;
  }));
  return -static_cast<std::int64_t>(sqlite3_changes64(connection_.raw()));
}

// ---- Rows out --------------------------------------------------------------------------------------------

Result<std::uint64_t> TableWriter::expire(const Retention& retention, std::int64_t now, std::uint64_t most) {
  if (!retention.keep_for) return 0;
  const std::string table = sql_name(retention.table);
  const std::string column = sql_name(retention.order_column);
  Statement remove(connection_, "DELETE FROM " + table + " WHERE rowid IN (SELECT rowid FROM " + table +
                                    " WHERE " + column + " < ?1 ORDER BY " + column + " LIMIT ?2)");
  const std::int64_t oldest = now - *retention.keep_for;
  if (retention.order_column == sources::kWrittenColumn) {
    LEAT_TRY(remove.run(oldest, most));
  } else {
    const std::string text = timestamp_text(oldest, Type::timestamp(retention.order_digits));
    LEAT_TRY(remove.run(std::string_view(text), most));
  }
  const auto removed = static_cast<std::uint64_t>(sqlite3_changes64(connection_.raw()));
  count(retention.table, -static_cast<std::int64_t>(removed));
  return removed;
}

Status TableWriter::trim(const Retention& retention, std::uint64_t most) {
  if (!retention.keep_rows) return {};
  LEAT_ASSIGN(const std::uint64_t* const rows, count_of(retention.table));
  if (*rows <= *retention.keep_rows) return {};
  const std::string table = sql_name(retention.table);
  const std::string order =
      retention.order_column.empty() ? std::string("rowid") : sql_name(retention.order_column) + ", rowid";
  Statement remove(connection_, "DELETE FROM " + table + " WHERE rowid IN (SELECT rowid FROM " + table +
                                    " ORDER BY " + order + " LIMIT ?)");
  LEAT_TRY(remove.run(std::min(*rows - *retention.keep_rows, most)));
  count(retention.table, -static_cast<std::int64_t>(sqlite3_changes64(connection_.raw())));
  return {};
}

Result<TableWriter::Sweep> TableWriter::sweep(std::int64_t now) {
  LEAT_ASSIGN(const std::vector<Retention> all, read_retention(""));
  Sweep sweep;
  for (const Retention& retention : all) {
    sweep.expiring = sweep.expiring || retention.keep_for;
    LEAT_ASSIGN(const std::uint64_t removed, expire(retention, now, kMostAtOnce));
    if (removed > 0) sweep.changed.push_back(retention.table);
    sweep.more = sweep.more || removed == kMostAtOnce;
  }
  return sweep;
}

}  // namespace leat::store
