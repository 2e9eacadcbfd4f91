#include "pipelines/functions/kernel.h"

#include <algorithm>

namespace leat::functions {

std::vector<std::uint8_t> strict_validity(std::size_t rows, std::span<const Datum> arguments) {
  std::vector<std::uint8_t> validity;
  for (const Datum& argument : arguments) {
    if (!argument.column->may_have_nulls()) continue;
    const std::span<const std::uint8_t> theirs = argument.column->validity();
    if (argument.constant || theirs.empty()) {
      // One value for all rows, or the type of NULL: either no row is NULL or all are.
      if (rows > 0 && argument.column->is_null(0)) return std::vector<std::uint8_t>(rows, 0);
    } else if (validity.empty()) {
      validity.assign(theirs.begin(), theirs.end());
    } else {
      std::transform(validity.begin(), validity.end(), theirs.begin(), validity.begin(),
                     [](std::uint8_t a, std::uint8_t b) { return static_cast<std::uint8_t>(a & b); });
    }
  }
  return validity;
}

}  // namespace leat::functions
