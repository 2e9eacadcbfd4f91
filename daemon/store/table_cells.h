// Cells of local tables as SQLite keeps them: what somebody who opens the file with plain SQL finds.
//
//   type                       in SQLite
//   BOOLEAN                    INT, 0 or 1 (SQLite's FALSE and TRUE)
//   TINYINT … BIGINT           INT
//   FLOAT, DOUBLE              REAL; NaN, which SQLite does not have, is NULL
//   DECIMAL(p, s)              INT if s = 0 and p <= 18; REAL if p <= 15, which gives back every such number
//                              exactly and compares as a number; else TEXT, exact
//   CHAR, VARCHAR, STRING      TEXT
//   BINARY, VARBINARY, BYTES   BLOB
//   DATE                       TEXT, 2026-01-31
//   TIME(p)                    TEXT, 12:34:56.123
//   TIMESTAMP(p)               TEXT, 2026-01-31 12:34:56.123: always p digits, so that texts order as times
//   do
//                              and SQLite's own functions read them
//   TIMESTAMP_LTZ(p)           the same in UTC, which is what SQLite's functions mean, too
//   INTERVAL                   INT, months or microseconds
//   ARRAY, MAP, MULTISET, ROW  TEXT, JSON as the 'json' format writes it (json_extract reads it); who hands
//                              rows in has made it a text column (formats/nested_json.h)
#pragma once

#include <string_view>

#include "daemon/store/sqlite.h"
#include "pipelines/column/column.h"
#include "pipelines/column/column_builder.h"

namespace leat::store {

/// "INT", "REAL", "TEXT" or "BLOB".
std::string_view storage_of(const Type& type);
/// The type of the column in which cells of `type` are handed in and given out: `type`, or STRING for nested
/// ones.
Type handed_type(const Type& type);

/// Binds a cell of `type` to argument `index`, copied where needed; the column outlives the execution.
/// SQLite's result code.
int bind_cell(sqlite3_stmt* statement, int index, const Type& type, const Column& column, std::size_t row);
/// Appends the row's column to a builder of the handed type. Errors: corrupt: somebody else has written what
/// is no value of the type.
Status read_cell(const Rows& rows, int column, const Type& type, ColumnBuilder& out);

/// Microseconds since the epoch as a TIMESTAMP cell of this type has them.
std::string timestamp_text(std::int64_t micros, const Type& type);

}  // namespace leat::store
