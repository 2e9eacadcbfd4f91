// How much a text may become. Views and sub-queries multiply: `SELECT a.*, b.* FROM v AS a JOIN v AS b`
// doubles the columns with each view, `ROW(x, x)` the parts of a type, and a text of a few kilobytes would be
// a plan of gigabytes. What is bound is counted here, and refused with its place before it is made.
#pragma once

#include <cstddef>

#include "pipelines/column/type.h"
#include "pipelines/sql/diagnostic.h"

namespace leat::plan {

/// Columns of one query, and of all tables of one FROM.
inline constexpr std::size_t kMostColumns = 4'096;
/// Columns and parts of their types, of all queries, FROMs and joins of a text.
inline constexpr std::size_t kMostParts = 262'144;
/// Operators that run.
inline constexpr std::size_t kMostNodes = 10'000;

class PlanSize {
 public:
  /// False, and an error at `span` (the second bound only once): it is too much.
  bool take(const Schema& schema, sql::SourceSpan span, sql::Diagnostics& diagnostics);
  /// The same for so many columns of scalar types.
  bool take(std::size_t columns, sql::SourceSpan span, sql::Diagnostics& diagnostics);

 private:
  bool add(std::size_t parts, sql::SourceSpan span, sql::Diagnostics& diagnostics);

  std::size_t parts_ = 0;
};

}  // namespace leat::plan
