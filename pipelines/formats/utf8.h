// The check that text from outside is UTF-8, at the speed of simdjson.
#pragma once

#include <string_view>

namespace leat::formats {

bool valid_utf8(std::string_view text);

}  // namespace leat::formats
