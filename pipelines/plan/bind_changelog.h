// TO_CHANGELOG(…) and FROM_CHANGELOG(…) in FROM; see changelog_node.h.
#pragma once

#include <optional>

#include "pipelines/plan/bind_query.h"

namespace leat::plan {

/// None: an error has been reported.
std::optional<Relation> bind_to_changelog(const sql::Call& call, QueryBinder& queries);
std::optional<Relation> bind_from_changelog(const sql::Call& call, QueryBinder& queries);

}  // namespace leat::plan
