// "Did you mean …?": the known name that is nearest to a mistyped one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

/// The candidate with the smallest edit distance (case is ignored, a swap of neighbours counts one), if it is
/// near enough to be meant: at most a third of the longer length, rounded up. Ties: the first candidate.
std::optional<std::string> nearest_name(std::string_view name, std::span<const std::string> candidates);

/// " (did you mean 'x'?)" or "".
std::string did_you_mean(std::string_view name, std::span<const std::string> candidates);

}  // namespace leat
