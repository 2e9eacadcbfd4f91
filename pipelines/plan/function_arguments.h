// What process table functions share: f(input => TABLE t PARTITION BY k, x => 1), with arguments by name in
// any order, or by position.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/plan/bind_query.h"

namespace leat::plan {

/// By the places of the names; null: not given.
using FunctionArguments = std::vector<const sql::Expression*>;

/// Puts the arguments of `call` in the order of `names`. None: one is unknown, given twice or too many,
/// reported with `form` as the hint.
std::optional<FunctionArguments> place_arguments(const sql::Call& call, std::span<const std::string> names,
                                                 std::string_view form, const BindContext& context);

/// The rows of `TABLE t` or `TABLE (query)`. None: reported.
std::optional<Relation> bind_table_argument(const sql::TableArgument& table, QueryBinder& queries);

}  // namespace leat::plan
