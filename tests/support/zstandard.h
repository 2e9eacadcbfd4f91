// A text as zstd compresses it, in one frame.
#pragma once

#include <zstd.h>

#include <string>

namespace leat::test {

inline std::string zstandard(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

}  // namespace leat::test
