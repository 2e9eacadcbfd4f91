// The composition root's view for the planner: every connector and format that is built in, as data.
#pragma once

#include <string>
#include <vector>

#include "pipelines/plan/catalog.h"

namespace leat::runtime {

/// Sources and sinks of one name ('filesystem') are one connector with two roles. Made once; never changes.
const plan::Catalog& catalog();

}  // namespace leat::runtime
