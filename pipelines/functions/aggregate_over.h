// Functions that only OVER has: they depend on the order of the rows. Each is an aggregate over the rows from
// the first of its partition to the current one, in their order.
#pragma once

#include <cstdint>

#include "pipelines/functions/aggregate.h"

namespace leat::functions {

enum class RankForm : std::uint8_t {
  kRank,       ///< Rows of the same time share the number of the first of them.
  kDenseRank,  ///< Times are counted, not rows.
};
/// RANK and DENSE_RANK over a time column of type `time`.
AggregatePtr make_rank(const Type& time, RankForm form);

enum class LagDefault : std::uint8_t { kNull, kArgument };
enum class LagNulls : std::uint8_t {
  kRespect,
  kIgnore,  ///< Rows whose value is NULL do not count on the way back.
};
/// LAG(value, offset [, default]): the value `offset` rows before the current one. With kArgument the default
/// is the second argument, as the current row has it.
AggregatePtr make_lag(const Type& value, std::uint64_t offset, LagDefault fallback, LagNulls nulls);

}  // namespace leat::functions
