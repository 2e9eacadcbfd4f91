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

/// The call that an argument belongs to, for messages.
struct FunctionForm {
  std::string_view name;
  std::string_view form;  ///< The hint.
};
/// The columns of PARTITION BY, which must be there; `why` says what they are for. The input's rows must come
/// and stay. None: reported.
std::optional<std::vector<std::size_t>> bind_partition(const sql::TableArgument& table, const Relation& input,
                                                       const FunctionForm& form, std::string_view why,
                                                       const BindContext& context);
/// The rowtime that DESCRIPTOR(ts) names. None: reported.
std::optional<std::size_t> bind_rowtime(const sql::Expression& argument, const Relation& input,
                                        const FunctionForm& form, const BindContext& context);
/// A constant INTERVAL of days to seconds that is longer than 0; `what` it is. None: reported.
std::optional<Micros> bind_span(const sql::Expression& argument, std::string_view what,
                                const BindContext& context);

}  // namespace leat::plan
