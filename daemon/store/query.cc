#include "daemon/store/query.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <string_view>
#include <utility>

#include "daemon/store/sqlite.h"
#include "daemon/store/table_shape.h"
#include "pipelines/base/nearest.h"

namespace leat::store {
namespace {

// SQLite looks at the clock between two instructions only, and some functions are one instruction for any
// text: what they work on must be small. A cell above this cannot be read.
constexpr int kLongestCell = 256 << 10;
constexpr std::pair<int, int> kBounds[] = {
    {SQLITE_LIMIT_LENGTH, kLongestCell}, {SQLITE_LIMIT_SQL_LENGTH, 64 << 10},
    {SQLITE_LIMIT_EXPR_DEPTH, 200},      {SQLITE_LIMIT_COMPOUND_SELECT, 50},
    {SQLITE_LIMIT_FUNCTION_ARG, 100},    {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200},
    {SQLITE_LIMIT_ATTACHED, 0},          {SQLITE_LIMIT_WORKER_THREADS, 0},
    {SQLITE_LIMIT_COLUMN, 200},
};

/// They compute from their arguments and touch nothing else. In order.
constexpr std::array kFunctions = std::to_array<std::string_view>({"->",
                                                                   "->>",
                                                                   "abs",
                                                                   "acos",
                                                                   "acosh",
                                                                   "asin",
                                                                   "asinh",
                                                                   "atan",
                                                                   "atan2",
                                                                   "atanh",
                                                                   "avg",
                                                                   "ceil",
                                                                   "ceiling",
                                                                   "char",
                                                                   "coalesce",
                                                                   "concat",
                                                                   "concat_ws",
                                                                   "cos",
                                                                   "cosh",
                                                                   "count",
                                                                   "cume_dist",
                                                                   "current_date",
                                                                   "current_time",
                                                                   "current_timestamp",
                                                                   "date",
                                                                   "datetime",
                                                                   "degrees",
                                                                   "dense_rank",
                                                                   "exp",
                                                                   "first_value",
                                                                   "floor",
                                                                   "format",
                                                                   "glob",
                                                                   "group_concat",
                                                                   "hex",
                                                                   "ifnull",
                                                                   "iif",
                                                                   "instr",
                                                                   "json",
                                                                   "json_array",
                                                                   "json_array_length",
                                                                   "json_extract",
                                                                   "json_group_array",
                                                                   "json_group_object",
                                                                   "json_object",
                                                                   "json_quote",
                                                                   "json_type",
                                                                   "json_valid",
                                                                   "julianday",
                                                                   "lag",
                                                                   "last_value",
                                                                   "lead",
                                                                   "length",
                                                                   "like",
                                                                   "likelihood",
                                                                   "likely",
                                                                   "ln",
                                                                   "log",
                                                                   "log10",
                                                                   "log2",
                                                                   "lower",
                                                                   "ltrim",
                                                                   "max",
                                                                   "min",
                                                                   "mod",
                                                                   "nth_value",
                                                                   "ntile",
                                                                   "nullif",
                                                                   "octet_length",
                                                                   "percent_rank",
                                                                   "pi",
                                                                   "pow",
                                                                   "power",
                                                                   "printf",
                                                                   "quote",
                                                                   "radians",
                                                                   "rank",
                                                                   "replace",
                                                                   "round",
                                                                   "row_number",
                                                                   "rtrim",
                                                                   "sign",
                                                                   "sin",
                                                                   "sinh",
                                                                   "sqrt",
                                                                   "strftime",
                                                                   "string_agg",
                                                                   "substr",
                                                                   "substring",
                                                                   "sum",
                                                                   "tan",
                                                                   "tanh",
                                                                   "time",
                                                                   "timediff",
                                                                   "total",
                                                                   "trim",
                                                                   "trunc",
                                                                   "typeof",
                                                                   "unicode",
                                                                   "unixepoch",
                                                                   "unlikely",
                                                                   "upper"});
static_assert(std::ranges::is_sorted(kFunctions));

/// SQLite's own comparison of names.
std::string folded(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(c < 0x80 ? std::tolower(c) : c); });
  return lower;
}

