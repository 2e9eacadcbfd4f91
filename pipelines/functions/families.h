// Every family of scalar functions: one file each, listed once in scalar_table.cc. A new family is a file, a
// line here and a line there.
#pragma once

#include <vector>

#include "pipelines/functions/aggregate.h"
#include "pipelines/functions/scalar.h"

namespace leat::functions {

using ScalarFunctions = std::vector<ScalarFunction>;

ScalarFunctions comparison_functions();  ///< =, <, IS NULL, IS DISTINCT FROM, IN
ScalarFunctions logic_functions();       ///< NOT, AND, OR, IS TRUE
ScalarFunctions arithmetic_functions();  ///< +, -, *, /, %, NEGATE, with times and intervals

}  // namespace leat::functions
