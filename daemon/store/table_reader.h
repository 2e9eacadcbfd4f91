// Rows of local tables on some connection: whole tables in the order of their rowids, and rows by key. The
// objects keep their statements, and belong to the thread that has the connection.
#pragma once

#include <memory>
#include <vector>

#include "daemon/store/sqlite.h"
#include "daemon/store/table_status.h"
#include "pipelines/column/column_builder.h"

namespace leat::store {

class ScanStatement {
 public:
  /// Begins a read transaction, so that all rows are of one moment; it ends with the object. Sets
  /// `range.last`. The connection is used for nothing else meanwhile and outlives the object.
  static Result<std::unique_ptr<ScanStatement>> begin(Connection& connection,
                                                      const sources::LocalTable& table,
                                                      const std::vector<std::size_t>& columns,
                                                      sources::LocalTableRange& range);
  ~ScanStatement();
  ScanStatement(const ScanStatement&) = delete;
  ScanStatement& operator=(const ScanStatement&) = delete;

  Result<sources::LocalTableScan::Rows> next(std::size_t most);

 private:
  ScanStatement(Connection& connection, const sources::LocalTable& table,
                const std::vector<std::size_t>& columns);

  Connection& connection_;
  std::string table_;
  std::vector<Type> types_;  // As declared.
  Statement select_;
  std::unique_ptr<Rows> rows_;  // The one execution; null behind the last row.
};

class LookupStatement {
 public:
  /// The connection outlives the object.
  LookupStatement(Connection& connection, const TableQuestion& question);
  /// See TableLookup.
  Result<TableMatches> find(const std::vector<ColumnPtr>& keys, std::size_t count);

 private:
  Status find_one(const std::vector<ColumnPtr>& keys, std::size_t row, TableMatches& matches);

  Connection& connection_;
  std::string table_;
  std::vector<Type> key_types_;
  std::vector<Type> types_;
  std::vector<ColumnBuilder> builders_;
  Statement select_;
};

/// Errors get the table's name; a table that is not there is not found.
Error about_table(Connection& connection, const std::string& table, Error error);

}  // namespace leat::store