tl::unexpected<QueryError> refuse(ErrorCode code, std::string message,
                                  std::optional<std::size_t> offset = std::nullopt) {
  return tl::unexpected<QueryError>({{code, std::move(message)}, offset});
}

/// Decides what a statement may touch while SQLite prepares it, and remembers why it refused.
class Authorizer {
 public:
  explicit Authorizer(std::vector<std::string> tables) : tables_(std::move(tables)) {}

  void guard(Connection& connection) { sqlite3_set_authorizer(connection.raw(), ask, this); }
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

 private:
  static int ask(void* self, int action, const char* first, const char* second, const char* database,
                 const char*) {
    auto& authorizer = *static_cast<Authorizer*>(self);
    const auto text = [](const char* name) { return std::string_view(name == nullptr ? "" : name); };
    std::string refusal = authorizer.judge(action, text(first), text(second), text(database));
    if (refusal.empty()) return SQLITE_OK;
    if (authorizer.refusal_.empty()) authorizer.refusal_ = std::move(refusal);
    return SQLITE_DENY;
  }

  /// Empty: it may.
  [[nodiscard]] std::string judge(int action, std::string_view first, std::string_view second,
                                  std::string_view database) const {
    switch (action) {
      case SQLITE_SELECT:
      case SQLITE_RECURSIVE:
        return {};
      case SQLITE_READ:
        return database.empty() || database == "main" ? judge_table(folded(first)) : only_select();
      case SQLITE_FUNCTION:
        if (std::ranges::binary_search(kFunctions, folded(second))) return {};
        return "the function '" + std::string(second) + "' is not allowed here";
      default:
        return only_select();
    }
  }
  [[nodiscard]] std::string judge_table(const std::string& name) const {
    if (name == "json_each" || name == "json_tree") return {};
    if (std::ranges::find(tables_, name) != tables_.end()) return {};
    return "'" + name + "' is no local table" + did_you_mean(name, tables_);
  }
  static std::string only_select() { return "only a SELECT from local tables is allowed here"; }

  const std::vector<std::string> tables_;  // Folded.
  std::string refusal_;
};

/// With a set of characters it is one instruction for the product of both lengths.
void refuse_trim(sqlite3_context* context, int, sqlite3_value**) {
  sqlite3_result_error(context, "trim takes no set of characters here", -1);
}

Result<std::unique_ptr<Connection>> open_for_query(const std::string& path, const QueryLimits& limits) {
  if (path.empty()) return fail(ErrorCode::kUnavailable, "a store in memory answers no queries");
  LEAT_ASSIGN(std::unique_ptr<Connection> connection, Connection::open(path, OpenMode::kReadOnly));
  LEAT_TRY(connection->set_pragma("cache_size", "-2000", "-2000"));
  // What is sorted and grouped stays in memory, and that is bounded below: a file could fill the disk.
  LEAT_TRY(connection->set_pragma("temp_store", "2", "2"));
  for (const auto& [bound, value] : kBounds) sqlite3_limit(connection->raw(), bound, value);
  // SQLite makes these two when they are first named, by a CREATE TABLE that the authorizer would refuse.
  LEAT_TRY(connection->exec("SELECT 1 FROM json_each('[]'), json_tree('[]')"));
  for (const char* name : {"trim", "ltrim", "rtrim"})
    sqlite3_create_function(connection->raw(), name, 2, SQLITE_UTF8, nullptr, refuse_trim, nullptr, nullptr);
  connection->limit_time(limits.time, limits.memory);
  return connection;
}

Result<std::vector<std::string>> table_names(Connection& connection) {
  std::vector<std::string> names;
  Statement select(connection, "SELECT name FROM leat_tables");
  Rows rows = select.query();
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return names;
    names.push_back(folded(rows.text(0)));
  }
}

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;

