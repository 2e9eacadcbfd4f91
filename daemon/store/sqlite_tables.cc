#include "daemon/store/sqlite_tables.h"

#include <utility>

#include "daemon/store/table_reader.h"
#include "daemon/store/table_shape.h"

namespace leat::store {
namespace {

constexpr std::int64_t kSweepMicros = 10'000'000;

tl::unexpected<Error> closed_error() {
  return fail(ErrorCode::kCancelled, "the store is closed");
}

/// One transaction.
Status in_transaction(TableParts& parts, const SqliteTables::Work& work) {
  Transaction transaction(parts.connection);
  LEAT_TRY(transaction.begin());
  LEAT_TRY(work(parts));
  return transaction.commit();
}

}  // namespace

class TableSession {
 public:
  explicit TableSession(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

  /// Runs `use` with the connection, which nobody closes meanwhile.
  template <class T, class Use>
  Result<T> with(const Use& use) {
    const std::lock_guard lock(mutex_);
    if (!connection_) return closed_error();
    return use(*connection_);
  }
  void close() {
    const std::lock_guard lock(mutex_);
    lookup.reset();
    scan.reset();
    connection_.reset();
  }

  // Within `with` only.
  std::unique_ptr<LookupStatement> lookup;
  std::unique_ptr<ScanStatement> scan;

 private:
  std::mutex mutex_;
  std::unique_ptr<Connection> connection_;
};

namespace {

// ---- Reads on a connection of their own ------------------------------------------------------------------

class OwnLookup final : public TableLookup {
 public:
  explicit OwnLookup(std::shared_ptr<TableSession> session) : session_(std::move(session)) {}
  ~OwnLookup() override { session_->close(); }
  Result<TableMatches> find(const std::vector<ColumnPtr>& keys, std::size_t count) override {
    return session_->with<TableMatches>([&](Connection&) { return session_->lookup->find(keys, count); });
  }

 private:
  std::shared_ptr<TableSession> session_;
};

class OwnScan final : public sources::LocalTableScan {
 public:
  explicit OwnScan(std::shared_ptr<TableSession> session) : session_(std::move(session)) {}
  ~OwnScan() override { session_->close(); }
  Result<Rows> next(std::size_t most) override {
    return session_->with<Rows>([&](Connection&) { return session_->scan->next(most); });
  }

 private:
  std::shared_ptr<TableSession> session_;
};

// ---- Reads of a database in memory -----------------------------------------------------------------------

/// Prepared anew for each look-up: there is no object that could be left on a connection that is gone.
class SharedLookup final : public TableLookup {
 public:
  SharedLookup(std::function<Status(const SqliteTables::Read&)> read, TableQuestion question)
      : read_(std::move(read)), question_(std::move(question)) {}
  Result<TableMatches> find(const std::vector<ColumnPtr>& keys, std::size_t count) override {
    TableMatches matches;
    LEAT_TRY(read_([&](Connection& connection) -> Status {
      LEAT_ASSIGN(matches, LookupStatement(connection, question_).find(keys, count));
      return {};
    }));
    return matches;
  }

 private:
  std::function<Status(const SqliteTables::Read&)> read_;
  TableQuestion question_;
};

/// Everything was read at once: it was in memory before.
class WholeScan final : public sources::LocalTableScan {
 public:
  explicit WholeScan(Rows all) : all_(std::move(all)) {}
  Result<Rows> next(std::size_t most) override {
    Rows rows;
    (void)most;
    if (!std::exchange(given_, true)) rows = std::move(all_);
    return rows;
  }

