// GROUP BY: window aggregates.
#pragma once

#include <optional>

#include "pipelines/plan/bind_query.h"

namespace leat::plan {

/// A SELECT with GROUP BY, HAVING or aggregates over `input`, whose columns `scope` names. None: reported.
std::optional<Relation> bind_grouped_select(const sql::Select& select, const Relation& input,
                                            const Scope& scope, const BindContext& context);

}  // namespace leat::plan