/// SQLite's own words; they name no file.
QueryError error_of(Connection& connection, int rc, const QueryLimits& limits) {
  const int offset = sqlite3_error_offset(connection.raw());
  const std::string words = sqlite3_errmsg(connection.raw());
  ErrorCode code = connection.error(rc).code;
  if (code == ErrorCode::kInternal) code = ErrorCode::kInvalid;  // "no such column", and the like.
  if (code == ErrorCode::kCancelled && connection.needs_too_much())
    return {{ErrorCode::kExhausted, "the query needs more memory than " + std::to_string(limits.memory) +
                                        " bytes to sort and group: ask for fewer rows, or fewer columns"},
            {}};
  if (code == ErrorCode::kCancelled)
    return {{code, "the query took longer than its " + std::to_string(limits.time.count()) + " ms"}, {}};
  if ((rc & 0xff) == SQLITE_AUTH) return {{ErrorCode::kInvalid, ""}, {}};  // The authorizer knows why.
  if ((rc & 0xff) == SQLITE_TOOBIG)
    return {{code, "a text or blob is larger than " + std::to_string(kLongestCell) + " bytes"}, {}};
  return {{code, words}, offset < 0 ? std::nullopt : std::optional<std::size_t>(offset)};
}

tl::expected<Prepared, QueryError> prepare_one(Connection& connection, std::string_view sql,
                                               const QueryLimits& limits, std::string_view& behind) {
  sqlite3_stmt* made = nullptr;
  const char* tail = nullptr;
  const int rc =
      sqlite3_prepare_v3(connection.raw(), sql.data(), static_cast<int>(sql.size()), 0, &made, &tail);
  Prepared statement(made);
  if (rc != SQLITE_OK) return tl::unexpected<QueryError>(error_of(connection, rc, limits));
  behind = sql.substr(static_cast<std::size_t>(tail - sql.data()));
  return statement;
}

/// One statement that reads; comments and a semicolon may follow.
tl::expected<Prepared, QueryError> prepare(Connection& connection, const std::string& sql,
                                           const QueryLimits& limits) {
  std::string_view behind;
  auto statement = prepare_one(connection, sql, limits, behind);
  if (!statement) return statement;
  if (!*statement) return refuse(ErrorCode::kInvalid, "there is no statement: a SELECT is expected");
  if (sqlite3_stmt_readonly(statement->get()) == 0)
    return refuse(ErrorCode::kInvalid, "only a SELECT from local tables is allowed here");
  const std::size_t second = sql.size() - behind.size();
  std::string_view rest;
  const auto more = prepare_one(connection, behind, limits, rest);
  if (!more || *more || !rest.empty())
    return refuse(ErrorCode::kInvalid, "one statement at a time: something follows the first", second);
  return statement;
}

QueryCell read_value(sqlite3_stmt* statement, int column) {
  const auto bytes = [&] {
    const void* data = sqlite3_column_blob(statement, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
    return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
  };
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return sqlite3_column_int64(statement, column);
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_TEXT:
      return bytes();
    case SQLITE_BLOB:
      return QueryBytes{bytes()};
    default:
      return std::monostate();
  }
}

std::string_view storage_name(const QueryCell& cell) {
  constexpr std::string_view kNames[] = {"", "INT", "REAL", "TEXT", "BLOB"};
  return kNames[cell.index()];
}

std::uint64_t bytes_of(const QueryCell& cell) {
  constexpr std::uint64_t kSmall = 16;
  if (const auto* text = std::get_if<std::string>(&cell)) return kSmall + text->size();
  if (const auto* blob = std::get_if<QueryBytes>(&cell)) return kSmall + blob->bytes.size();
  return kSmall;
}

/// False, and nothing more of the answer: with this row it would have more bytes than it may.
bool read_row(sqlite3_stmt* statement, const QueryLimits& limits, std::uint64_t& bytes, QueryAnswer& answer) {
  std::vector<QueryCell> row;
  row.reserve(answer.columns.size());
  for (std::size_t i = 0; i < answer.columns.size(); ++i) {
    row.push_back(read_value(statement, static_cast<int>(i)));
    bytes += bytes_of(row.back());
    if (bytes > limits.bytes) return false;
  }
  for (std::size_t i = 0; i < row.size(); ++i) {
    std::string& type = answer.columns[i].type;
    if (type.empty()) type = storage_name(row[i]);
  }
  answer.rows.push_back(std::move(row));
  return true;
}

