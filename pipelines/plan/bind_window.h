// Windows: the table functions TUMBLE, HOP, CUMULATE and SESSION, and the same names as functions of GROUP
// BY.
#pragma once

#include <optional>

#include "pipelines/plan/bind_query.h"

namespace leat::plan {

/// A table function in FROM. None: the error has been reported.
std::optional<Relation> bind_window_function(const sql::Call& call, QueryBinder& queries);

/// True for TUMBLE(ts, …), HOP(ts, …) and SESSION(ts, …) as items of GROUP BY.
bool is_group_window(const sql::Expression& expression);
/// Its windows over the columns of `scope`, whose relation is `input`.
std::optional<WindowSpec> bind_group_window(const sql::Call& call, const Relation& input, const Scope& scope,
                                            const BindContext& context);

}  // namespace leat::plan
