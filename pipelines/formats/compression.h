// Compressed payloads: what a message's bytes become before its format sees them. A decoder around the
// format's; bounded, so that a few bytes never become more memory than the user allows. Runs on its
// pipeline's thread. The other way, for bodies and files, on a delivery's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"
#include "pipelines/formats/format.h"

namespace leat::formats {

enum class Compression : std::uint8_t {
  kNone,
  kGzip,  ///< RFC 1952.
  kZlib,  ///< RFC 1950. Its first bytes are those of many texts: only who sends a payload can say it.
  kZstd,  ///< RFC 8878.
  kAuto,  ///< gzip or zstd, as the payload begins.
};

struct CompressionOptions {
  Compression compression = Compression::kNone;
  ByteSize max_size{1U << 20};  ///< Of one payload, decompressed.
};

/// How `payload` is compressed, by its first bytes, if `allowed` has that; else kNone: it is taken as it is.
Compression compression_of(std::string_view payload, Compression allowed);

/// `out` is replaced. Errors: corrupt: not compressed so, cut, or with something behind its end; exhausted:
/// it would be larger than `max_size`; internal: there is no memory.
Status decompress(std::string_view payload, Compression compression, std::uint64_t max_size,
                  std::string& out);

/// As one member of gzip or zlib or one frame of zstd: several behind each other are what their texts are.
/// The same bytes always become the same. Errors: exhausted (no memory), internal.
Result<std::string> compress(std::string_view bytes, Compression compression);

inline constexpr const char* kMaxDecompressed = "payload.max-decompressed-size";
/// Of options as the user has written them.
inline constexpr ByteSize kLargestDecompressed{1U << 30};

/// Appends an error where a payload may become larger than that, or nothing at all.
void check_decompressed_size(ByteSize most, std::vector<OptionError>& errors);

/// Of a table whose connector has the option; the default where it does not say.
ByteSize max_decompressed_of(const OptionMap& table);

/// Why `decompress` did not, for whoever reads dead letters: with the option that is the bound.
std::string why_not(const Error& error);

/// Where decompressed payloads lie that columns point into, many in one piece of memory.
class PayloadHeap {
 public:
  /// A copy of `bytes`, with the padding that decoders want. It is there until the next call, and as long as
  /// what the columns hold now.
  std::string_view keep(std::string_view bytes, std::span<ColumnBuilder* const> columns);

 private:
  std::shared_ptr<StringHeap> heap_ = std::make_shared<StringHeap>();
};

/// `decoder` behind the decompression. A payload that cannot be decompressed is a bad record.
std::unique_ptr<Decoder> decompressing(std::unique_ptr<Decoder> decoder, const CompressionOptions& options);

/// The rows of a connector's table, for options that have `field`.
template <class Options>
Option<Options> compression_row(Compression Options::*field) {
  return choice(
      "payload.compression", field,
      {{"none", Compression::kNone},
       {"gzip", Compression::kGzip},
       {"zstd", Compression::kZstd},
       {"auto", Compression::kAuto}},
      Necessity::kOptional,
      "How payloads are compressed. One that does not begin as such a payload does is taken as it is.");
}
template <class Options>
Option<Options> decompressed_size_row(ByteSize Options::*field) {
  return option(kMaxDecompressed, field, Necessity::kOptional,
                "A payload that would become larger is a dead letter.");
}

}  // namespace leat::formats
