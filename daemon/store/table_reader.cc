#include "daemon/store/table_reader.h"

#include <utility>

#include "daemon/store/table_cells.h"
#include "daemon/store/table_shape.h"

namespace leat::store {
namespace {

std::vector<Type> types_of(const sources::LocalTable& table, const std::vector<std::size_t>& columns) {
  std::vector<Type> types;
  for (const std::size_t column : columns) types.push_back(table.columns.fields[column].type);
  return types;
}

std::string column_list(const sources::LocalTable& table, const std::vector<std::size_t>& columns) {
  std::vector<std::string> names;
  for (const std::size_t column : columns) names.push_back(table.columns.fields[column].name);
  return sql_names(names);
}

std::string scan_sql(const sources::LocalTable& table, const std::vector<std::size_t>& columns) {
  return "SELECT rowid" + (columns.empty() ? std::string() : ", " + column_list(table, columns)) + " FROM " +
         sql_name(table.name) + " WHERE rowid > ? AND rowid <= ? ORDER BY rowid";
}

std::string lookup_sql(const TableQuestion& question) {
  const sources::LocalTable& table = *question.table;
  std::string conditions;
  for (const TableQuestion::Key& key : question.keys)
    conditions += (conditions.empty() ? "" : " AND ") + sql_name(table.columns.fields[key.column].name) +
                  (key.nulls == TableQuestion::Key::Nulls::kMatch ? " IS ?" : " = ?");
  const std::string columns = question.columns.empty() ? "1" : column_list(table, question.columns);
  return "SELECT " + columns + " FROM " + sql_name(table.name) + " WHERE " + conditions + " ORDER BY rowid";
}

std::vector<ColumnBuilder> builders_for(const std::vector<Type>& types) {
  std::vector<ColumnBuilder> builders;
  for (const Type& type : types) builders.emplace_back(handed_type(type));
  return builders;
}

std::vector<std::size_t> key_columns(const TableQuestion& question) {
  std::vector<std::size_t> columns;
  for (const TableQuestion::Key& key : question.keys) columns.push_back(key.column);
  return columns;
}

}  // namespace

Error about_table(Connection& connection, const std::string& table, Error error) {
  Statement select(connection, "SELECT 1 FROM leat_tables WHERE name = ?");
  bool there = true;
  {
    Rows rows = select.query(std::string_view(table));
    there = rows.next().value_or(true);
  }
  if (!there) return {ErrorCode::kNotFound, "there is no table '" + table + "'"};
  error.message.insert(0, "table '" + table + "': ");
  return error;
}

// ---- Whole tables ----------------------------------------------------------------------------------------

ScanStatement::ScanStatement(Connection& connection, const sources::LocalTable& table,
                             const std::vector<std::size_t>& columns)
    : connection_(connection),
      table_(table.name),
      types_(types_of(table, columns)),
      select_(connection, scan_sql(table, columns)) {}

ScanStatement::~ScanStatement() {
  rows_.reset();
  if (connection_.in_transaction()) (void)connection_.exec("ROLLBACK");
}

Result<std::unique_ptr<ScanStatement>> ScanStatement::begin(Connection& connection,
                                                            const sources::LocalTable& table,
                                                            const std::vector<std::size_t>& columns,
                                                            sources::LocalTableRange& range) {
  std::unique_ptr<ScanStatement> scan(new ScanStatement(connection, table, columns));
  LEAT_TRY(connection.exec("BEGIN"));
  const std::string last = "SELECT coalesce(max(rowid), 0) FROM " + sql_name(table.name);
  const Result<std::string> found = connection.value(last.c_str());
  if (!found) return tl::unexpected<Error>(about_table(connection, table.name, found.error()));
  if (range.last == 0) range.last = std::stoll(*found);
  // Guaranteed elision: Rows cannot be moved.
  scan->rows_.reset(new Rows(scan->select_.query(range.after, range.last)));
  return scan;
}

Result<sources::LocalTableScan::Rows> ScanStatement::next(std::size_t most) {
  sources::LocalTableScan::Rows found;
  std::vector<ColumnBuilder> builders = builders_for(types_);
  while (rows_ && found.size < most) {
    const Result<bool> more = rows_->next();
    if (!more) return tl::unexpected<Error>(about_table(connection_, table_, more.error()));
    if (!*more) {
      rows_.reset();  // SQLite would begin anew.
      break;
    }
    for (std::size_t i = 0; i < types_.size(); ++i)
      if (const Status read = read_cell(*rows_, static_cast<int>(i) + 1, types_[i], builders[i]); !read)
        return tl::unexpected<Error>(about_table(connection_, table_, read.error()));
    found.last = rows_->integer(0);
    ++found.size;
  }
  for (ColumnBuilder& builder : builders) found.columns.push_back(builder.finish());
  return found;
}

// ---- Rows by key -----------------------------------------------------------------------------------------

LookupStatement::LookupStatement(Connection& connection, const TableQuestion& question)
    : connection_(connection),
      table_(question.table->name),
      key_types_(types_of(*question.table, key_columns(question))),
      types_(types_of(*question.table, question.columns)),
      builders_(builders_for(types_)),
      select_(connection, lookup_sql(question)) {}

Status LookupStatement::find_one(const std::vector<ColumnPtr>& keys, std::size_t row, TableMatches& matches) {
  Rows rows = select_.query_bound([&](sqlite3_stmt* statement) {
    int rc = SQLITE_OK;
    for (std::size_t i = 0; i < keys.size() && rc == SQLITE_OK; ++i)
      rc = bind_cell(statement, static_cast<int>(i) + 1, key_types_[i], *keys[i], row);
    return rc;
  });
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return {};
    for (std::size_t i = 0; i < types_.size(); ++i)
      LEAT_TRY(read_cell(rows, static_cast<int>(i), types_[i], builders_[i]));
    matches.keys.push_back(static_cast<std::uint32_t>(row));
  }
}

Result<TableMatches> LookupStatement::find(const std::vector<ColumnPtr>& keys, std::size_t count) {
  TableMatches matches;
  LEAT_TRY(connection_.exec("SAVEPOINT lookup"));  // All keys see one moment.
  Status found;
  for (std::size_t row = 0; row < count && found; ++row) found = find_one(keys, row, matches);
  for (ColumnBuilder& builder : builders_) matches.columns.push_back(builder.finish());
  LEAT_TRY(connection_.exec("RELEASE lookup"));
  if (!found) return tl::unexpected<Error>(about_table(connection_, table_, found.error()));
  return matches;
}

}  // namespace leat::store
