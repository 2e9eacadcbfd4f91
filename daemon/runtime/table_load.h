// Rows that people load into a local table: 'leat table load'. Text in a format becomes rows of the table as
// it is declared, by the same way that a pipeline's rows take, and goes in as one transaction.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/store/table_store.h"
#include "pipelines/base/result.h"
#include "pipelines/plan/node.h"

namespace leat::runtime {

/// A piece of a file.
struct TableText {
  std::string format = "csv";        ///< "csv" or "json" (one object per line).
  std::vector<std::string> columns;  ///< CSV: what its fields are, in order; empty: all of the table's.
  std::string_view text;             ///< Whole records.
};

struct Loaded {
  std::uint64_t rows = 0;
  std::uint64_t refused = 0;  ///< Records that do not fit; all others went in.
  std::string first_refusal;  ///< Why, and which.
};

/// `now` stamps nothing but refusals. Errors: not found (no such table), invalid (a column that it does not
/// have), and what the store says; nothing has gone in then.
Result<Loaded> load_into_table(store::TableStore& tables, const std::string& table, const TableText& text,
                               std::int64_t now);

/// The table as a sink that takes all of its columns. Errors: not found, internal.
Result<plan::SinkNode> sink_of_table(store::TableStore& tables, const std::string& table);

/// CREATE TABLE, as a pipeline would declare it.
std::string declaration_of(const store::TableStatus& table);

}  // namespace leat::runtime
