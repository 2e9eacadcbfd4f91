// What a trial plans: a query, and in front of it the declarations of a running pipeline. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/runtime/trial.h"
#include "pipelines/plan/planner.h"

namespace leat::api {

/// The statements of a pipeline's text that declare something: tables, views, settings; not what runs.
std::string declarations_of(std::string_view text);
/// The text declares a view of this name.
bool declares_view(std::string_view text, std::string_view name);

struct TrialPlan {
  plan::Plan plan;
  std::vector<plan::Message> messages;  ///< With the places of the query's own text. An error: no plan.
  [[nodiscard]] bool ok() const;
};
/// `declarations` may be empty.
TrialPlan plan_trial(const std::string& declarations, const std::string& sql);

/// Which sink's rows are shown: that of the named table, else the last one of the text. Errors: invalid
/// (there is none: which there are).
Result<std::size_t> shown_sink(const plan::Plan& plan, const std::string& table);

}  // namespace leat::api
