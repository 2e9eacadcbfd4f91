// TableStore over the store's database: writes go to the storage thread, reads have connections of their own
// (a database in memory has but one, and they go to the storage thread, too).
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/store/commit.h"
#include "daemon/store/housekeeping.h"
#include "daemon/store/local_tables.h"
#include "daemon/store/sqlite.h"
#include "daemon/store/table_store.h"
#include "daemon/store/table_writer.h"

namespace leat::store {

/// What works on the tables over one connection of the storage thread; made anew with it.
struct TableParts {
  explicit TableParts(Connection& on) : connection(on), tables(on), writer(on) {}
  Connection& connection;
  LocalTables tables;
  TableWriter writer;
};

/// A read that has a connection of its own, and may be closed from outside when the store closes.
class TableSession;

class SqliteTables final : public TableStore {
 public:
  using Work = std::function<Status(TableParts&)>;
  using Read = std::function<Status(Connection&)>;
  struct Host {
    std::string path;                          ///< Empty: in memory.
    std::function<Status(const Work&)> write;  ///< Runs it on the storage thread and waits.
    std::function<Status(const Read&)> read;   ///< Runs it on the store's reader.
    std::function<std::int64_t()> now;         ///< Microseconds.
  };
  explicit SqliteTables(Host host);
  ~SqliteTables() override;

  Status declare(const PipelineName& pipeline, const std::vector<TableDeclaration>& tables) override;
  Status rehearse(const PipelineName& pipeline, const std::vector<TableDeclaration>& tables) override;
  Result<std::unique_ptr<sources::LocalTableScan>> scan_table(const sources::LocalTable& table,
                                                              const std::vector<std::size_t>& columns,
                                                              sources::LocalTableRange& range) override;
  Result<std::unique_ptr<TableLookup>> look_up(const TableQuestion& question) override;
  [[nodiscard]] std::uint64_t version(const std::string& table) const override;
  Result<std::vector<TableStatus>> list() override;
  Result<TableStatus> find(const std::string& table) override;
  QueryResult query(const std::string& sql, const QueryLimits& limits) override;
  QueryResult page(const std::string& table, PageOrder order, const QueryLimits& limits) override;
  Status put(TableRows rows) override;
  Status drop(const std::string& table) override;
  Status migrate(const std::string& table) override;

  /// The rows are in the database, or may be: what was read before is outdated. On the storage thread.
  void outdate(const std::vector<TableRows>& rows);
  /// Housekeeping, on the storage thread: takes out what has grown too old.
  UntilNextStep keep_house(TableParts& parts);
  /// Ends all reads; from then on they answer cancelled. Idempotent.
  void close();

 private:
  void remember_refused(const PipelineName& pipeline, const Status& declared,
                        const std::vector<TableDeclaration>& tables);
  Status change(const Work& work, const std::vector<std::string>& tables);
  void outdate(const std::string& table);
  Result<std::shared_ptr<TableSession>> open_session();

  const Host host_;
  mutable std::mutex mutex_;  // Guards what follows.
  std::map<std::string, std::uint64_t> versions_;
  std::vector<std::weak_ptr<TableSession>> sessions_;
  bool closed_ = false;
  std::int64_t last_sweep_ = 0;  // Storage thread, as what follows.
  bool expiring_ = false;        // There were tables whose rows grow too old.
};

}  // namespace leat::store
