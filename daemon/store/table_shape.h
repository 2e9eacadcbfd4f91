// What makes a local table the table that it is, as texts: how it is kept in `leat_tables`, compared with
// what a pipeline declares, and written as SQL. Pure.
//
// Grammar of `leat_tables.shape` (JSON):
//   {"columns": [{"name": "id", "type": "STRING NOT NULL", "storage": "TEXT"}, …], "primary_key": ["id"]}
// `leat_tables.wanted` is the same with "pipeline": who was refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"
#include "sources/clients/local_table.h"

namespace leat::store {

struct TableShape {
  struct Column {
    std::string name;
    std::string type;     ///< As CREATE TABLE has it: "DECIMAL(10, 2) NOT NULL".
    std::string storage;  ///< "REAL"
    [[nodiscard]] bool nullable() const { return !type.ends_with(" NOT NULL"); }
    friend bool operator==(const Column&, const Column&) = default;
  };
  std::vector<Column> columns;
  std::vector<std::string> primary_key;  ///< In the order of the columns.

  /// Names as SQLite compares them: upper and lower case are the same.
  [[nodiscard]] const Column* find(std::string_view column) const;
  friend bool operator==(const TableShape&, const TableShape&) = default;
};

TableShape shape_of(const sources::LocalTable& table);
std::string shape_to_json(const TableShape& shape);
/// Errors: corrupt.
Result<TableShape> shape_from_json(std::string_view json);

/// Which columns a declaration adds to a table. Errors: conflict: what is different, as a sentence. Only who
/// writes has a say in the case of letters, which decides what people see.
enum class Use : std::uint8_t { kReads, kWrites };
Result<std::vector<TableShape::Column>> added_columns(const TableShape& there, const TableShape& declared,
                                                      Use use);
/// What such a table becomes when it is rebuilt for the declaration: that with all columns that are there, as
/// a table may have more columns than one pipeline declares. Those that only others declare must be able to
/// be NULL where this one writes.
TableShape rebuilt(const TableShape& there, const TableShape& declared, Use use);

/// CREATE TABLE.
std::string create_sql(const std::string& name, const TableShape& shape);
/// "name" in quotes, whatever it is made of.
std::string sql_name(std::string_view name);
/// "a", "b"
std::string sql_names(const std::vector<std::string>& names);

/// A name with the letters that SQLite does not tell apart made equal.
std::string folded(std::string_view name);
/// "BIGINT" of "BIGINT NOT NULL".
std::string_view without_nullability(std::string_view type);

}  // namespace leat::store
