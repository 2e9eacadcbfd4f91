// The bytes of one file in order: those that are in it, or those that it holds compressed. Compressed ones
// are a stream: what is asked for behind is read past, what is asked for before is read anew. Memory is a
// buffer and what the compression needs, whatever the file becomes: 32 KiB for gzip, for zstd the window that
// the file was written with, up to kLargestWindow.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "pipelines/base/result.h"
#include "sources/filesystem/file_tree.h"

namespace leat::sources {

enum class FileCompression : std::uint8_t {
  kByName,  ///< .gz and .gzip, .zst and .zstd; all other files are taken as they are.
  kNone,
  kGzip,  ///< RFC 1952, any number of members.
  kZstd,  ///< RFC 8878, any number of frames.
};

/// What zstd's own tool takes without being told to, in bytes.
inline constexpr std::uint64_t kLargestWindow = 128U << 20;

/// Whether a file's bytes, rather than what they become, count as its content. `path` decides for kByName.
bool is_compressed(const std::string& path, FileCompression compression);

class FileBytes {
 public:
  struct Got {
    std::size_t bytes = 0;
    enum class Then : std::uint8_t {
      kMore,     ///< The room is filled.
      kEnd,      ///< There is no more, for now.
      kTorn,     ///< The file ends within what is compressed.
      kDamaged,  ///< What follows is not compressed as it should be.
    } then = Then::kMore;
  };

  /// The tree outlives the file. Errors: the tree's, internal (no memory).
  static Result<std::unique_ptr<FileBytes>> open(FileTree& tree, const std::string& path,
                                                 FileCompression compression);
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;
  virtual ~FileBytes() = default;

  /// The next bytes. Errors: the tree's.
  virtual Result<Got> read(std::span<char> out) = 0;
  /// The next byte is the one at `offset`, or there are not so many: the answer is where it is. Errors: the
  /// tree's.
  virtual Result<std::uint64_t> seek(std::uint64_t offset) = 0;
  /// Behind kTorn and kDamaged: why, and where in the file, as in "not gzip: invalid block type (at byte
  /// 512)".
  [[nodiscard]] virtual std::string trouble() const { return {}; }
  /// How far the file itself is read.
  [[nodiscard]] std::uint64_t taken() const { return taken_; }

  [[nodiscard]] std::uint64_t inode() const { return inode_; }
  /// As the file is now, or was when it was last refreshed.
  [[nodiscard]] FileFacts facts() const { return file_->facts(); }
  /// At the beginning of a look at it. Errors: the tree's.
  Status refresh() { return file_->refresh(); }

 protected:
  explicit FileBytes(std::unique_ptr<RawFile> file) : file_(std::move(file)), inode_(file_->facts().id) {}
  /// From where the file itself is read; moves on. Fewer bytes than there is room for: its end.
  Result<std::size_t> take(std::span<char> out);
  void take_from(std::uint64_t offset) { taken_ = offset; }

 private:
  const std::unique_ptr<RawFile> file_;
  const std::uint64_t inode_;
  std::uint64_t taken_ = 0;
};

}  // namespace leat::sources
