#include "sources/journal_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "pipelines/base/fault_point.h"

namespace leat::sources {
namespace {

/// A full disk is one that refuses, too: it is asked again until it has room.
tl::unexpected<Error> system_error(const std::string& path, std::string_view what, int error) {
  return fail(ErrorCode::kIo,
              path + ": " + std::string(what) + ": " + std::generic_category().message(error));
}

tl::unexpected<Error> open_error(const std::string& path, int error) {
  auto refused = system_error(path, "open", error);
  if (error == EACCES || error == EPERM)
    refused.value().message +=
        "; it belongs to another user, or its folder does: give it to the one that Leat runs as (chown "
        "leat: " +
        path + "), or move it away and lose what waits in it";
  return refused;
}

class PosixJournalFile final : public JournalFile {
 public:
  PosixJournalFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  PosixJournalFile(const PosixJournalFile&) = delete;
  PosixJournalFile& operator=(const PosixJournalFile&) = delete;
  ~PosixJournalFile() override { ::close(descriptor_); }

  Status write(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return system_error(path_, "write", written < 0 ? errno : EIO);
      bytes.remove_prefix(static_cast<std::size_t>(written));
      offset += static_cast<std::uint64_t>(written);
    }
    return {};
  }

  Status read(std::uint64_t offset, std::span<char> out) const override {
    while (!out.empty()) {
      const ssize_t got = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return system_error(path_, "read", errno);
      if (got == 0) return fail(ErrorCode::kIo, path_ + ": read: the file is shorter than its journal");
      out = out.subspan(static_cast<std::size_t>(got));
      offset += static_cast<std::uint64_t>(got);
    }
    return {};
  }

  Status sync() override {
    if (::fdatasync(descriptor_) != 0) return system_error(path_, "fdatasync", errno);
    return {};
  }

  Status allocate(std::uint64_t size) override {
    if (::ftruncate(descriptor_, 0) != 0) return system_error(path_, "truncate", errno);
    LEAT_FAULT_STEP("journal.truncated");
    if (const int error = ::posix_fallocate(descriptor_, 0, static_cast<off_t>(size)); error != 0) {
      // What was allocated so far goes back: an empty file is begun anew, half a one would look damaged.
      [[maybe_unused]] const int truncated = ::ftruncate(descriptor_, 0);
      return system_error(path_, "preallocating " + std::to_string(size) + " bytes", error);
    }
    if (::fsync(descriptor_) != 0) return system_error(path_, "fsync", errno);
    return {};
  }

  [[nodiscard]] std::uint64_t size() const override {
    struct stat status {};
    return ::fstat(descriptor_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
  }

 private:
  const std::string path_;
  const int descriptor_;
};

/// A new file is only there after a power cut if its folder was synced, too.
Status sync_folder(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return system_error(folder, "open", errno);
  const int error = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // Some file systems cannot sync a folder and say so; they need not.
  if (error != 0 && error != EINVAL) return system_error(folder, "fsync", error);
  return {};
}

}  // namespace

Result<std::unique_ptr<JournalFile>> open_journal_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return open_error(path, errno);
  auto file = std::make_unique<PosixJournalFile>(path, descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return system_error(path, "lock", errno);
    return fail(ErrorCode::kConflict, path + " is in use by another process");
  }
  LEAT_TRY(sync_folder(path));
  return file;
}

}  // namespace leat::sources
