// SQLite's C interface, owned: connections, prepared statements, transactions. Nothing above this file sees a
// result code: failures become errors with what to do, and a connection remembers the ones after which it
// must not be trusted.
//
// A connection and its statements belong to one thread at a time.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "pipelines/base/result.h"

namespace leat::store {

enum class OpenMode : std::uint8_t {
  kReadWrite,  ///< Creates the file if there is none.
  kReadOnly,
};

/// What a connection has run into since it was opened.
enum class Trouble : std::uint8_t {
  kNone,
  kUnknownOutcome,  ///< An I/O error: what was being committed may be on the disk or not. Open anew.
                    ///< Also of a file that turned out to be open for reading only.
  kDamaged,         ///< The file's bytes are not what SQLite wrote.
};

class Connection {
 public:
  /// `path` ":memory:" is a database of this connection alone. Errors: io, exhausted, corrupt.
  static Result<std::unique_ptr<Connection>> open(const std::string& path, OpenMode mode);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs SQL text without parameters to its end. Errors: as `error` makes them.
  Status exec(const char* sql);
  /// The first column of the first row of `sql`, as text. Errors: as above; internal when there is no row.
  Result<std::string> value(const char* sql);
  /// Sets a pragma, reads it back, and fails when SQLite holds another value (internal).
  Status set_pragma(const std::string& name, const std::string& value, const std::string& read_back);

  /// Makes statements that run longer end with cancelled. 0: no limit.
  /// And when SQLite has taken so many bytes more than it has now, for whatever connection; 0: any.
  void limit_time(std::chrono::milliseconds limit, std::uint64_t memory = 0);
  /// The last statement was ended for its memory, not for its time.
  [[nodiscard]] bool needs_too_much() const { return needs_too_much_; }

  [[nodiscard]] bool in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }
  [[nodiscard]] Trouble trouble() const { return trouble_; }
  /// The error for a result code, and the memory of it as `trouble`. Codes: exhausted (the disk is full, no
  /// memory), io, corrupt, cancelled (the time limit), internal.
  Error error(int rc);
  [[nodiscard]] sqlite3* raw() { return db_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Connection(std::string path, OpenMode mode) : path_(std::move(path)), mode_(mode) {}
  Status harden(OpenMode mode);

  std::string path_;
  OpenMode mode_;
  sqlite3* db_ = nullptr;  // Owned.
  Trouble trouble_ = Trouble::kNone;
  std::int64_t most_memory_ = 0;  // As the two beside it; 0: any.
  bool needs_too_much_ = false;
  std::chrono::steady_clock::time_point deadline_{};  // Of `limit_time`; read by SQLite's progress handler.
};

/// Marks bytes that are no text.
struct Blob {
  std::string_view bytes;
};

/// One execution of a statement; ends it when it goes. Column views are valid until the next `next`.
class Rows {
 public:
  Rows(Connection& connection, sqlite3_stmt* statement, int rc)
      : connection_(connection), statement_(statement), rc_(rc) {}
  ~Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  /// Goes to the next row; false: there is none.
  Result<bool> next();

  [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  [[nodiscard]] std::uint64_t count(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  [[nodiscard]] std::string_view bytes(int column) const;
  [[nodiscard]] std::string text(int column) const { return std::string(bytes(column)); }
  [[nodiscard]] double real(int column) const { return sqlite3_column_double(statement_, column); }
  /// SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_BLOB or SQLITE_NULL.
  [[nodiscard]] int type(int column) const { return sqlite3_column_type(statement_, column); }
  [[nodiscard]] bool is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }

 private:
  Connection& connection_;
  sqlite3_stmt* statement_;  // Owned by the Statement, which outlives this. Null: preparing failed.
  int rc_;                   // A failure of preparing or binding, reported by the first `next`.
};

/// A statement, prepared at its first use and kept. One execution at a time.
class Statement {
 public:
  /// The connection outlives the statement.
  Statement(Connection& connection, std::string sql) : connection_(connection), sql_(std::move(sql)) {}
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Binds the arguments in order (copied) and begins.
  template <class... Args>
  [[nodiscard]] Rows query(const Args&... args) {
    const int rc = bind_all(SQLITE_TRANSIENT, args...);  // Which makes the statement.
    return Rows(connection_, statement_, rc);
  }
  /// Binds and runs to the end; rows are thrown away.
  template <class... Args>
  Status run(const Args&... args) {
    return run_to_end(bind_all(SQLITE_STATIC, args...));
  }
  /// The same for arguments that are as many as a table has columns: `bind` binds them to the statement that
  /// it is given, and answers with SQLite's code.
  template <class Bind>
  [[nodiscard]] Rows query_bound(const Bind& bind) {
    const int rc = prepare();
    return Rows(connection_, statement_, rc == SQLITE_OK ? bind(statement_) : rc);
  }
  template <class Bind>
  Status run_bound(const Bind& bind) {
    const int rc = prepare();
    return run_to_end(rc == SQLITE_OK ? bind(statement_) : rc);
  }

 private:
  Status run_to_end(int bound) {
    Rows rows(connection_, statement_, bound);
    Result<bool> more = rows.next();
    while (more && *more) more = rows.next();
    if (!more) return tl::unexpected<Error>(std::move(more).error());
    return {};
  }
  int prepare();
  int bind(int index, std::int64_t value, sqlite3_destructor_type lifetime);
  int bind(int index, std::uint64_t value, sqlite3_destructor_type lifetime);
  int bind(int index, std::string_view text, sqlite3_destructor_type lifetime);
  int bind(int index, const Blob& blob, sqlite3_destructor_type lifetime);

  template <class... Args>
  int bind_all([[maybe_unused]] sqlite3_destructor_type lifetime, const Args&... args) {
    int rc = prepare();
    [[maybe_unused]] int index = 0;
    ((rc = rc == SQLITE_OK ? bind(++index, args, lifetime) : rc), ...);
    return rc;
  }

  Connection& connection_;
  std::string sql_;
  sqlite3_stmt* statement_ = nullptr;  // Owned.
};

/// BEGIN IMMEDIATE … COMMIT; rolls back when it goes without a commit.
class Transaction {
 public:
  explicit Transaction(Connection& connection) : connection_(connection) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Status begin() { return connection_.exec("BEGIN IMMEDIATE"); }
  Status commit() { return connection_.exec("COMMIT"); }

 private:
  Connection& connection_;
};

}  // namespace leat::store
