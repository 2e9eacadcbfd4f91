// Conditions on row numbers: they turn a numbering of all rows into a Top-N or a deduplication.
#pragma once

#include "pipelines/plan/scope.h"

namespace leat::plan {

/// `input` filtered by `predicate`. Where `input` numbers its rows and conditions of `predicate` bound the
/// number, the node that numbers takes the bounds; the other conditions stay a filter. Columns keep their
/// places.
NodePtr filter_ranked(NodePtr input, const ExprPtr& predicate);

/// The column of `node`'s rows that holds the times by which the windows of the rows were assigned, or none:
/// is `column` that column?
bool is_window_time_column(const Node& node, std::size_t column);

}  // namespace leat::plan
