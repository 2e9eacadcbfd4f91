#include "pipelines/formats/compression.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "pipelines/column/column_builder.h"

namespace leat::formats {
namespace {

constexpr std::size_t kStep = 16 * 1024;
/// Texts of many payloads lie in one piece of memory, until it has so many bytes.
constexpr std::size_t kHeapBytes = 1U << 20;

tl::unexpected<Error> too_large(std::uint64_t max_size) {
  return fail(ErrorCode::kExhausted, fmt::format("decompressed, it has more than {} bytes", max_size));
}

tl::unexpected<Error> broken(const char* name, std::string_view why) {
  return fail(ErrorCode::kCorrupt, fmt::format("not {}: {}", name, why));
}

/// Room for some more bytes of `out`, one beyond the bound at most; its begin.
char* grow(std::string& out, std::uint64_t max_size, std::size_t& room) {
  const std::size_t size = out.size();
  const std::uint64_t left = max_size + 1 - size;
  room = static_cast<std::size_t>(std::min<std::uint64_t>(left, std::max(kStep, size)));
  out.resize(size + room);
  return out.data() + size;
}

class Inflater {
 public:
  Inflater() { ready_ = inflateInit2(&stream_, kGzipOnly) == Z_OK; }
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  Status run(std::string_view payload, std::uint64_t max_size, std::string& out) {
    if (!ready_) return fail(ErrorCode::kInternal, "no memory to decompress");
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(payload.data()));
    stream_.avail_in = static_cast<uInt>(payload.size());
    for (;;) {
      std::size_t room = 0;
      stream_.next_out = reinterpret_cast<Bytef*>(grow(out, max_size, room));
      stream_.avail_out = static_cast<uInt>(room);
      const int code = inflate(&stream_, Z_NO_FLUSH);
      out.erase(out.size() - stream_.avail_out);
      if (out.size() > max_size) return too_large(max_size);
      if (code == Z_STREAM_END) {
        if (stream_.avail_in == 0) return {};
        if (inflateReset(&stream_) != Z_OK) return broken("gzip", "it cannot be read on");  // Another member.
      } else if (code != Z_OK && code != Z_BUF_ERROR) {
        return broken("gzip", stream_.msg != nullptr ? stream_.msg : "it is damaged");
      } else if (stream_.avail_in == 0 && stream_.avail_out > 0) {
        return broken("gzip", "it ends too early");
      }
    }
  }

 private:
  static constexpr int kGzipOnly = 15 + 16;
  z_stream stream_{};
  bool ready_ = false;
};

Status unzstd(std::string_view payload, std::uint64_t max_size, std::string& out) {
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  if (!context) return fail(ErrorCode::kInternal, "no memory to decompress");
  // The window is memory, too: 8 MiB, what the levels up to 19 use.
  constexpr int kLargestWindowLog = 23;
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kLargestWindowLog);
  ZSTD_inBuffer in{payload.data(), payload.size(), 0};
  for (;;) {
    std::size_t room = 0;
    char* const begin = grow(out, max_size, room);
    ZSTD_outBuffer step{begin, room, 0};
    const std::size_t left = ZSTD_decompressStream(context.get(), &step, &in);
    out.erase(out.size() - (room - step.pos));
    if (ZSTD_isError(left)) return broken("zstd", ZSTD_getErrorName(left));
    if (out.size() > max_size) return too_large(max_size);
    if (left == 0 && in.pos == in.size) return {};
    if (in.pos == in.size && step.pos < room) return broken("zstd", "it ends too early");
  }
}

Result<std::string> gzip(std::string_view bytes) {
  constexpr int kGzipWindow = 15 + 16;
  constexpr int kMemoryLevel = 8;
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    return fail(ErrorCode::kExhausted, "gzip: no memory");
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  // zlib's interface is older than const; it does not write to its input.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int outcome = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (outcome != Z_STREAM_END)
    return fail(ErrorCode::kInternal, "gzip: the output was larger than its bound");
  return out;
}

