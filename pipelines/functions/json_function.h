// The functions that may end a JSON path, as in Jayway: length() and size(), keys(), first() and last(), and
// of the numbers in an array sum(), min(), max(), avg() and stddev(), which are DOUBLE.
#pragma once

#include <optional>
#include <string_view>

#include "pipelines/functions/json_tree.h"

namespace leat::functions {

bool is_json_function(std::string_view name);

/// What the function makes of a value; null for the length and the keys of what has none. Nothing: there is
/// nothing to compute from. `function` is one by `is_json_function`.
std::optional<JsonNode> apply_json_function(std::string_view function, const JsonNode& node);

}  // namespace leat::functions
