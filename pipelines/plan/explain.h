// EXPLAIN's text, with a choice of what it shows; planner.h has the one that users see.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "pipelines/plan/node.h"

namespace leat::plan {

enum class ExplainDetail : std::uint8_t {
  kPlan,
  kWithNames,  ///< With what each operator is called in metrics and dead letters, as `explain(plan)` gives
               ///< it.
};
std::string explain(const Plan& plan, ExplainDetail detail);

/// EXPLAIN's words about each operator alone, by its name in the running plan (operator_names.h).
std::map<std::string, std::string> operator_lines(const Plan& plan);

}  // namespace leat::plan
