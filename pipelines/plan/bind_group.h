// GROUP BY, with windows and without, and SELECT DISTINCT.
#pragma once

#include <optional>

#include "pipelines/plan/bind_query.h"

namespace leat::plan {

/// A SELECT with GROUP BY, HAVING or aggregates over `input`, whose columns `scope` names. None: reported.
std::optional<Relation> bind_grouped_select(const sql::Select& select, const Relation& input,
                                            const Scope& scope, const BindContext& context);

/// SELECT DISTINCT: each different row of `relation` once; over windows, once per window.
Relation bind_distinct(const Relation& relation, const BindContext& context);

}  // namespace leat::plan
