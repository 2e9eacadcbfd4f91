// Bodies that came compressed, expanded up to a bound: a few kilobytes of gzip can hold gigabytes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "pipelines/base/result.h"
#include "pipelines/formats/compression.h"

namespace leat::sources {

/// By the text of a Content-Encoding header; none: it is not known here.
std::optional<formats::Compression> find_body_encoding(std::string_view name);

/// Errors: as formats::decompress; exhausted, too, of a body that is not compressed and has more than `most`.
Result<std::string> expand_body(formats::Compression encoding, std::string body, std::size_t most);

}  // namespace leat::sources
