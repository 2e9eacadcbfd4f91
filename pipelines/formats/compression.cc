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
/// Of zlib's window; so much more says that gzip's header and checksum are around what it compresses.
constexpr int kWindow = 15;
constexpr int kGzipWindow = kWindow + 16;

tl::unexpected<Error> too_large(std::uint64_t max_size) {
  return fail(ErrorCode::kExhausted, fmt::format("decompressed, it has more than {} bytes", max_size));
}

tl::unexpected<Error> broken(const char* name, std::string_view why) {
  return fail(ErrorCode::kCorrupt, fmt::format("not {}: {}", name, why));
}

/// What is written behind a text, in steps; it grows when its room is used up, not for each step.
class Room {
 public:
  Room(std::string& out, std::uint64_t max_size) : out_(out), max_size_(max_size), used_(out.size()) {}
  ~Room() { out_.resize(used_); }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  /// Where to write on; there is room for a byte at least, and for one beyond the bound at most.
  char* begin() {
    if (used_ == out_.size()) {
      const std::uint64_t left = max_size_ + 1 - used_;
      out_.resize(used_ + static_cast<std::size_t>(std::min<std::uint64_t>(left, std::max(kStep, used_))));
    }
    return out_.data() + used_;
  }
  [[nodiscard]] std::size_t left() const { return out_.size() - used_; }
  void take(std::size_t bytes) { used_ += bytes; }
  [[nodiscard]] bool is_exceeded() const { return used_ > max_size_; }

 private:
  std::string& out_;
  const std::uint64_t max_size_;
  std::size_t used_;
};

/// Of gzip and zlib.
class Inflater {
 public:
  explicit Inflater(Compression compression)
      : name_(compression == Compression::kGzip ? "gzip" : "zlib"),
        has_members_(compression == Compression::kGzip),
        ready_(inflateInit2(&stream_, compression == Compression::kGzip ? kGzipWindow : kWindow) == Z_OK) {}
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  Status run(std::string_view payload, std::uint64_t max_size, std::string& out) {
    if (!ready_) return fail(ErrorCode::kInternal, "no memory to decompress");
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(payload.data()));
    stream_.avail_in = static_cast<uInt>(payload.size());
    for (Room room(out, max_size);;) {
      stream_.next_out = reinterpret_cast<Bytef*>(room.begin());
      stream_.avail_out = static_cast<uInt>(room.left());
      const int code = inflate(&stream_, Z_NO_FLUSH);
      room.take(room.left() - stream_.avail_out);
      if (room.is_exceeded()) return too_large(max_size);
      if (code == Z_STREAM_END) {
        if (stream_.avail_in == 0) return {};
        if (!has_members_) return broken(name_, "bytes follow its end");
        if (inflateReset(&stream_) != Z_OK) return broken(name_, "it cannot be read on");
      } else if (code != Z_OK && code != Z_BUF_ERROR) {
        return broken(name_, stream_.msg != nullptr ? stream_.msg : "it is damaged");
      } else if (stream_.avail_in == 0 && stream_.avail_out > 0) {
        return broken(name_, "it ends too early");
      }
    }
  }

 private:
  z_stream stream_{};
  const char* const name_;
  const bool has_members_;  // RFC 1952 lets them follow each other; RFC 1950 does not.
  const bool ready_;
};

Status unzstd(std::string_view payload, std::uint64_t max_size, std::string& out) {
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  if (!context) return fail(ErrorCode::kInternal, "no memory to decompress");
  // The window is memory, too: 8 MiB, what the levels up to 19 use.
  constexpr int kLargestWindowLog = 23;
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kLargestWindowLog);
  ZSTD_inBuffer in{payload.data(), payload.size(), 0};
  for (Room room(out, max_size);;) {
    char* const begin = room.begin();
    ZSTD_outBuffer step{begin, room.left(), 0};
    const std::size_t left = ZSTD_decompressStream(context.get(), &step, &in);
    room.take(step.pos);
    if (ZSTD_isError(left)) return broken("zstd", ZSTD_getErrorName(left));
    if (room.is_exceeded()) return too_large(max_size);
    if (left == 0 && in.pos == in.size) return {};
    if (in.pos == in.size && step.pos < step.size) return broken("zstd", "it ends too early");
  }
}

/// Of gzip and zlib, as the window says.
Result<std::string> deflated(std::string_view bytes, const char* name, int window) {
  constexpr int kMemoryLevel = 8;
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK)
    return fail(ErrorCode::kExhausted, fmt::format("{}: no memory", name));
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
    return fail(ErrorCode::kInternal, fmt::format("{}: the output was larger than its bound", name));
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
    if (done) return decoder_->decode(heap_.keep(scratch_, columns), columns, bad);
    refused_ = true;
    bad.push_back({payload, why_not(done.error())});
    return {};
  }
  void received_at(std::int64_t intake_time) override { decoder_->received_at(intake_time); }
  [[nodiscard]] std::span<const RowKind> kinds() const override {
    return refused_ ? std::span<const RowKind>() : decoder_->kinds();
  }

 private:
  const std::unique_ptr<Decoder> decoder_;
  const CompressionOptions options_;
  PayloadHeap heap_;
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
  if (compression == Compression::kGzip || compression == Compression::kZlib)
    return Inflater(compression).run(payload, max_size, out);
  out.assign(payload);
  return {};
}

Result<std::string> compress(std::string_view bytes, Compression compression) {
  if (compression == Compression::kGzip) return deflated(bytes, "gzip", kGzipWindow);
  if (compression == Compression::kZlib) return deflated(bytes, "zlib", kWindow);
  if (compression == Compression::kZstd) return zstd(bytes);
  return std::string(bytes);
}

void check_decompressed_size(ByteSize most, std::vector<OptionError>& errors) {
  if (most.bytes > 0 && most.bytes <= kLargestDecompressed.bytes) return;
  errors.push_back({kMaxDecompressed, OptionError::Part::kValue,
                    fmt::format("option '{}': expected at most {}", kMaxDecompressed,
                                format_byte_size(kLargestDecompressed.bytes))});
}

ByteSize max_decompressed_of(const OptionMap& table) {
  const auto written = table.find(kMaxDecompressed);
  ByteSize most;
  if (written == table.end() || !option_text::read(written->second, most))
    return CompressionOptions{}.max_size;
  return most;
}

std::string why_not(const Error& error) {
  if (error.code != ErrorCode::kExhausted) return error.message;
  return fmt::format("{}, which '{}' allows", error.message, kMaxDecompressed);
}

std::string_view PayloadHeap::keep(std::string_view bytes, std::span<ColumnBuilder* const> columns) {
  constexpr std::size_t kMostBytes = 1U << 20;
  if (heap_->bytes() > kMostBytes) heap_ = std::make_shared<StringHeap>();
  char* const kept = heap_->allocate(bytes.size() + kPayloadPadding);
  std::memcpy(kept, bytes.data(), bytes.size());
  std::memset(kept + bytes.size(), 0, kPayloadPadding);
  for (ColumnBuilder* const column : columns) column->keep(heap_);
  return {kept, bytes.size()};
}

std::unique_ptr<Decoder> decompressing(std::unique_ptr<Decoder> decoder, const CompressionOptions& options) {
  if (options.compression == Compression::kNone) return decoder;
  return std::make_unique<DecompressingDecoder>(std::move(decoder), options);
}

}  // namespace leat::formats
