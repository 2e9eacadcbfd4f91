// Stands between a test's process and the kernel: every call by which Leat, SQLite or the C++ library changes
// a file below one folder goes by an observer, which may refuse it, and sees it when it is done. The program
// defines the C library's functions of these names itself (disk_calls.cc), so what runs above is what ships,
// SQLite's own file layer included; nothing in Leat knows.
#pragma once

#include <cstdint>
#include <string>

namespace leat::test {

struct DiskCall {
  enum class Kind : std::uint8_t {
    kOpen,       ///< An existing file, or a folder.
    kCreate,     ///< A file that was not there.
    kRead,       ///< `size` bytes at `offset`.
    kWrite,      ///< `bytes` at `offset`.
    kResize,     ///< To `size` bytes: truncated, or allocated with zeros.
    kSync,       ///< What is in the file.
    kSyncNames,  ///< What is in the folder.
    kRename,     ///< To `target`.
    kRemove,
    kMark,  ///< No call: a note of the test's, `size`.
  };
  Kind kind = Kind::kOpen;
  std::string path = {};
  std::uint64_t offset = 0;
  std::string bytes = {};
  std::uint64_t size = 0;
  std::string target = {};
};

class DiskObserver {
 public:
  virtual ~DiskObserver() = default;
  /// An errno makes the call fail with it, undone; 0: it is done. Calls of all threads come one at a time.
  virtual int before(const DiskCall& call) {
    (void)call;
    return 0;
  }
  /// The call has succeeded; of a write, `bytes` are those that were written.
  virtual void after(const DiskCall& call) { (void)call; }
};

/// As long as it lives, the calls on files below `folder` go by `observer`, which outlives it. One at a time.

class WatchDisk {
 public:
  WatchDisk(std::string folder, DiskObserver& observer);
  ~WatchDisk();
  WatchDisk(const WatchDisk&) = delete;
  WatchDisk& operator=(const WatchDisk&) = delete;
};

}  // namespace leat::test
