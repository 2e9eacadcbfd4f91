// What the operators of a running plan are called, in EXPLAIN, metrics, dead letters and errors: a table's by
// it ("scan readings"), the others by their kind and a number ("window aggregate 1").
#pragma once

#include <string>
#include <unordered_map>

#include "pipelines/plan/node.h"

namespace leat::plan {

/// One name per node that the sinks reach, each different.
std::unordered_map<const Node*, std::string> operator_names(const Plan& plan);

}  // namespace leat::plan
