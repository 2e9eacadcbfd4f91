#include "sinks/filesystem/rolling_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

#include "pipelines/base/fault_point.h"
#include "sources/clients/descriptor.h"

namespace leat::sinks {

namespace {

constexpr mode_t kFileMode = 0644;

using clients::Descriptor;

auto io_error(std::string_view doing, const std::string& path) {
  const ErrorCode code = errno == ENAMETOOLONG ? ErrorCode::kInvalid : ErrorCode::kIo;
  return fail(code, fmt::format("{} {}: {}", doing, path, std::strerror(errno)));
}

Status write_all(int file, std::string_view bytes, std::uint64_t offset, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io_error("writing", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

Status sync_folder(const std::string& folder) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open()) return io_error("opening", folder);
  if (::fsync(opened.number()) != 0) return io_error("syncing", folder);
  return {};
}

/// Cuts an open file; it is never made longer, as zeros are nobody's records.
Status cut(int file, std::uint64_t length, const std::string& path) {
  struct stat found {};
  if (::fstat(file, &found) != 0) return io_error("reading the size of", path);
  const auto size = static_cast<std::uint64_t>(found.st_size);
  if (size < length) return tl::unexpected<Error>(file_is_too_short(path, size, length));
  if (size > length && ::ftruncate(file, static_cast<off_t>(length)) != 0) return io_error("cutting", path);
  return {};
}

/// Errors: not found, io.
Status write_and_sync(const std::string& path, int flags, std::uint64_t length, std::string_view bytes) {
  const Descriptor file(::open(path.c_str(), flags, kFileMode));
  if (!file.is_open() && errno == ENOENT) return fail(ErrorCode::kNotFound, path + " is gone");
  if (!file.is_open()) return io_error("opening", path);
  LEAT_TRY(cut(file.number(), length, path));
  LEAT_TRY(write_all(file.number(), bytes, length, path));
  LEAT_FAULT_STEP("file.written");
  if (::fsync(file.number()) != 0) return io_error("syncing", path);
  LEAT_FAULT_STEP("file.synced");
  return {};
}

Result<bool> exists(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0) return true;
  if (errno == ENOENT) return false;
  return io_error("looking for", path);
}

/// Errors: conflict (the new name is taken), io.
Status rename_new(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  // Some network file systems cannot refuse a taken name by themselves.
  if (errno == EINVAL || errno == ENOSYS) {
    LEAT_ASSIGN(const bool taken, exists(to));
    if (!taken && ::rename(from.c_str(), to.c_str()) == 0) return {};
    if (taken) errno = EEXIST;
  }
  if (errno != EEXIST) return io_error("renaming to", to);
  return tl::unexpected<Error>(name_is_taken(from, to));
}

Status expect_published(const std::string& from, const std::string& to, std::uint64_t length) {
  LEAT_ASSIGN(const bool published, exists(to));
  if (published) return {};
  return tl::unexpected<Error>(file_was_not_published(from, to, length));
}

}  // namespace

Error file_is_too_short(const std::string& path, std::uint64_t size, std::uint64_t length) {
  return {
      ErrorCode::kConflict,
      fmt::format("{} has {} bytes where {} were written and synced; move it away to go on with a new one",
                  path, size, length)};
}

Error name_is_taken(const std::string& from, const std::string& to) {
  return {ErrorCode::kConflict,
          fmt::format("{} exists already; move it away to let {} be published", to, from)};
}

Error file_was_not_published(const std::string& from, const std::string& to, std::uint64_t length) {
  return {ErrorCode::kNotFound,
          fmt::format("{} with {} delivered bytes is gone and was not published as {}; put it back, or, if "
                      "its records are not missed, create an empty file of the second name",
                      from, length, to)};
}

Status refuse_file(const std::string& folder) {
  std::error_code error;
  if (std::filesystem::exists(folder, error) && !std::filesystem::is_directory(folder, error))
    return fail(
        ErrorCode::kConflict,
        fmt::format("{} is a file where a folder is expected; move it away, or set 'path' to a folder",
                    folder));
  return {};
}

namespace {

/// With those above it, each synced into the one above.
Status make_folder(const std::string& folder) {
  std::error_code error;
  if (std::filesystem::is_directory(folder, error)) return {};
  const std::string above = std::filesystem::path(folder).parent_path().string();
  const bool is_below = !above.empty() && above != folder;
  if (is_below) LEAT_TRY(make_folder(above));
  std::filesystem::create_directory(folder, error);
  if (error) {
    errno = error.value();
    return io_error("creating", folder);
  }
  return sync_folder(is_below ? above : ".");
}

}  // namespace

Status ensure_folder(const std::string& folder) {
  LEAT_TRY(refuse_file(folder));
  return make_folder(folder);
}

Status append_at(const std::string& folder, const std::string& name, std::uint64_t length,
                 std::string_view bytes) {
  const int create = length == 0 ? O_CREAT : 0;
  LEAT_TRY(write_and_sync(folder + "/" + name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | create, length, bytes));
  LEAT_TRY(sync_folder(folder));
  LEAT_FAULT_STEP("file.appended");
  return {};
}

Status publish(const std::string& folder, const std::string& hidden, const std::string& final_name,
               std::uint64_t length) {
  const std::string from = folder + "/" + hidden;
  const std::string to = folder + "/" + final_name;
  LEAT_ASSIGN(const bool waiting, exists(from));
  if (!waiting) return expect_published(from, to, length);
  // What lies behind the recorded length belongs to an attempt that was never settled.
  LEAT_TRY(write_and_sync(from, O_WRONLY | O_CLOEXEC | O_NOFOLLOW, length, {}));
  LEAT_FAULT_STEP("file.before-rename");
  LEAT_TRY(rename_new(from, to));
  LEAT_FAULT_STEP("file.renamed");
  return sync_folder(folder);
}

Status touch_file(const std::string& folder, const std::string& name) {
  const std::string path = folder + "/" + name;
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode));
  if (!file.is_open() && errno != EEXIST) return io_error("creating", path);
  return sync_folder(folder);
}

}  // namespace leat::sinks