QueryResult run(Connection& connection, sqlite3_stmt* statement, const QueryLimits& limits) {
  QueryAnswer answer;
  const int width = sqlite3_column_count(statement);
  for (int i = 0; i < width; ++i) {
    const char* name = sqlite3_column_name(statement, i);
    const char* type = sqlite3_column_decltype(statement, i);
    answer.columns.push_back({name == nullptr ? "" : name, type == nullptr ? "" : type});
  }
  std::uint64_t bytes = 0;
  for (;;) {
    const int rc = sqlite3_step(statement);
    if (rc == SQLITE_DONE) return answer;
    if (rc != SQLITE_ROW) return tl::unexpected<QueryError>(error_of(connection, rc, limits));
    answer.truncated = answer.rows.size() >= limits.rows || !read_row(statement, limits, bytes, answer);
    if (!answer.truncated) continue;
    if (answer.rows.empty() && limits.rows > 0)
      return refuse(ErrorCode::kExhausted, "the first row alone has more than " +
                                               std::to_string(limits.bytes) + " bytes: select fewer columns");
    return answer;
  }
}

tl::unexpected<QueryError> failure(Error error) {
  return tl::unexpected<QueryError>({std::move(error), std::nullopt});
}

QueryResult query_on(Connection& connection, const std::string& sql, const QueryLimits& limits) {
  auto names = table_names(connection);
  if (!names) return failure(std::move(names).error());
  Authorizer authorizer(*names);
  authorizer.guard(connection);
  const auto statement = prepare(connection, sql, limits);
  if (statement) return run(connection, statement->get(), limits);
  QueryError error = statement.error();
  // Of a function SQLite says the same in words of its own.
  const bool refused = error.error.message.empty() || error.error.message.starts_with("not authorized");
  if (refused) error.error.message = authorizer.refusal();
  constexpr std::string_view kNoTable = "no such table: ";
  if (error.error.message.starts_with(kNoTable)) {
    error.table = folded(error.error.message.substr(kNoTable.size()));
    error.error.message += did_you_mean(error.table, *names);
  }
  return tl::unexpected<QueryError>(std::move(error));
}

Result<TableShape> shape_of_table(Connection& connection, const std::string& table) {
  Statement select(connection, "SELECT shape FROM leat_tables WHERE name = ?");
  Rows rows = select.query(std::string_view(table));
  LEAT_ASSIGN(const bool found, rows.next());
  if (!found) return fail(ErrorCode::kNotFound, "there is no table '" + table + "'");
  return shape_from_json(rows.text(0));
}

}  // namespace

QueryResult query_tables(const std::string& path, const std::string& sql, const QueryLimits& limits) {
  auto connection = open_for_query(path, limits);
  if (!connection) return failure(std::move(connection).error());
  return query_on(**connection, sql, limits);
}

QueryResult page_of_table(const std::string& path, const std::string& table, PageOrder order,
                          const QueryLimits& limits) {
  auto connection = open_for_query(path, limits);
  if (!connection) return failure(std::move(connection).error());
  auto shape = shape_of_table(**connection, table);
  if (!shape) return failure(std::move(shape).error());
  std::vector<std::string> names;
  for (const TableShape::Column& column : shape->columns) names.push_back(column.name);
  const std::string sql = "SELECT " + sql_names(names) + " FROM " + sql_name(table) + " ORDER BY rowid" +
                          (order == PageOrder::kNewest ? " DESC" : "");
  QueryResult page = query_on(**connection, sql, limits);
  for (std::size_t i = 0; page && i < names.size(); ++i) page->columns[i].type = shape->columns[i].type;
  return page;
}

}  // namespace leat::store
