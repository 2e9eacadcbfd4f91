#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "pipelines/column/charset.h"
#include "sources/clients/descriptor.h"
#include "sources/filesystem/file_tree.h"

namespace leat::sources {
namespace {

namespace fs = std::filesystem;

ErrorCode code_of(int error) {
  if (error == ENOENT || error == ENOTDIR) return ErrorCode::kNotFound;
  return error == EACCES || error == EPERM ? ErrorCode::kInvalid : ErrorCode::kIo;
}

tl::unexpected<Error> system_error(const std::string& path, int error) {
  return fail(code_of(error), make_valid_utf8(path) + ": " + std::generic_category().message(error));
}

FileFacts facts_of(const struct stat& status) {
  return {.id = status.st_ino,
          .size = static_cast<std::uint64_t>(status.st_size),
          .mtime = std::int64_t{status.st_mtim.tv_sec} * 1'000'000 + status.st_mtim.tv_nsec / 1000};
}

class LocalFile final : public RawFile {
 public:
  LocalFile(std::string path, clients::Descriptor descriptor)
      : path_(std::move(path)), descriptor_(std::move(descriptor)) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) override {
    std::size_t filled = 0;
    while (filled < out.size()) {
      const ssize_t got = ::pread(descriptor_.number(), out.data() + filled, out.size() - filled,
                                  static_cast<off_t>(offset + filled));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return system_error(path_, errno);
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    return filled;
  }
  [[nodiscard]] FileFacts facts() const override {
    struct stat status {};
    return ::fstat(descriptor_.number(), &status) == 0 ? facts_of(status) : FileFacts{};
  }

 private:
  const std::string path_;
  const clients::Descriptor descriptor_;
};

FileEntry::Kind kind_of(const fs::directory_entry& entry) {
  std::error_code gone;  // What vanishes meanwhile is nothing.
  if (entry.is_regular_file(gone)) return FileEntry::Kind::kFile;
  if (!entry.is_directory(gone)) return FileEntry::Kind::kOther;
  return entry.is_symlink(gone) ? FileEntry::Kind::kLinkedFolder : FileEntry::Kind::kFolder;
}

class LocalFiles final : public FileTree {
 public:
  [[nodiscard]] const std::string& root() const override { return root_; }

  Result<std::optional<FileEntry>> look(const std::string& path) override {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
      return system_error(path, errno);
    }
    FileEntry entry{path.substr(path.rfind('/') + 1), FileEntry::Kind::kOther, std::nullopt};
    if (S_ISDIR(status.st_mode)) {
      entry.kind = FileEntry::Kind::kFolder;
      return entry;
    }
    if (!S_ISREG(status.st_mode)) return entry;
    entry.kind = FileEntry::Kind::kFile;
    entry.facts = facts_of(status);
    return entry;
  }

  Result<std::vector<FileEntry>> entries(const std::string& folder) override {
    std::vector<FileEntry> all;
    std::error_code error;
    fs::directory_iterator entry(folder, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error))
      all.push_back({entry->path().filename().string(), kind_of(*entry), std::nullopt});
    if (error && code_of(error.value()) != ErrorCode::kNotFound) return system_error(folder, error.value());
    return all;
  }

  Result<std::unique_ptr<RawFile>> open(const std::string& path) override {
    // A pipe would otherwise wait for whoever writes to it.
    clients::Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!descriptor.is_open()) return system_error(path, errno);
    struct stat status {};
    if (::fstat(descriptor.number(), &status) != 0) return system_error(path, errno);
    if (!S_ISREG(status.st_mode)) return tl::unexpected<Error>(no_file(path));
    ::posix_fadvise(descriptor.number(), 0, 0, POSIX_FADV_SEQUENTIAL);
    return std::make_unique<LocalFile>(path, std::move(descriptor));
  }

 private:
  const std::string root_ = "/";
};

}  // namespace

Error no_file(const std::string& path) {
  return {ErrorCode::kConflict,
          make_valid_utf8(path) +
              " is a pipe, a terminal or a device, which cannot be read again from where a run has stopped; "
              "write it to a file, and name that"};
}

std::unique_ptr<FileTree> local_files() {
  return std::make_unique<LocalFiles>();
}

}  // namespace leat::sources
