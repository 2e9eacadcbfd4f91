// What stands between the quotes of a literal, decoded. Pure functions over the token's text as written.
#pragma once

#include <string>
#include <string_view>

#include "pipelines/base/result.h"

namespace leat::sql {

/// Decodes `'…'`, `N'…'`, `E'…'` (C escapes) and `U&'…'` (with `escape` before four hexadecimal digits, or
/// before "+" and six; a doubled escape is itself). The error names the bad escape.
Result<std::string> decode_string(std::string_view token, char escape = '\\');

/// Decodes `x'…'` into bytes; an odd number of digits or another character is an error.
Result<std::string> decode_binary(std::string_view token);

/// `` `a``b` `` → "a`b".
std::string decode_quoted_name(std::string_view token);

}  // namespace leat::sql
