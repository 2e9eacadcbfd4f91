#include "sources/filesystem/line_reader.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace leat::sources {
namespace {

tl::unexpected<Error> system_error(const std::string& path, int error) {
  const ErrorCode code = error == ENOENT || error == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo;
  return fail(code, path + ": " + std::generic_category().message(error));
}

}  // namespace

Result<std::unique_ptr<LineReader>> LineReader::open(const std::string& path, std::size_t chunk_bytes,
                                                     const formats::RecordSplitter& splitter) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return system_error(path, errno);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) {
    const int error = errno;
    ::close(descriptor);
    return system_error(path, error);
  }
  ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  return std::unique_ptr<LineReader>(new LineReader(path, descriptor, status.st_ino, chunk_bytes, splitter));
}

LineReader::LineReader(std::string path, int descriptor, std::uint64_t inode, std::size_t chunk_bytes,
                       formats::RecordSplitter splitter)
    : path_(std::move(path)),
      descriptor_(descriptor),
      inode_(inode),
      chunk_bytes_(std::max<std::size_t>(1, chunk_bytes)),
      splitter_(std::move(splitter)) {}

LineReader::~LineReader() {
  ::close(descriptor_);
}

std::uint64_t LineReader::size() const {
  struct stat status {};
  return ::fstat(descriptor_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::int64_t LineReader::mtime() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) return 0;
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000 + status.st_mtim.tv_nsec / 1000;
}

std::uint64_t LineReader::tail(std::uint64_t offset) const {
  std::array<char, 64> bytes{};
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), offset));
  if (length == 0) return 0;
  const ssize_t got = ::pread(descriptor_, bytes.data(), length, static_cast<off_t>(offset - length));
  return got < 0 ? 0 : XXH3_64bits(bytes.data(), static_cast<std::size_t>(got));
}

Result<std::size_t> LineReader::fill() {
  std::size_t filled = 0;
  while (filled < buffer_.size()) {
    const ssize_t got = ::pread(descriptor_, buffer_.data() + filled, buffer_.size() - filled,
                                static_cast<off_t>(offset_ + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path_, errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

std::size_t LineReader::whole_records(std::size_t filled) const {
  if (filled == 0) return 0;
  if (splitter_) return splitter_({buffer_.data(), filled}, formats::Behind::kMore);
  const void* newline = ::memrchr(buffer_.data(), '\n', filled);
  return newline == nullptr
             ? 0
             : static_cast<std::size_t>(static_cast<const char*>(newline) - buffer_.data()) + 1;
}

Result<LineReader::Chunk> LineReader::next(LastLine last_line) {
  buffer_.resize(chunk_bytes_);
  while (true) {
    LEAT_ASSIGN(const std::size_t filled, fill());
    std::size_t length = whole_records(filled);
    if (length == 0 && filled < buffer_.size() && last_line == LastLine::kComplete) length = filled;
    if (length > 0 || filled < buffer_.size()) {
      offset_ += length;
      return Chunk{{buffer_.data(), length}, offset_};
    }
    if (buffer_.size() < kMaxLineBytes) {
      buffer_.resize(std::min(buffer_.size() * 2, kMaxLineBytes));
      continue;
    }
    return cut_line(last_line);
  }
}

Result<LineReader::Chunk> LineReader::cut_line(LastLine last_line) {
  const std::uint64_t begin = offset_;
  kept_.assign(buffer_.data(), kKeptLineBytes);
  while (true) {
    LEAT_ASSIGN(const std::size_t filled, fill());
    const void* newline = ::memchr(buffer_.data(), '\n', filled);
    if (newline != nullptr) {
      offset_ += static_cast<std::size_t>(static_cast<const char*>(newline) - buffer_.data()) + 1;
      return Chunk{kept_, offset_, offset_ - begin - 1};
    }
    offset_ += filled;
    if (filled < buffer_.size()) break;
  }
  // The end came first: a line that is awaited is looked at again from its start.
  if (last_line == LastLine::kComplete) return Chunk{kept_, offset_, offset_ - begin};
  offset_ = begin;
  return Chunk{{}, offset_};
}

}  // namespace leat::sources
