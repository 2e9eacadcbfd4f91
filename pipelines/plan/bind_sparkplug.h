// SPARKPLUG(…) in FROM; see sparkplug_node.h.
#pragma once

#include <optional>

#include "pipelines/plan/bind_query.h"

namespace leat::plan {

/// None: an error has been reported.
std::optional<Relation> bind_sparkplug(const sql::Call& call, QueryBinder& queries);

}  // namespace leat::plan
