// SET and RESET of a file, and `--set` above them.
#pragma once

#include <vector>

#include "pipelines/plan/planner.h"
#include "pipelines/plan/settings.h"
#include "pipelines/sql/diagnostic.h"
#include "pipelines/sql/statement.h"

namespace leat::plan {

/// The settings in force, checked; the last SET of a key wins, an override wins over the file. Errors of the
/// file go to `diagnostics`, those of overrides, which have no place in it, to `messages`.
OptionMap bind_settings(const sql::Script& script, const OptionMap& overrides, sql::Diagnostics& diagnostics,
                        std::vector<Message>& messages);

}  // namespace leat::plan