Result<std::string> zstd(std::string_view bytes) {
  const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  if (!context) return fail(ErrorCode::kExhausted, "zstd: no memory");
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size = ZSTD_compress2(context.get(), out.data(), out.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size) != 0)
    return fail(ErrorCode::kExhausted, fmt::format("zstd: {}", ZSTD_getErrorName(size)));
  out.resize(size);
  return out;
}

class DecompressingDecoder final : public Decoder {
 public:
  DecompressingDecoder(std::unique_ptr<Decoder> decoder, const CompressionOptions& options)
      : decoder_(std::move(decoder)), options_(options) {}

  DecodeCount decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                     std::vector<BadRecord>& bad) override {
    refused_ = false;
    const Compression found = compression_of(payload, options_.compression);
    if (found == Compression::kNone) return decoder_->decode(payload, columns, bad);
    const Status done = decompress(payload, found, options_.max_size.bytes, scratch_);
    if (done) return decoder_->decode(kept(columns), columns, bad);
    refused_ = true;
    const bool is_bound = done.error().code == ErrorCode::kExhausted;
    bad.push_back(
        {payload, done.error().message + (is_bound ? ", which 'payload.max-decompressed-size' allows" : "")});
    return {};
  }
  [[nodiscard]] std::span<const RowKind> kinds() const override {
    return refused_ ? std::span<const RowKind>() : decoder_->kinds();
  }

 private:
  /// What is in scratch_, where texts of the columns may point into it, with the padding that decoders want.
  std::string_view kept(std::span<ColumnBuilder* const> columns) {
    if (heap_->bytes() > kHeapBytes) heap_ = std::make_shared<StringHeap>();
    char* const bytes = heap_->allocate(scratch_.size() + kPayloadPadding);
    std::memcpy(bytes, scratch_.data(), scratch_.size());
    std::memset(bytes + scratch_.size(), 0, kPayloadPadding);
    for (ColumnBuilder* const column : columns) column->keep(heap_);
    return {bytes, scratch_.size()};
  }

  const std::unique_ptr<Decoder> decoder_;
  const CompressionOptions options_;
  std::shared_ptr<StringHeap> heap_ = std::make_shared<StringHeap>();
  std::string scratch_;
  bool refused_ = false;  // The last payload never reached the decoder.
};

}  // namespace

Compression compression_of(std::string_view payload, Compression allowed) {
  constexpr std::string_view kGzipMagic = "\x1f\x8b";
  constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";
  const auto allows = [&](Compression one) { return allowed == one || allowed == Compression::kAuto; };
  if (allows(Compression::kGzip) && payload.starts_with(kGzipMagic)) return Compression::kGzip;
  if (allows(Compression::kZstd) && payload.starts_with(kZstdMagic)) return Compression::kZstd;
  return Compression::kNone;
}

Status decompress(std::string_view payload, Compression compression, std::uint64_t max_size,
                  std::string& out) {
  out.clear();
  if (compression == Compression::kZstd) return unzstd(payload, max_size, out);
  if (compression == Compression::kGzip) return Inflater().run(payload, max_size, out);
  out.assign(payload);
  return {};
}

Result<std::string> compress(std::string_view bytes, Compression compression) {
  if (compression == Compression::kGzip) return gzip(bytes);
  if (compression == Compression::kZstd) return zstd(bytes);
  return std::string(bytes);
}

void check_decompressed_size(ByteSize most, std::vector<OptionError>& errors) {
  if (most.bytes > 0 && most.bytes <= kLargestDecompressed.bytes) return;
  errors.push_back({"payload.max-decompressed-size", OptionError::Part::kValue,
                    "option 'payload.max-decompressed-size': expected at most " +
                        format_byte_size(kLargestDecompressed.bytes)});
}

std::unique_ptr<Decoder> decompressing(std::unique_ptr<Decoder> decoder, const CompressionOptions& options) {
  if (options.compression == Compression::kNone) return decoder;
  return std::make_unique<DecompressingDecoder>(std::move(decoder), options);
}

}  // namespace leat::formats
