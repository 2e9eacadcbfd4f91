// Cells as bytes in state, and as keys of state.
//
// Grammar (one cell; the type is not written, it is part of the state's fingerprint):
//   cell    := 0x00 (NULL) | 0x01 value
//   value   := u8 (BOOLEAN) | zigzag (integers, dates, times, intervals) | double | fixed32 (FLOAT's bits)
//            | fixed64 low, fixed64 high (DECIMAL) | string (text, binary)
//            | varint count, cell… (ARRAY; MAP and MULTISET: key and value in turn; ROW: without the count)
// Two cells are equal (as GROUP BY sees it: NULL equals NULL, NaN equals NaN; -0.0 is another value than 0.0,
// as a key in Flink is) iff their bytes as keys are: then the entries of a MAP and a MULTISET, which have no
// order, are sorted by their bytes.
#pragma once

#include <string>

#include "pipelines/base/bytes.h"
#include "pipelines/column/column.h"
#include "pipelines/column/column_builder.h"

namespace leat {

/// As it is held: for cells that are to come back as they were.
void write_cell(const Column& column, std::size_t row, ByteWriter& out);
void write_key_cell(const Column& column, std::size_t row, ByteWriter& out);
/// The bytes that `write_key_cell` writes.
std::string key_cell(const Column& column, std::size_t row);
/// A MAP or a MULTISET is part of the type, at whatever depth: only then the two differ.
bool holds_entries(const Type& type);
/// Errors: corrupt. Nothing is appended then.
Status read_cell(ByteReader& in, ColumnBuilder& out);

}  // namespace leat
