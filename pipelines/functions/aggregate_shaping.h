// Report by exception: which rows of a series are worth sending over a thin line. Functions OVER a partition;
// each sees the rows up to the current one, in their order, and says something of the current one.
//
// DEADBAND (TRUE or FALSE): the value is more than a band away from the last one that was reported.
// SWINGING_DOOR (ROW<timestamp, value> or NULL): the points between which straight lines are never more than
// a deviation away from any value in between. After Bristol, Swinging door trending (ISA 1990), with the test
// of the corridor at the new point itself, so that the bound holds for all points and not only for the doors.
#pragma once

#include <vector>

#include "pipelines/functions/aggregate.h"

namespace leat::functions {

/// Arguments: DOUBLE value, DOUBLE band [, time, INTERVAL the longest silence].
AggregatePtr make_deadband(std::vector<Type> arguments);
/// Arguments: DOUBLE value, time, DOUBLE deviation [, INTERVAL the longest time between two points].
AggregatePtr make_swinging_door(std::vector<Type> arguments);

}  // namespace leat::functions
