// Two lists of lines, compared for people.
#pragma once

#include <span>
#include <string>

namespace leat::testing {

/// "" if they are equal; else the lines that differ ("- " expected, "+ " found) with up to three common lines
/// around them ("  "), and "  …" where common lines are left out.
std::string diff(std::span<const std::string> expected, std::span<const std::string> found);

}  // namespace leat::testing
