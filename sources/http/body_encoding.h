// Bodies that came compressed, expanded up to a bound: a few kilobytes of gzip can hold gigabytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipelines/base/result.h"

namespace leat::sources {

enum class BodyEncoding : std::uint8_t { kIdentity, kGzip, kZstd };

/// By the text of a Content-Encoding header; none: it is not known here.
std::optional<BodyEncoding> find_body_encoding(std::string_view name);

/// Errors: exhausted (more than `most` bytes), invalid (it is not so encoded, or ends too early).
Result<std::string> expand_body(BodyEncoding encoding, std::string body, std::size_t most);

}  // namespace leat::sources
