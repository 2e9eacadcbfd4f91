// EXPLAIN's text, with a choice of what it shows; planner.h has the one that users see.
#pragma once

#include <cstdint>
#include <string>

#include "pipelines/plan/node.h"

namespace leat::plan {

enum class ExplainDetail : std::uint8_t {
  kPlan,
  kWithNames,  ///< With what each operator is called in metrics and dead letters, as `explain(plan)` gives
               ///< it.
};
std::string explain(const Plan& plan, ExplainDetail detail);

}  // namespace leat::plan
