// ORDER BY, LIMIT and OFFSET of a query.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "pipelines/plan/bind_query.h"
#include "pipelines/plan/passing_node.h"

namespace leat::plan {

/// Where in a query a sub-query's order is of no meaning: only that of the outermost one is kept.
enum class QueryPlace : std::uint8_t { kOutermost, kInner };

/// NULLs are the smallest values unless the item says where they stand.
SortKey sort_key_of(const sql::OrderItem& item, std::size_t column);
/// Reports a type that has no order.
bool check_sortable(const Type& type, sql::SourceSpan span, const BindContext& context);

/// The column of the list that an item of ORDER BY names, by its name or its number from 1; none: it names
/// none. A wrong number is reported: `columns.size()` then.
std::optional<std::size_t> named_column(const sql::OrderItem& item, std::span<const std::string> columns,
                                        const BindContext& context);

/// Columns of the relation that is ordered.
struct OrderColumns {
  std::span<const std::size_t> items;  ///< One per item of ORDER BY.
  std::size_t visible = 0;             ///< Those from here on are dropped at the end.
  std::span<const std::size_t> keys;   ///< The limits hold for each combination of these.
};

/// `relation` ordered and limited. None: the error has been reported.
std::optional<Relation> bind_order(const sql::Query& query, Relation relation, const OrderColumns& columns,
                                   QueryPlace place, const BindContext& context);

}  // namespace leat::plan
