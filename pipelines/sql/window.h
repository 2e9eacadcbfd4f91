// OVER windows as syntax: what an aggregate sees beside its own row.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "pipelines/sql/expression.h"

namespace leat::sql {

/// One end of a window frame.
struct FrameBound {
  enum class Kind : std::uint8_t {
    kUnboundedPreceding,
    kPreceding,  ///< `offset` PRECEDING
    kCurrentRow,
    kFollowing,  ///< `offset` FOLLOWING
    kUnboundedFollowing,
  };
  Kind kind = Kind::kCurrentRow;
  ExpressionPtr offset;
  SourceSpan span;
};

struct Frame {
  enum class Unit : std::uint8_t { kRows, kRange };
  Unit unit = Unit::kRange;
  FrameBound lower;
  FrameBound upper;  ///< CURRENT ROW if not written.
  SourceSpan span;
};

/// `OVER w`, `OVER ([w] [PARTITION BY …] [ORDER BY …] [frame])`, or what WINDOW w AS (…) defines.
struct Window {
  std::optional<Identifier> base;  ///< The named window it refers to.
  std::vector<ExpressionPtr> partition_by;
  std::vector<OrderItem> order_by;
  std::optional<Frame> frame;
  SourceSpan span;
};

struct NamedWindow {
  Identifier name;
  Window window;
};

}  // namespace leat::sql
