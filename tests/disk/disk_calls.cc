#include "tests/disk/disk_calls.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <string_view>
#include <utility>

namespace leat::test {
namespace {

using Kind = DiskCall::Kind;

std::recursive_mutex watch_mutex;  // Recursive: an observer may touch files.
std::atomic<bool> watching = false;
std::string watched_folder;
DiskObserver* watcher = nullptr;

template <class Function>
Function next_function(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

bool is_watched(std::string_view path) {
  return path.starts_with(watched_folder) && !path.ends_with(" (deleted)") && !path.ends_with("-shm");
}

std::string path_of(int descriptor) {
  std::array<char, 4096> target{};
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
  return length > 0 ? std::string(target.data(), static_cast<std::size_t>(length)) : std::string();
}

/// Runs `real` between the observer's two calls. `finish` completes the call from the result.
template <class Real, class Finish>
auto observed(DiskCall call, Real real, Finish finish) -> decltype(real()) {
  if (!watching.load(std::memory_order_acquire)) return real();
  const int kept = errno;
  const std::scoped_lock lock(watch_mutex);
  if (watcher == nullptr || !is_watched(call.path)) {
    errno = kept;
    return real();
  }
  if (const int refused = watcher->before(call); refused != 0) {
    errno = refused;
    return -1;
  }
  const auto result = real();
  if (result < 0) return result;
  finish(call, result);
  watcher->after(call);
  return result;
}

constexpr auto kNothing = [](DiskCall&, auto) {};

DiskCall on_descriptor(Kind kind, int descriptor) {
  if (!watching.load(std::memory_order_acquire)) return {};
  return {.kind = kind, .path = path_of(descriptor)};
}

DiskCall on_path(Kind kind, const char* path) {
  if (!watching.load(std::memory_order_acquire)) return {};
  return {.kind = kind, .path = path};
}

int open_file(const char* path, int flags, mode_t mode) {
  static const auto real = next_function<int (*)(const char*, int, ...)>("open64");
  DiskCall call = on_path(Kind::kOpen, path);
  struct stat found {};
  if ((flags & O_CREAT) != 0 && ::stat(path, &found) != 0) call.kind = Kind::kCreate;
  const int result = observed(
      call, [&] { return real(path, flags, mode); }, kNothing);
  if (result >= 0 && (flags & O_TRUNC) != 0 && call.kind == Kind::kOpen) {
    call.kind = Kind::kResize;
    observed(
        call, [] { return 0; }, kNothing);
  }
  return result;
}

ssize_t write_file(int descriptor, const void* data, std::size_t size, off_t offset, bool at_position) {
  static const auto real = next_function<ssize_t (*)(int, const void*, std::size_t, off_t)>("pwrite64");
  static const auto real_write = next_function<ssize_t (*)(int, const void*, std::size_t)>("write");
  const auto write = [&] {
    return at_position ? real(descriptor, data, size, offset) : real_write(descriptor, data, size);
  };
  DiskCall call = on_descriptor(Kind::kWrite, descriptor);
  if (call.path.empty()) return write();
  call.offset = static_cast<std::uint64_t>(at_position ? offset : ::lseek(descriptor, 0, SEEK_CUR));
  call.bytes.assign(static_cast<const char*>(data), size);
  return observed(std::move(call), write, [](DiskCall& done, ssize_t written) {
    done.bytes.resize(static_cast<std::size_t>(written));
  });
}

/// Observed, and not done: no power is cut here, and thousands of syncs take minutes.
int sync_file(int descriptor) {
  DiskCall call = on_descriptor(Kind::kSync, descriptor);
  struct stat found {};
  if (!call.path.empty() && ::fstat(descriptor, &found) == 0 && S_ISDIR(found.st_mode))
    call.kind = Kind::kSyncNames;
  return observed(
      std::move(call), [] { return 0; }, kNothing);
}

}  // namespace

WatchDisk::WatchDisk(std::string folder, DiskObserver& observer) {
  const std::scoped_lock lock(watch_mutex);
  watched_folder = std::move(folder);
  watcher = &observer;
  watching = true;
}

WatchDisk::~WatchDisk() {
  const std::scoped_lock lock(watch_mutex);
  watching = false;
  watcher = nullptr;
}

}  // namespace leat::test

// The C library's functions, as the program and its libraries find them.
extern "C" {

using leat::test::DiskCall;
using leat::test::kNothing;
using leat::test::next_function;
using leat::test::observed;
using leat::test::on_descriptor;
using leat::test::on_path;

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return leat::test::open_file(path, flags, mode);
}

ssize_t write(int descriptor, const void* data, size_t size) {
  return leat::test::write_file(descriptor, data, size, 0, false);
}

ssize_t pwrite64(int descriptor, const void* data, size_t size, off64_t offset) {
  return leat::test::write_file(descriptor, data, size, offset, true);
}

ssize_t pread64(int descriptor, void* data, size_t size, off64_t offset) {
  static const auto real = next_function<ssize_t (*)(int, void*, size_t, off64_t)>("pread64");
  DiskCall call = on_descriptor(DiskCall::Kind::kRead, descriptor);
  call.offset = static_cast<std::uint64_t>(offset);
  call.size = size;
  return observed(
      std::move(call), [&] { return real(descriptor, data, size, offset); }, kNothing);
}

int ftruncate64(int descriptor, off64_t size) noexcept {
  static const auto real = next_function<int (*)(int, off64_t)>("ftruncate64");
  DiskCall call = on_descriptor(DiskCall::Kind::kResize, descriptor);
  call.size = static_cast<std::uint64_t>(size);
  return observed(
      std::move(call), [&] { return real(descriptor, size); }, kNothing);
}

int posix_fallocate64(int descriptor, off64_t offset, off64_t size) {
  static const auto real = next_function<int (*)(int, off64_t, off64_t)>("posix_fallocate64");
  DiskCall call = on_descriptor(DiskCall::Kind::kResize, descriptor);
  call.size = static_cast<std::uint64_t>(offset + size);
  // This one returns its error.
  const int done = observed(
      std::move(call), [&] { return -real(descriptor, offset, size); }, kNothing);
  return done == -1 ? errno : -done;
}

int fsync(int descriptor) {
  return leat::test::sync_file(descriptor);
}

int fdatasync(int descriptor) {
  return leat::test::sync_file(descriptor);
}

int unlink(const char* path) noexcept {
  static const auto real = next_function<int (*)(const char*)>("unlink");
  return observed(
      on_path(DiskCall::Kind::kRemove, path), [&] { return real(path); }, kNothing);
}

int rename(const char* from, const char* to) noexcept {
  static const auto real = next_function<int (*)(const char*, const char*)>("rename");
  DiskCall call = on_path(DiskCall::Kind::kRename, from);
  call.target = to;
  return observed(
      std::move(call), [&] { return real(from, to); }, kNothing);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  static const auto real = next_function<int (*)(int, const char*, int, const char*, unsigned)>("renameat2");
  DiskCall call = on_path(DiskCall::Kind::kRename, from);
  call.target = to;
  return observed(
      std::move(call), [&] { return real(from_folder, from, to_folder, to, flags); }, kNothing);
}

}  // extern "C"
