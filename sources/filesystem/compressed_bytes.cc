#include "sources/filesystem/compressed_bytes.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace leat::sources {
namespace {

constexpr std::size_t kInput = 64U << 10;
constexpr int kLargestWindowLog = 27;
static_assert(std::uint64_t{1} << kLargestWindowLog == kLargestWindow);

class Gunzip final : public Expander {
 public:
  Gunzip() { ready_ = inflateInit2(&stream_, kGzipOnly) == Z_OK; }
  ~Gunzip() override {
    if (ready_) inflateEnd(&stream_);
  }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  Step run(std::string_view& in, std::span<char>& out) override {
    if (!ready_) return Step::kDamaged;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(out.size(), kInput * 16));
    const std::size_t room = stream_.avail_out;
    const int code = inflate(&stream_, Z_NO_FLUSH);
    in.remove_prefix(in.size() - stream_.avail_in);
    out = out.subspan(room - stream_.avail_out);
    if (code == Z_STREAM_END) return Step::kEnded;
    return code == Z_OK || code == Z_BUF_ERROR ? Step::kGoesOn : Step::kDamaged;
  }
  void reset() override { ready_ = ready_ && inflateReset(&stream_) == Z_OK; }
  [[nodiscard]] std::string why() const override {
    if (!ready_) return "no memory to decompress";
    return fmt::format("not gzip: {}", stream_.msg != nullptr ? stream_.msg : "it is damaged");
  }
  [[nodiscard]] std::string_view name() const override { return "gzip"; }

 private:
  static constexpr int kGzipOnly = 15 + 16;
  z_stream stream_{};
  bool ready_ = false;
};

class Unzstd final : public Expander {
 public:
  Unzstd() : context_(ZSTD_createDCtx(), ZSTD_freeDCtx) {
    if (context_) ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kLargestWindowLog);
  }

  Step run(std::string_view& in, std::span<char>& out) override {
    if (!context_) return Step::kDamaged;
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    left_ = ZSTD_decompressStream(context_.get(), &to, &from);
    in.remove_prefix(from.pos);
    out = out.subspan(to.pos);
    if (ZSTD_isError(left_) != 0) return Step::kDamaged;
    return left_ == 0 ? Step::kEnded : Step::kGoesOn;
  }
  void reset() override {
    if (context_) ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only);
  }
  [[nodiscard]] std::string why() const override {
    return context_ ? fmt::format("not zstd: {}", ZSTD_getErrorName(left_)) : "no memory to decompress";
  }
  [[nodiscard]] std::string_view name() const override { return "zstd"; }

 private:
  std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context_;
  std::size_t left_ = 0;
};

class Unread final : public Expander {
 public:
  Step run(std::string_view&, std::span<char>&) override { return Step::kDamaged; }
  void reset() override {}
  [[nodiscard]] std::string why() const override {
    return "compressed in a way that is not read; gzip and zstd are";
  }
  [[nodiscard]] std::string_view name() const override { return "read"; }
};

}  // namespace

std::unique_ptr<Expander> Expander::make(Kind kind) {
  if (kind == Kind::kGzip) return std::make_unique<Gunzip>();
  if (kind == Kind::kZstd) return std::make_unique<Unzstd>();
  return std::make_unique<Unread>();
}

CompressedBytes::CompressedBytes(std::unique_ptr<RawFile> file, Expander::Kind kind)
    : FileBytes(std::move(file)),
      expander_(Expander::make(kind)),
      may_be_padded_(kind == Expander::Kind::kGzip) {}

Result<bool> CompressedBytes::refill() {
  if (!input_.empty()) return true;
  buffer_.resize(kInput);
  LEAT_ASSIGN(const std::size_t bytes, take(buffer_));
  input_ = {buffer_.data(), bytes};
  return bytes > 0;
}

void CompressedBytes::skip_padding() {
  if (!may_be_padded_ || within_ || !behind_) return;
  input_.remove_prefix(std::min(input_.find_first_not_of('\0'), input_.size()));
}

FileBytes::Got CompressedBytes::stopped(std::size_t bytes, Got::Then then) {
  offset_ += bytes;
  if (then == Got::Then::kEnd) return {bytes, then};
  damaged_ = then == Got::Then::kDamaged;
  const std::string why =
      damaged_ ? expander_->why() : fmt::format("not {}: it ends too early", expander_->name());
  trouble_ = fmt::format("{} (at byte {} of the file)", why, taken() - input_.size());
  return {bytes, then};
}

Result<FileBytes::Got> CompressedBytes::read(std::span<char> out) {
  std::span<char> room = out;
  const auto filled = [&] { return out.size() - room.size(); };
  if (damaged_) return Got{0, Got::Then::kDamaged};
  while (!room.empty()) {
    LEAT_ASSIGN(const bool more, refill());
    skip_padding();
    if (more && input_.empty()) continue;
    // Behind its last input, a stream may have output that there was no room for.
    const std::size_t before = room.size();
    if (!more && !within_) return stopped(filled(), Got::Then::kEnd);
    const Expander::Step step = expander_->run(input_, room);
    within_ = step == Expander::Step::kGoesOn;
    if (step == Expander::Step::kDamaged) return stopped(filled(), Got::Then::kDamaged);
    if (step == Expander::Step::kEnded) {
      expander_->reset();
      behind_ = true;
    }
    if (within_ && !more && room.size() == before) return stopped(filled(), Got::Then::kTorn);
  }
  offset_ += out.size();
  return Got{out.size(), Got::Then::kMore};
}

void CompressedBytes::rewind() {
  expander_->reset();
  take_from(0);
  input_ = {};
  offset_ = 0;
  within_ = behind_ = damaged_ = false;
}

Result<std::uint64_t> CompressedBytes::seek(std::uint64_t offset) {
  if (offset < offset_) rewind();
  std::array<char, 16U << 10> passed;
  while (offset_ < offset) {
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(passed.size(), offset - offset_));
    LEAT_ASSIGN(const Got got, read({passed.data(), step}));
    if (got.then != Got::Then::kMore) break;
  }
  return offset_;
}

}  // namespace leat::sources
