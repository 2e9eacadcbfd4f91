// Rows of commits into local tables, and what retention takes out of them. Storage thread, inside the
// caller's transaction.
//
// A table with a PRIMARY KEY keeps the last row of each key; its rowid stays the one of the key's first row.
// Retention goes by `order_column` of `leat_tables` (a TIMESTAMP of the rows, or `leat_time`), or, where
// there is none, by the order of appending. It is applied behind each commit to the tables that it wrote, to
// a bounded number of rows at a time, and by `sweep` to tables that nobody writes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/store/sqlite.h"
#include "daemon/store/table_status.h"
#include "pipelines/base/result.h"

namespace leat::store {

class TableWriter {
 public:
  /// The connection outlives the object.
  explicit TableWriter(Connection& connection);
  ~TableWriter();

  /// `now` is the commit's time. Errors: not found, conflict (the table is not as the rows' declaration has
  /// it any more), and what SQLite says.
  Status write(const TableRows& rows, std::int64_t now);
  struct Sweep {
    std::vector<std::string> changed;  ///< Tables that have lost rows.
    bool more = false;                 ///< There are more rows to take out.
    bool expiring = false;             ///< There are tables whose rows grow too old.
  };
  /// Takes out what is too old, of all tables; at most some thousand rows of each.
  Result<Sweep> sweep(std::int64_t now);
  /// Shapes have changed, or a transaction was rolled back: what is known of tables is read again.
  void forget();

 private:
  struct Retention {
    std::string table;  ///< As `leat_tables` spells it.
    std::string order_column;
    std::int32_t order_digits = 0;
    std::optional<std::int64_t> keep_for;
    std::optional<std::uint64_t> keep_rows;
  };
  struct Target;
  Status check_shape(const sources::LocalTable& table);
  Result<Target*> target_of(const std::shared_ptr<const sources::LocalTable>& table);
  Result<std::vector<Retention>> read_retention(const std::string& table);
  Result<std::uint64_t*> count_of(const std::string& table);
  Status apply(Target& target, const Batch& batch, std::int64_t now);
  Result<std::int64_t> put(Target& target, const Batch& batch, std::size_t row, std::int64_t now);
  Result<std::int64_t> take_away(Target& target, const Batch& batch, std::size_t row);
  Result<std::uint64_t> expire(const Retention& retention, std::int64_t now, std::uint64_t most);
  Status trim(const Retention& retention, std::uint64_t most);
  void count(const std::string& table, std::int64_t change);

  Connection& connection_;
  std::unordered_map<const sources::LocalTable*, std::unique_ptr<Target>> targets_;  // Keep their keys alive.
  std::unordered_map<std::string, std::uint64_t> counts_;  // Rows, of tables that are bounded by them.
};

}  // namespace leat::store
