// GAP_FILL in FROM.
#pragma once

#include <optional>

#include "pipelines/plan/bind_query.h"

namespace leat::plan {

/// None: reported.
std::optional<Relation> bind_gap_fill(const sql::Call& call, QueryBinder& queries);

}  // namespace leat::plan
