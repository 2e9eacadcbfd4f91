#include "sources/http/body_encoding.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>

namespace leat::sources {
namespace {

constexpr std::size_t kPiece = 64 << 10;
constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for a gzip header.
/// A frame that asks for a larger window than this is refused: it would be allocated.
constexpr int kLargestZstdWindowLog = 23;

tl::unexpected<Error> too_large(std::size_t most) {
  return fail(ErrorCode::kExhausted, fmt::format("the expanded body has more than {} bytes", most));
}

tl::unexpected<Error> broken(std::string_view name) {
  return fail(ErrorCode::kInvalid, fmt::format("the body is no {}, or ends too early", name));
}

struct InflateDeleter {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

/// RFC 1952: members follow each other.
Result<std::string> expand_gzip(std::string& body, std::size_t most) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) return fail(ErrorCode::kExhausted, "gzip: no memory");
  const std::unique_ptr<z_stream, InflateDeleter> owned(&stream);
  stream.next_in = reinterpret_cast<Bytef*>(body.data());
  stream.avail_in = static_cast<uInt>(body.size());
  std::string out;
  std::array<char, kPiece> piece;
  while (true) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    const int outcome = inflate(&stream, Z_NO_FLUSH);
    const std::size_t more = piece.size() - stream.avail_out;
    if (out.size() + more > most) return too_large(most);
    out.append(piece.data(), more);
    if (outcome == Z_STREAM_END) {
      if (stream.avail_in == 0) return out;
      if (inflateReset(&stream) != Z_OK) return broken("gzip");
    } else if (outcome != Z_OK) {
      return broken("gzip");  // Z_BUF_ERROR, too: there is room, so it is the input that ends.
    }
  }
}

struct ZstdDeleter {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

Result<std::string> expand_zstd(std::string_view body, std::size_t most) {
  const std::unique_ptr<ZSTD_DCtx, ZstdDeleter> context(ZSTD_createDCtx());
  if (!context) return fail(ErrorCode::kExhausted, "zstd: no memory");
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kLargestZstdWindowLog);
  ZSTD_inBuffer in{body.data(), body.size(), 0};
  std::string out;
  std::array<char, kPiece> piece;
  std::size_t left = 1;  // Of the frame under way; 0: it is over.
  while (in.pos < in.size || left != 0) {
    ZSTD_outBuffer part{piece.data(), piece.size(), 0};
    const std::size_t before = in.pos;
    left = ZSTD_decompressStream(context.get(), &part, &in);
    if (ZSTD_isError(left) != 0 || (part.pos == 0 && in.pos == before)) return broken("zstd");
    if (out.size() + part.pos > most) return too_large(most);
    out.append(piece.data(), part.pos);
  }
  return out;
}

}  // namespace

std::optional<BodyEncoding> find_body_encoding(std::string_view name) {
  if (name.empty() || name == "identity") return BodyEncoding::kIdentity;
  if (name == "gzip" || name == "x-gzip") return BodyEncoding::kGzip;
  if (name == "zstd") return BodyEncoding::kZstd;
  return std::nullopt;
}

Result<std::string> expand_body(BodyEncoding encoding, std::string body, std::size_t most) {
  switch (encoding) {
    case BodyEncoding::kIdentity:
      if (body.size() > most) return too_large(most);
      return body;
    case BodyEncoding::kGzip:
      return expand_gzip(body, most);
    case BodyEncoding::kZstd:
      return expand_zstd(body, most);
  }
  return body;
}

}  // namespace leat::sources
