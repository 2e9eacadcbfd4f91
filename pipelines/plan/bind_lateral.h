// LATERAL (SELECT …): a query of FROM that reads the tables to its left. It is bound once, for all rows of
// these, and joined with them; see bind_correlated.h.
#pragma once

#include <optional>
#include <vector>

#include "pipelines/plan/bind_correlated.h"

namespace leat::plan {

/// One side of a join. Columns and conditions are over `relation`, and over the columns of the outer query,
/// which begin at kOuterColumns.
struct LateralQuery {
  Relation relation;
  std::vector<SelectColumn> columns;
  std::vector<ExprPtr> conditions;
  /// Each outer row has a row, though `relation` may have none for it: an aggregate without GROUP BY.
  bool gives_always = false;
};

/// `type` is that of the join. None: the error has been reported.
std::optional<LateralQuery> bind_lateral(const sql::Query& query, OuterQuery outer, JoinType type,
                                         QueryBinder& queries);

}  // namespace leat::plan
