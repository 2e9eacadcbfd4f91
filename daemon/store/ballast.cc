#include "daemon/store/ballast.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace leat::store {
namespace {

bool has_size(const std::string& path, std::uint64_t bytes) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 && static_cast<std::uint64_t>(found.st_size) == bytes;
}

}  // namespace

std::uint64_t ballast_bytes_for(const std::string& path) {
  constexpr std::uint64_t kMost = 20 << 20;
  struct statvfs disk {};
  if (::statvfs(path.c_str(), &disk) != 0) return kMost;
  return std::min<std::uint64_t>(kMost, std::uint64_t{disk.f_blocks} * disk.f_frsize / 16);
}

Ballast::Ballast(std::string path, std::uint64_t bytes)
    : path_(std::move(path)), bytes_(bytes), in_place_(bytes == 0 || has_size(path_, bytes)) {}

Status Ballast::put() {
  if (in_place_) return {};
  const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return fail(ErrorCode::kIo, path_ + ": " + std::strerror(errno));
  const int failed = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes_));
  ::close(fd);
  in_place_ = failed == 0;
  if (in_place_) return {};
  ::unlink(path_.c_str());
  const bool full = failed == ENOSPC || failed == EDQUOT;
  return fail(full ? ErrorCode::kExhausted : ErrorCode::kIo,
              path_ + ": " + std::strerror(failed) + " (" + std::to_string(bytes_ >> 10) +
                  " KiB have to be free; meanwhile only what makes the store smaller is done)");
}

void Ballast::release() {
  if (bytes_ == 0 || !std::exchange(in_place_, false)) return;
  ::unlink(path_.c_str());
}

}  // namespace leat::store