 private:
  Rows all_;
  bool given_ = false;
};

}  // namespace

SqliteTables::SqliteTables(Host host) : host_(std::move(host)) {}
SqliteTables::~SqliteTables() {
  close();
}

void SqliteTables::close() {
  std::vector<std::weak_ptr<TableSession>> sessions;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    sessions.swap(sessions_);
  }
  for (const auto& one : sessions)
    if (const auto session = one.lock()) session->close();
}

// ---- Reading ---------------------------------------------------------------------------------------------

Result<std::shared_ptr<TableSession>> SqliteTables::open_session() {
  LEAT_ASSIGN(std::unique_ptr<Connection> connection, Connection::open(host_.path, OpenMode::kReadOnly));
  LEAT_TRY(connection->set_pragma("cache_size", "-1000", "-1000"));
  auto session = std::make_shared<TableSession>(std::move(connection));
  const std::lock_guard lock(mutex_);
  if (closed_) return closed_error();
  std::erase_if(sessions_, [](const auto& one) { return one.expired(); });
  sessions_.push_back(session);
  return session;
}

Result<std::unique_ptr<TableLookup>> SqliteTables::look_up(const TableQuestion& question) {
  if (host_.path.empty()) return std::make_unique<SharedLookup>(host_.read, question);
  LEAT_ASSIGN(std::shared_ptr<TableSession> session, open_session());
  LEAT_TRY(session->with<void>([&](Connection& connection) -> Status {
    session->lookup = std::make_unique<LookupStatement>(connection, question);
    return {};
  }));
  return std::make_unique<OwnLookup>(std::move(session));
}

Result<std::unique_ptr<sources::LocalTableScan>> SqliteTables::scan_table(
    const sources::LocalTable& table, const std::vector<std::size_t>& columns,
    sources::LocalTableRange& range) {
  if (host_.path.empty()) {
    sources::LocalTableScan::Rows all;
    LEAT_TRY(host_.read([&](Connection& connection) -> Status {
      LEAT_ASSIGN(const auto scan, ScanStatement::begin(connection, table, columns, range));
      LEAT_ASSIGN(all, scan->next(SIZE_MAX));
      return {};
    }));
    return std::make_unique<WholeScan>(std::move(all));
  }
  LEAT_ASSIGN(std::shared_ptr<TableSession> session, open_session());
  LEAT_TRY(session->with<void>([&](Connection& connection) -> Status {
    LEAT_ASSIGN(session->scan, ScanStatement::begin(connection, table, columns, range));
    return {};
  }));
  return std::make_unique<OwnScan>(std::move(session));
}

Result<std::vector<TableStatus>> SqliteTables::list() {
  std::vector<TableStatus> tables;
  LEAT_TRY(host_.read([&](Connection& connection) -> Status {
    LEAT_ASSIGN(tables, read_tables(connection));
    return {};
  }));
  return tables;
}

Result<TableStatus> SqliteTables::find(const std::string& table) {
  TableStatus found;
  LEAT_TRY(host_.read([&](Connection& connection) -> Status {
    LEAT_ASSIGN(found, find_table(connection, table));
    return {};
  }));
  return found;
}

QueryResult SqliteTables::query(const std::string& sql, const QueryLimits& limits) {
  return query_tables(host_.path, sql, limits);
}

QueryResult SqliteTables::page(const std::string& table, PageOrder order, const QueryLimits& limits) {
  return page_of_table(host_.path, table, order, limits);
}

// ---- Writing ---------------------------------------------------------------------------------------------

std::uint64_t SqliteTables::version(const std::string& table) const {
  const std::lock_guard lock(mutex_);
  const auto known = versions_.find(folded(table));
  return known == versions_.end() ? 0 : known->second;
}

void SqliteTables::outdate(const std::string& table) {
  const std::lock_guard lock(mutex_);
  ++versions_[folded(table)];
}

void SqliteTables::outdate(const std::vector<TableRows>& rows) {
  for (const TableRows& one : rows) outdate(one.table->name);
}

Status SqliteTables::change(const Work& work, const std::vector<std::string>& tables) {
  const Status changed = host_.write([&](TableParts& parts) {
    const Status done = in_transaction(parts, work);
    parts.writer.forget();
    expiring_ = true;  // Perhaps: the next sweep tells.
    return done;
  });
  for (const std::string& table : tables) outdate(table);
  return changed;
}

Status SqliteTables::declare(const PipelineName& pipeline, const std::vector<TableDeclaration>& tables) {
  const std::int64_t now = host_.now();
  const Status declared =
      change([&](TableParts& parts) { return parts.tables.declare(pipeline, tables, now); }, {});
  remember_refused(pipeline, declared, tables);
  return declared;
}

/// For `migrate`, which the refusal names; nothing is lost when that fails.
void SqliteTables::remember_refused(const PipelineName& pipeline, const Status& declared,
                                    const std::vector<TableDeclaration>& tables) {
  if (declared || declared.error().code != ErrorCode::kConflict) return;
  (void)change([&](TableParts& parts) { return parts.tables.remember_wanted(pipeline, tables); }, {});
}

Status SqliteTables::rehearse(const PipelineName& pipeline, const std::vector<TableDeclaration>& tables) {
  if (tables.empty()) return {};
  const std::int64_t now = host_.now();
  const Status declared = host_.write([&](TableParts& parts) -> Status {
    Transaction never_committed(parts.connection);
    LEAT_TRY(never_committed.begin());
    const Status rehearsed = parts.tables.declare(pipeline, tables, now);
    parts.writer.forget();
    return rehearsed;
  });
  remember_refused(pipeline, declared, tables);
  return declared;
}

Status SqliteTables::put(TableRows rows) {
  const std::int64_t now = host_.now();
  const std::string table = rows.table->name;
  return change([&](TableParts& parts) { return parts.writer.write(rows, now); }, {table});
}

Status SqliteTables::drop(const std::string& table) {
  return change([&](TableParts& parts) { return parts.tables.drop(table); }, {table});
}

Status SqliteTables::migrate(const std::string& table) {
  const std::int64_t now = host_.now();
  return change([&](TableParts& parts) { return parts.tables.migrate(table, now); }, {table});
}

UntilNextStep SqliteTables::keep_house(TableParts& parts) {
  const std::int64_t now = host_.now();
  if (now < last_sweep_) last_sweep_ = 0;  // The clock was put back.
  if (now - last_sweep_ >= kSweepMicros) {
    const Result<TableWriter::Sweep> swept = parts.writer.sweep(now);
    if (!swept) return std::nullopt;
    for (const std::string& table : swept->changed) outdate(table);
    if (swept->more) return std::chrono::milliseconds(0);
    last_sweep_ = now;
    expiring_ = swept->expiring;
  }
  if (!expiring_) return std::nullopt;
  return std::chrono::milliseconds((last_sweep_ + kSweepMicros - now) / 1000 + 1);
}

}  // namespace leat::store
