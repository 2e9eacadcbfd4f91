// What the formats share in reading their options.
#pragma once

#include <string_view>

#include "pipelines/base/options.h"

namespace leat::formats {

/// The keys of `all` that start with `prefix` ("json."), whole.
OptionMap options_with_prefix(const OptionMap& all, std::string_view prefix);

}  // namespace leat::formats
