// Base64 as RFC 4648 has it.
#pragma once

#include <string>
#include <string_view>

#include "pipelines/base/result.h"

namespace leat::functions {

std::string to_base64(std::string_view bytes);
/// Padding may be missing. Errors: invalid, names the text.
Result<std::string> from_base64(std::string_view text);

}  // namespace leat::functions
