// Questions about the local tables in SQLite's SQL, as people and the dashboard ask them. Whatever the text
// says, it reads the rows of local tables and nothing else: the connection is read-only, an authorizer lets
// through SELECT, the columns of local tables and functions that only compute, and rows, bytes and time are
// bounded. An answer is whole before it is given out: a slow reader pins no part of the log.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::store {

struct QueryLimits {
  std::size_t rows = 1'000;           ///< More are there, but not given: `truncated`.
  std::uint64_t bytes = 4U << 20U;    ///< Of all cells, about; the same. A first row above it is an error.
  std::uint64_t memory = 64U << 20U;  ///< That SQLite takes meanwhile, of all connections; 0: any.
  std::chrono::milliseconds time{2'000};
};

struct QueryBytes {
  std::string bytes;  ///< A BLOB.
};
using QueryCell = std::variant<std::monostate, std::int64_t, double, std::string, QueryBytes>;

struct QueryAnswer {
  struct Column {
    std::string name;
    /// As the table has it, else of the first value: INT, REAL, TEXT, BLOB; empty: all are NULL.
    std::string type;
  };
  std::vector<Column> columns;
  std::vector<std::vector<QueryCell>> rows;
  bool truncated = false;
};

struct QueryError {
  Error error;
  std::optional<std::size_t> offset;  ///< The byte of the text that is meant, if one is.
  std::string table = {};             ///< Set: it asks for this table, and there is none; folded.
};

/// Errors: invalid (no SQL, or something that is not allowed: which), cancelled (the time is over), exhausted
/// (a cell that is too large), unavailable (a store in memory), io, corrupt.
using QueryResult = tl::expected<QueryAnswer, QueryError>;

enum class PageOrder : std::uint8_t {
  kOldest,  ///< As rows were first put in; a row that is replaced by its key keeps its place.
  kNewest,
};

QueryResult query_tables(const std::string& path, const std::string& sql, const QueryLimits& limits);
QueryResult page_of_table(const std::string& path, const std::string& table, PageOrder order,
                          const QueryLimits& limits);

}  // namespace leat::store
