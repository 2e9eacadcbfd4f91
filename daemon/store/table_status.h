// Local tables as the store's callers see them: what a pipeline declares, the rows of a commit, what is
// there. Plain data.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/base/ids.h"
#include "pipelines/base/result.h"
#include "pipelines/column/batch.h"
#include "sources/clients/local_table.h"

namespace leat::store {

/// A table that a pipeline uses.
struct TableDeclaration {
  std::shared_ptr<const sources::LocalTable> table;
  bool reads = false;
  bool writes = false;
};

/// Changes of one table, in the order in which they apply: +I and +U put a row in place (of the one with its
/// key, if the table has one), -D takes it away; other kinds do not occur. Columns as handed_type has them
/// (table_cells.h).
struct TableRows {
  std::shared_ptr<const sources::LocalTable> table;
  std::vector<Batch> batches;
};

/// Rows that were looked up.
struct TableMatches {
  std::vector<std::uint32_t> keys;  ///< For each row, which of the keys it has; ascending.
  std::vector<ColumnPtr> columns;   ///< As handed_type has them (table_cells.h).
};

/// Looks rows up by the values of some columns, as of the last commit. Used by one thread at a time, never
/// the storage thread; a look-up is one read transaction and never waits for a writer.
class TableLookup {
 public:
  virtual ~TableLookup() = default;
  /// `keys` are the key columns, `count` long. Errors: io, corrupt, cancelled (the store is closed).
  virtual Result<TableMatches> find(const std::vector<ColumnPtr>& keys, std::size_t count) = 0;
};

/// What is looked up.
struct TableQuestion {
  std::shared_ptr<const sources::LocalTable> table;
  std::vector<std::size_t> columns;  ///< Of the table: what is wanted.
  struct Key {
    std::size_t column = 0;  ///< Of the table.
    enum class Nulls : std::uint8_t { kNeverMatch, kMatch } nulls = Nulls::kNeverMatch;
  };
  std::vector<Key> keys;
};

struct TableUser {
  PipelineName pipeline;
  std::string role;  ///< "reads", "writes", "reads and writes"
};

/// A table as it is.
struct TableStatus {
  struct Column {
    std::string name;
    std::string type;  ///< As CREATE TABLE has it.
  };
  std::string name;
  std::vector<Column> columns;
  std::vector<std::string> primary_key;
  sources::TableRetention retention;
  std::vector<std::string> indexes;  ///< "site, line"
  std::vector<TableUser> users;
  std::uint64_t rows = 0;         ///< 0 where they are not counted.
  bool migration_wanted = false;  ///< A pipeline was refused because it declares another shape.
};

}  // namespace leat::store
