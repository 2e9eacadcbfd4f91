// SET and RESET of a file, and `--set` above them.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "pipelines/plan/planner.h"
#include "pipelines/plan/settings.h"
#include "pipelines/sql/diagnostic.h"
#include "pipelines/sql/statement.h"

namespace leat::plan {

struct BoundSettings {
  OptionMap values;
  std::set<std::string, std::less<>> refused;  ///< Keys whose last value has an error; not among `values`.
};

/// The settings in force, checked; the last SET of a key wins, an override of the request wins over the file.
/// Words are resolved: choices are in small letters, 'default' of a time zone is the host's name for it.
/// Errors of the file go to `diagnostics`, those without a place in it (overrides, the host's zone) to
/// `messages`.
BoundSettings bind_settings(const sql::Script& script, const PlanRequest& request,
                            sql::Diagnostics& diagnostics, std::vector<Message>& messages);

/// Where the file gives the setting its last value; nowhere if only `--set` does.
sql::SourceSpan span_of_setting(const sql::Script& script, std::string_view key);

}  // namespace leat::plan
