#include "daemon/store/sqlite.h"

#include <cstring>
#include <utility>

namespace leat::store {
namespace {

/// Other processes only read (users with the sqlite3 shell), so the lock is held by others for moments.
constexpr int kBusyTimeoutMillis = 3'000;
/// Virtual machine steps between two looks at the clock: some tens of microseconds.
constexpr int kStepsPerLook = 4'000;

ErrorCode code_of(int primary) {
  switch (primary) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return ErrorCode::kExhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorrupt;
    case SQLITE_INTERRUPT:
      return ErrorCode::kCancelled;
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
      return ErrorCode::kIo;
    default:
      return ErrorCode::kInternal;
  }
}

std::string_view advice(int primary) {
  switch (primary) {
    case SQLITE_FULL:
      return " (make room on the disk)";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return " (another process keeps it locked)";
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return " (check owner and mode of the file and its folder, and that the disk is writable)";
    default:
      return "";
  }
}

/// ": Read-only file system", as the system said it; empty when it said nothing.
std::string cause_of_io_error(sqlite3* db) {
  const int cause = sqlite3_system_errno(db);
  return cause != 0 ? std::string(": ") + std::strerror(cause) : "";
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, OpenMode mode) {
  std::unique_ptr<Connection> connection(new Connection(path, mode));
  const int access =
      mode == OpenMode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int flags = access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int rc = sqlite3_open_v2(path.c_str(), &connection->db_, flags, nullptr);
  if (rc != SQLITE_OK) return tl::unexpected<Error>(connection->error(rc));
  LEAT_TRY(connection->harden(mode));
  return connection;
}

Connection::~Connection() {
  sqlite3_close_v2(db_);
}

Status Connection::harden(OpenMode mode) {
  sqlite3_busy_timeout(db_, kBusyTimeoutMillis);
  const std::pair<int, int> switches[] = {{SQLITE_DBCONFIG_DEFENSIVE, 1},
                                          {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
                                          {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0}};
  for (const auto& [name, wanted] : switches) {
    int got = -1;
    const int rc = sqlite3_db_config(db_, name, wanted, &got);
    if (rc != SQLITE_OK || got != wanted)
      return fail(ErrorCode::kInternal, "SQLite refuses setting " + std::to_string(name) + " of " + path_);
  }
  if (mode == OpenMode::kReadOnly) return set_pragma("query_only", "1", "1");
  return {};
}

Error Connection::error(int rc) {
  const int primary = rc & 0xff;
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) trouble_ = Trouble::kDamaged;
  // A file that could only be opened for reading, because of an error that may be over, stays so: open it
  // anew.
  const bool fell_back = primary == SQLITE_READONLY && mode_ == OpenMode::kReadWrite;
  if ((primary == SQLITE_IOERR || fell_back) && trouble_ == Trouble::kNone)
    trouble_ = Trouble::kUnknownOutcome;
  std::string message = path_ + ": ";
  const bool current = db_ != nullptr && sqlite3_extended_errcode(db_) == rc;
  message += current ? sqlite3_errmsg(db_) : sqlite3_errstr(rc);
  if (primary == SQLITE_IOERR)
    message += (current ? cause_of_io_error(db_) : "") + " (code " + std::to_string(rc) + ")";
  return {code_of(primary), message + std::string(advice(primary))};
}

Status Connection::exec(const char* sql) {
  const int rc = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return tl::unexpected<Error>(error(rc));
  return {};
}

Result<std::string> Connection::value(const char* sql) {
  Statement statement(*this, sql);
  Rows rows = statement.query();
  LEAT_ASSIGN(const bool found, rows.next());
  if (!found) return fail(ErrorCode::kInternal, path_ + ": no row from " + sql);
  return rows.text(0);
}

Status Connection::set_pragma(const std::string& name, const std::string& value,
                              const std::string& read_back) {
  LEAT_TRY(exec(("PRAGMA " + name + " = " + value).c_str()));
  LEAT_ASSIGN(const std::string got, this->value(("PRAGMA " + name).c_str()));
  if (got == read_back) return {};
  return fail(ErrorCode::kInternal,
              path_ + ": PRAGMA " + name + " is " + got + " after it was set to " + value);
}

void Connection::limit_time(std::chrono::milliseconds limit, std::uint64_t memory) {
  most_memory_ = memory == 0 ? 0 : sqlite3_memory_used() + static_cast<std::int64_t>(memory);
  if (limit.count() == 0) return sqlite3_progress_handler(db_, 0, nullptr, nullptr);
  deadline_ = std::chrono::steady_clock::now() + limit;
  const auto over = [](void* self) {
    auto& connection = *static_cast<Connection*>(self);
    connection.needs_too_much_ =
        connection.most_memory_ > 0 && sqlite3_memory_used() > connection.most_memory_;
    return connection.needs_too_much_ || std::chrono::steady_clock::now() > connection.deadline_ ? 1 : 0;
  };
  sqlite3_progress_handler(db_, kStepsPerLook, over, this);
}

Rows::~Rows() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Result<bool> Rows::next() {
  if (rc_ != SQLITE_OK) return tl::unexpected<Error>(connection_.error(rc_));
  const int rc = sqlite3_step(statement_);
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  return tl::unexpected<Error>(connection_.error(rc));
}

std::string_view Rows::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(data), size);
}

int Statement::prepare() {
  if (statement_ != nullptr) return SQLITE_OK;
  return sqlite3_prepare_v3(connection_.raw(), sql_.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement_,
                            nullptr);
}

int Statement::bind(int index, std::int64_t value, sqlite3_destructor_type) {
  return sqlite3_bind_int64(statement_, index, value);
}

int Statement::bind(int index, std::uint64_t value, sqlite3_destructor_type) {
  return sqlite3_bind_int64(statement_, index, static_cast<std::int64_t>(value));
}

int Statement::bind(int index, std::string_view text, sqlite3_destructor_type lifetime) {
  const char* data = text.data() == nullptr ? "" : text.data();  // A null pointer would bind NULL.
  return sqlite3_bind_text64(statement_, index, data, text.size(), lifetime, SQLITE_UTF8);
}

int Statement::bind(int index, const Blob& blob, sqlite3_destructor_type lifetime) {
  if (blob.bytes.empty()) return sqlite3_bind_zeroblob(statement_, index, 0);
  return sqlite3_bind_blob64(statement_, index, blob.bytes.data(), blob.bytes.size(), lifetime);
}

Transaction::~Transaction() {
  // A failed COMMIT may have rolled back already (a full disk does).
  if (connection_.in_transaction()) (void)connection_.exec("ROLLBACK");
}

}  // namespace leat::store
