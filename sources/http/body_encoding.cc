#include "sources/http/body_encoding.h"

#include <fmt/format.h>

#include <cctype>

namespace leat::sources {

using formats::Compression;

std::optional<Compression> find_body_encoding(std::string_view given) {
  std::string name(given);
  for (char& letter : name) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  if (name.empty() || name == "identity") return Compression::kNone;
  if (name == "gzip" || name == "x-gzip") return Compression::kGzip;
  if (name == "zstd") return Compression::kZstd;
  return std::nullopt;
}

Result<std::string> expand_body(Compression encoding, std::string body, std::size_t most) {
  if (encoding == Compression::kNone) {
    if (body.size() <= most) return body;
    return fail(ErrorCode::kExhausted, fmt::format("the body has more than {} bytes", most));
  }
  std::string expanded;
  LEAT_TRY(formats::decompress(body, encoding, most, expanded));
  return expanded;
}

}  // namespace leat::sources
