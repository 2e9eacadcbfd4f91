// How values of one type become values of another when a local table is rebuilt: which conversions lose
// nothing, and what they are in SQLite, whose cells table_cells.h describes. Pure.
//
//   to                        from
//   a larger integer          integers, BOOLEAN (0, 1), DECIMAL(p, 0) that fits
//   DECIMAL(p, s)             integers, BOOLEAN and DECIMAL with at most as many digits before and behind the
//                             point
//   FLOAT                     TINYINT, SMALLINT, BOOLEAN
//   DOUBLE                    FLOAT, integers up to INT, BOOLEAN, DECIMAL of at most 15 digits
//   STRING, VARCHAR(n)        CHAR and VARCHAR, exact numbers, BOOLEAN, dates and times; none longer than n
//   BYTES, VARBINARY(n)       BINARY and VARBINARY, none longer than n
//   TIME(p), TIMESTAMP(p), …  the same with fewer fraction digits; TIMESTAMP from DATE
//
// CHAR and BINARY are made of nothing: whether blanks belong to a value nobody can tell. Nested types become
// none: inside their JSON a value may be written in another way.
#pragma once

#include <optional>
#include <string>

#include "daemon/store/table_shape.h"

namespace leat::store {

/// An expression over the old column. Nothing: no such value is sure to mean the same.
std::optional<std::string> conversion(const TableShape::Column& from, const TableShape::Column& to);

}  // namespace leat::store
