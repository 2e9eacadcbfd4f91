// Parts of the values of sub-queries: columns to be joined, and what they are where nothing is joined.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "pipelines/plan/scope.h"

namespace leat::plan {

/// TRUE or FALSE, and the BOOLEAN that is neither.
ExprPtr truth(bool value);
ExprPtr unknown();
ExprPtr column_at(const Relation& relation, std::size_t index);
ExprPtr zero();
/// A count that a LEFT join may have left out.
ExprPtr count_or_zero(const ExprPtr& count);
/// What an aggregate's column of the type gives where a LEFT join finds no group: its value over no rows.
ExprPtr over_no_rows(const ExprPtr& joined, const Type& type);
std::vector<std::size_t> last_columns(const Relation& relation, std::size_t count);

/// The combinations of `keys` that occur among the rows of `inner` for which `condition`, over them, is TRUE
/// (null: among all rows), each once. The keys come first, then TRUE, which says behind a LEFT join that
/// there is one. It changes only when the first such row comes or the last one goes.
Relation marks_of(const Relation& inner, std::span<const std::size_t> keys, const ExprPtr& condition,
                  const BindContext& context);

}  // namespace leat::plan
