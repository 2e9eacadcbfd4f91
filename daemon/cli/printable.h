// Bytes for a terminal: what came from outside must not steer it.
#pragma once

#include <string>
#include <string_view>

namespace leat::cli {

/// UTF-8 as it is; control characters and bytes that are no UTF-8 as \n, \t, \r or \xNN, a backslash as \\.
std::string printable(std::string_view bytes);

}  // namespace leat::cli
