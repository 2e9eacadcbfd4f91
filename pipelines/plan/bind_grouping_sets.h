// GROUP BY as a list of sets: what ROLLUP, CUBE, GROUPING SETS and plain keys have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "pipelines/plan/bind_query.h"

namespace leat::plan {

struct Grouping {
  std::vector<ExprPtr> keys;            ///< Each once, over the input's columns.
  std::vector<std::vector<bool>> sets;  ///< Which of the keys each set has; at least one set.
  std::optional<WindowSpec> window;     ///< GROUP BY TUMBLE(ts, …): the window is not in FROM.
  std::optional<EmitStrategy> emit;     ///< Of that window.

  /// True if every set has a key that is the column with this role.
  [[nodiscard]] bool every_set_has(ColumnRole role, const Relation& input) const;
};

/// The GROUP BY of a SELECT; one empty set if it has none. None: reported.
std::optional<Grouping> bind_grouping(const sql::Select& select, const Relation& input, const Scope& scope,
                                      const BindContext& context);
/// One of `values`, by the number of the set; a literal if all are equal.
ExprPtr choose_by_set(const ExprPtr& set_number, std::span<const std::int64_t> values, sql::SourceSpan span,
                      const BindContext& context);
/// None for a plain column.
std::optional<WindowProperty> property_of_role(ColumnRole role);
/// The role of a key: that of the column it is.
ColumnRole role_of_key(const Expr& key, const Relation& input);

}  // namespace leat::plan
