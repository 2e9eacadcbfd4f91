// MATCH_RECOGNIZE (…) behind a table in FROM.
#pragma once

#include <optional>

#include "pipelines/plan/scope.h"
#include "pipelines/sql/query.h"

namespace leat::plan {

/// `input` is the bound table before the clause. None: an error has been reported.
std::optional<Relation> bind_match(const sql::MatchTable& table, const Relation& input,
                                   const BindContext& context);

}  // namespace leat::plan
