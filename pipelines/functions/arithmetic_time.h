// Arithmetic of times and intervals: what + - * / mean when one side is not a number.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "pipelines/functions/binding.h"

namespace leat::functions {

/// Time point ± interval, time point − time point, interval ± interval, interval × / number. Nothing: there
/// is no such operation. `left`, `right` are the arguments' types with bare NULLs replaced.
std::optional<BoundScalar> bind_time_arithmetic(std::string_view symbol, const Type& left, const Type& right,
                                                Arguments arguments);

/// Days since the epoch, some months later; a day beyond the month's end becomes its last.
std::int32_t add_months(std::int32_t days, std::int64_t months);
/// The same for microseconds; the time of day stays.
std::int64_t add_months_to_micros(std::int64_t micros, std::int64_t months);

}  // namespace leat::functions
