// Where a source's files are: on this machine, or in a cluster. Paths are whole: "/plant/a.csv",
// "webhdfs://namenode:9870/plant/a.csv".
//
// Threads: calls from one thread at a time; `interrupt` from any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::sources {

struct FileFacts {
  std::uint64_t id = 0;    ///< The file's own, whatever it is called: its inode.
  std::uint64_t size = 0;  ///< In bytes.
  std::int64_t mtime = 0;  ///< Microseconds.
  bool operator==(const FileFacts&) const = default;
};

struct FileEntry {
  enum class Kind : std::uint8_t {
    kFile,
    kFolder,
    kLinkedFolder,  ///< A symbolic link to a folder: not entered on the way down.
    kOther,         ///< A pipe, a terminal, a device: it cannot be read again from a place.
  };
  std::string name;
  Kind kind = Kind::kOther;
  std::optional<FileFacts> facts;  ///< Where they cost nothing.
};

/// One open file. It stays the same file when it is renamed.
class RawFile {
 public:
  virtual ~RawFile() = default;
  /// Fewer bytes than there is room for: the file's end. Errors: not found (it was removed before it was
  /// read, where that takes the bytes away), io, and the tree's.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) = 0;
  /// As it is now, or was when it was last refreshed.
  [[nodiscard]] virtual FileFacts facts() const = 0;
  /// At the beginning of a look at it. Errors: the tree's; that it is gone is none.
  virtual Status refresh() { return {}; }
};

/// Errors of all calls: not found (where nothing else is said of it), io, invalid (we may not, or a human
/// must mend something else); of a cluster also unavailable and cancelled (`interrupt`).
class FileTree {
 public:
  virtual ~FileTree() = default;
  /// What the first part of each path is: "/".
  [[nodiscard]] virtual const std::string& root() const = 0;
  /// What is there, with its facts where it is a file. Nothing: there is nothing of that name.
  virtual Result<std::optional<FileEntry>> look(const std::string& path) = 0;
  /// What is in a folder; nothing is in one that is gone, or is none.
  virtual Result<std::vector<FileEntry>> entries(const std::string& folder) = 0;
  /// Waits for nobody. Errors: conflict (it is no file).
  virtual Result<std::unique_ptr<RawFile>> open(const std::string& path) = 0;
  /// Ends a call that waits for somebody, and every later one, with cancelled.
  virtual void interrupt() {}
};

/// What is said of something that is neither a file nor a folder.
Error no_file(const std::string& path);

/// Those of this machine. Calls are short.
std::unique_ptr<FileTree> local_files();

}  // namespace leat::sources
