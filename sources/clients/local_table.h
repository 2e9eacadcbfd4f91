// 'connector' = 'sqlite': a real table of the store, under the name that its user gives it. What its sink,
// its source and its look-ups share: the declaration, as a pipeline's CREATE TABLE makes it, and the options.
// Who writes and reads the database is daemon/store; it takes these declarations as they are.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"
#include "pipelines/base/time.h"
#include "pipelines/column/column.h"
#include "pipelines/column/type.h"
#include "pipelines/plan/catalog.h"
#include "sources/clients/lookup_options.h"

namespace leat::sources {

/// Which rows a table loses by itself; nothing set: none.
struct TableRetention {
  std::optional<Micros> age;          ///< Older rows go.
  std::string time_column;            ///< What age is judged by; empty: when the row was last written.
  std::optional<std::uint64_t> rows;  ///< Above so many rows the oldest go.

  [[nodiscard]] bool any() const { return age || rows; }
};

/// A table as one pipeline declares it.
struct LocalTable {
  std::string name;                               ///< In the database.
  Schema columns;                                 ///< Physical columns; those of the key are NOT NULL.
  std::vector<std::size_t> primary_key;           ///< Indexes into `columns`; empty: rows are only appended.
  std::vector<std::vector<std::string>> indexes;  ///< Columns of each, beside the key's own.
  TableRetention retention;
};

/// As the WITH clause has it, in every role.
struct LocalTableOptions : LookupOptions {
  std::string table;
  std::vector<std::string> indexes;
  std::optional<Micros> retention_age;
  std::string retention_time_column;
  std::optional<std::uint64_t> retention_rows;
};
const OptionTable<LocalTableOptions>& local_table_options();

/// The declaration that a table with valid options makes.
LocalTable local_table(std::string_view declared_name, const OptionMap& options, const Schema& columns,
                       const std::vector<std::size_t>& primary_key);

/// What the options alone cannot tell: names that the database keeps for itself, columns that are not there.
void validate_local_table(const OptionMap& options, const plan::TableShape& shape,
                          std::vector<OptionError>& errors);

/// Reads a table from its first row to its last, as it is at one moment. Columns of nested types come as JSON
/// text. Used by one thread at a time.
class LocalTableScan {
 public:
  virtual ~LocalTableScan() = default;
  struct Rows {
    std::size_t size = 0;  ///< 0: the end.
    std::vector<ColumnPtr> columns;
    std::int64_t last = 0;  ///< Number of the last of them.
  };
  /// The next rows, at most `most`. Errors: io, unavailable: try again with a new scan; corrupt.
  virtual Result<Rows> next(std::size_t most) = 0;
};

/// Which rows of a table, by their numbers: SQLite's rowids, in whose order a table is read.
struct LocalTableRange {
  std::int64_t after = 0;  ///< The last one that is not wanted any more.
  std::int64_t last = 0;   ///< The last one that is; 0: the last there is, which the scan puts in here.
};

/// Who has the tables: the store, behind an interface so that sources need not know it.
class LocalTableReader {
 public:
  virtual ~LocalTableReader() = default;
  /// Columns `columns` of the rows in `range`. Blocking, on any thread but the storage thread. Errors: io,
  /// not found (no pipeline has declared the table).
  virtual Result<std::unique_ptr<LocalTableScan>> scan_table(const LocalTable& table,
                                                             const std::vector<std::size_t>& columns,
                                                             LocalTableRange& range) = 0;
};

/// Names and prefix of the tables and columns that are Leat's own, in any case of letters.
inline constexpr std::string_view kReservedPrefix = "leat_";
/// The column that says when a row was last written, in microseconds; of tables whose rows go by that.
inline constexpr std::string_view kWrittenColumn = "leat_time";
bool is_reserved_table(std::string_view name);

}  // namespace leat::sources
