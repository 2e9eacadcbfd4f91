// Constant folding: calls over literals become their value. Used as expressions are made, and again where a
// rewrite has put literals below calls.
#pragma once

#include "pipelines/plan/expr.h"

namespace leat::plan {

/// The call's value if all its arguments are literals and it is deterministic; else the call itself. A call
/// that fails for its arguments is kept: it fails its rows, as in Flink, and rows may never reach it.
ExprPtr fold_call(ExprPtr call);
/// The same for every call inside `expr`.
ExprPtr fold_constants(const ExprPtr& expr);

}  // namespace leat::plan
