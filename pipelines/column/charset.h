// Text in other character sets: what ENCODE, DECODE and the format raw know. Characters that a set does not
// have become
// '?', bytes that are no character become U+FFFD, as in Java.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pipelines/base/result.h"

namespace leat {

enum class Charset : std::uint8_t { kAscii, kLatin1, kUtf8, kUtf16, kUtf16Big, kUtf16Little };

/// By Java's name, in any case: "ISO-8859-1". Errors: invalid, with the names that there are.
Result<Charset> find_charset(std::string_view name);
/// UTF-8 to bytes; UTF-16 begins with its byte order, which is the big one.
std::string encode_text(std::string_view text, Charset charset);
/// Bytes to UTF-8.
std::string decode_text(std::string_view bytes, Charset charset);

bool is_valid_utf8(std::string_view bytes);
/// With U+FFFD for each byte that belongs to no character.
std::string make_valid_utf8(std::string_view bytes);

}  // namespace leat
