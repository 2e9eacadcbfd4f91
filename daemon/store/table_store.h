// The store's side of 'connector' = 'sqlite': declaring tables, reading them, and what people do with them.
// Rows of pipelines come with their commits (commit.h), not here. Calls block; from any thread but the
// storage thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/store/query.h"
#include "daemon/store/table_status.h"
#include "pipelines/base/ids.h"
#include "pipelines/base/result.h"
#include "sources/clients/local_table.h"

namespace leat::store {

class TableStore : public sources::LocalTableReader {
 public:
  /// All tables that the pipeline uses, in place of what it declared before; at its start. Tables that are
  /// not there are made, nullable columns added, indexes made and dropped; in one transaction. Errors:
  /// conflict (a table is there in another shape: what is different, and the commands that help), and what
  /// the store says.
  virtual Status declare(const PipelineName& pipeline, const std::vector<TableDeclaration>& tables) = 0;

  /// What `declare` would answer; changes nothing.
  virtual Status rehearse(const PipelineName& pipeline, const std::vector<TableDeclaration>& tables) = 0;

  /// Errors: io.
  virtual Result<std::unique_ptr<TableLookup>> look_up(const TableQuestion& question) = 0;
  /// Another number than before when the table may have other rows than before. Any thread, never waits.
  [[nodiscard]] virtual std::uint64_t version(const std::string& table) const = 0;

  /// All tables; their rows are counted, which takes a while for large ones.
  virtual Result<std::vector<TableStatus>> list() = 0;
  /// One table, whatever the case of letters; its rows are not counted. Errors: not found, with the name that
  /// is nearest.
  virtual Result<TableStatus> find(const std::string& table) = 0;
  /// What people ask of the tables, in SQLite's SQL (query.h). On a connection of its own, which is closed
  /// when this returns; at most for the limits' time. Any number of threads.
  virtual QueryResult query(const std::string& sql, const QueryLimits& limits) = 0;
  /// The first rows of a table, in the order of appending or from its end; columns have the types that the
  /// table was declared with. Errors: not found, and as of `query`.
  virtual QueryResult page(const std::string& table, PageOrder order, const QueryLimits& limits) = 0;
  /// Rows that people load: one transaction. Errors: what the store says.
  virtual Status put(TableRows rows) = 0;
  /// Deletes the table. Errors: not found, and what the store says. That no running pipeline uses it is the
  /// caller's to know.
  virtual Status drop(const std::string& table) = 0;
  /// Rebuilds the table in the shape with which a pipeline was last refused; columns that this pipeline does
  /// not declare stay. Errors: not found, invalid (there is no such shape; rows that do not fit). As of
  /// `drop`; who writes all the same is refused.
  virtual Status migrate(const std::string& table) = 0;
};

}  // namespace leat::store
