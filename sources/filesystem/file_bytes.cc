#include "sources/filesystem/file_bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "sources/filesystem/compressed_bytes.h"

namespace leat::sources {
namespace {

tl::unexpected<Error> system_error(const std::string& path, int error) {
  const ErrorCode code = error == ENOENT || error == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo;
  return fail(code, path + ": " + std::generic_category().message(error));
}

class PlainBytes final : public FileBytes {
 public:
  PlainBytes(std::string path, int descriptor, std::uint64_t inode)
      : FileBytes(std::move(path), descriptor, inode) {}

  Result<Got> read(std::span<char> out) override {
    LEAT_ASSIGN(const std::size_t bytes, take(out));
    return Got{bytes, bytes < out.size() ? Got::Then::kEnd : Got::Then::kMore};
  }
  Result<std::uint64_t> seek(std::uint64_t offset) override {
    const std::uint64_t reached = std::min(offset, size());
    take_from(reached);
    return reached;
  }
};

std::string_view suffix_of(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

/// Those of Flink that are not read here: a file of theirs must not pass for text.
bool is_unknown_compression(std::string_view suffix) {
  constexpr std::array<std::string_view, 4> kUnread{"bz2", "xz", "deflate", "lz4"};
  return std::ranges::find(kUnread, suffix) != kUnread.end();
}

}  // namespace

bool is_compressed(const std::string& path, FileCompression compression) {
  if (compression != FileCompression::kByName) return compression != FileCompression::kNone;
  const std::string_view suffix = suffix_of(path);
  return suffix == "gz" || suffix == "gzip" || suffix == "zst" || suffix == "zstd" ||
         is_unknown_compression(suffix);
}

Result<std::unique_ptr<FileBytes>> FileBytes::open(const std::string& path, FileCompression compression) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return system_error(path, errno);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) {
    const int error = errno;
    ::close(descriptor);
    return system_error(path, error);
  }
  ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  if (!is_compressed(path, compression)) return std::make_unique<PlainBytes>(path, descriptor, status.st_ino);
  const std::string_view suffix = suffix_of(path);
  Expander::Kind kind = compression == FileCompression::kZstd || suffix.starts_with("zst")
                            ? Expander::Kind::kZstd
                            : Expander::Kind::kGzip;
  if (compression == FileCompression::kGzip) kind = Expander::Kind::kGzip;
  if (compression == FileCompression::kByName && is_unknown_compression(suffix))
    kind = Expander::Kind::kUnknown;
  return std::make_unique<CompressedBytes>(path, descriptor, status.st_ino, kind);
}

FileBytes::~FileBytes() {
  ::close(descriptor_);
}

std::uint64_t FileBytes::size() const {
  struct stat status {};
  return ::fstat(descriptor_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::int64_t FileBytes::mtime() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) return 0;
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000 + status.st_mtim.tv_nsec / 1000;
}

Result<std::size_t> FileBytes::take(std::span<char> out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    const ssize_t got =
        ::pread(descriptor_, out.data() + filled, out.size() - filled, static_cast<off_t>(taken_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path_, errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
    taken_ += static_cast<std::uint64_t>(got);
  }
  return filled;
}

}  // namespace leat::sources
