// Local tables: the tables of the database that pipelines declare ('connector' = 'sqlite') and users query.
// Which there are and who uses them is kept in `leat_tables` and `leat_table_users` (SCHEMA.md); here they
// are created, compared with what a pipeline declares, changed and dropped. Rows are table_writer's and
// table_reader's. Storage thread, inside the caller's transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/store/sqlite.h"
#include "daemon/store/table_shape.h"
#include "daemon/store/table_status.h"
#include "pipelines/base/ids.h"
#include "pipelines/base/result.h"

namespace leat::store {

class LocalTables {
 public:
  /// The connection outlives the object.
  explicit LocalTables(Connection& connection);

  /// Makes the database hold what the pipeline declares, which replaces what it declared before: new tables
  /// and indexes are made, nullable columns added, indexes that nobody declares any more dropped. Errors:
  /// conflict (the table is there in another shape; what it is, and the command that changes it), and what
  /// SQLite says.
  Status declare(const PipelineName& pipeline, const std::vector<TableDeclaration>& tables, std::int64_t now);
  /// After `declare` refused and its transaction was rolled back: keeps the wanted shapes for `migrate`,
  /// until the pipeline declares what is there.
  Status remember_wanted(const PipelineName& pipeline, const std::vector<TableDeclaration>& tables);

  /// Gives a table the shape in which a pipeline was refused. Rows keep their numbers, by which a read that
  /// is under way goes on, and their age; columns that the pipeline does not declare, and the indexes and
  /// triggers that people have made, stay. Errors: not found, invalid (nothing is wanted; rows that do not
  /// fit, and why), and what SQLite says.
  Status migrate(const std::string& name, std::int64_t now);
  /// Errors: not found, and what SQLite says.
  Status drop(const std::string& name);

 private:
  struct Known {
    std::string name;  ///< As it was first declared; others may write its letters in another case.
    TableShape shape;
    std::string wanted;  ///< JSON, the shape and its `pipeline`; empty: nobody was refused.
  };
  Result<std::optional<Known>> find(const std::string& name);
  Result<Known> must_find(const std::string& name);
  Result<std::string> declare_one(const PipelineName& pipeline, const TableDeclaration& declared,
                                  std::int64_t now);
  Status create(const sources::LocalTable& table);
  Status refuse_taken(const std::string& name);
  Status adjust(const PipelineName& pipeline, const Known& known, const TableDeclaration& declared);
  Status keep_retention(const sources::LocalTable& table, std::int64_t now);
  Status add_written_column(const std::string& table, std::int64_t now);
  Result<bool> has_written_column(const std::string& table);
  struct User;
  Status keep_user(const PipelineName& pipeline, const std::string& table, const User& user);
  Status settle_indexes(const std::string& table);
  Result<std::vector<std::string>> wanted_indexes(const std::string& table);
  Result<std::set<std::string>> forget_user(const PipelineName& pipeline);
  Result<std::vector<std::string>> own_indexes(const std::string& table);
  Result<std::vector<std::string>> made_by_people(const std::string& table);
  Status rebuild(const Known& known, const TableShape& shape, std::int64_t now);
  Status copy_rows(const Known& known, const TableShape& shape, const std::string& into);
  Status rename(const std::string& from, const std::string& to);

  Connection& connection_;
};

/// All tables with their columns; `rows` are counted. Any connection.
Result<std::vector<TableStatus>> read_tables(Connection& connection);
/// One of them, its rows not counted. Errors: not found. Any connection.
Result<TableStatus> find_table(Connection& connection, const std::string& name);

}  // namespace leat::store
