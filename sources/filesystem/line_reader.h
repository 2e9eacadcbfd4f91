// Reads one file as chunks of whole records, from an offset on: lines, or what the format's splitter says.
// Memory is one chunk; a record that is longer makes the chunk grow, up to a bound.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"
#include "pipelines/formats/format.h"

namespace leat::sources {

/// A line beyond this is taken for damage: only its beginning is handed on.
inline constexpr std::size_t kMaxLineBytes = 16U << 20;
inline constexpr std::size_t kKeptLineBytes = 64U << 10;

class LineReader {
 public:
  struct Chunk {
    /// Whole lines, or the beginning of one that is too long; empty: there is nothing more now. Valid until
    /// the next call.
    std::string_view bytes;
    std::uint64_t end = 0;       ///< Offset behind them.
    std::uint64_t overlong = 0;  ///< The length of the line that is too long; 0: these are whole lines.
  };
  enum class LastLine : std::uint8_t {
    kComplete,  ///< The end of the file ends its last line.
    kAwaited,   ///< A line without a newline is still being written.
  };

  /// Errors: not found, io.
  static Result<std::unique_ptr<LineReader>> open(const std::string& path, std::size_t chunk_bytes,
                                                  const formats::RecordSplitter& splitter);
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;
  ~LineReader();

  void seek(std::uint64_t offset) { offset_ = offset; }
  Result<Chunk> next(LastLine last_line);
  /// A reader that is kept for later needs no buffer until then.
  void free_buffer() { buffer_ = {}; }

  /// A hash of the last bytes before `offset`, by which a rewritten file is known; 0: there are none.
  [[nodiscard]] std::uint64_t tail(std::uint64_t offset) const;

  [[nodiscard]] std::uint64_t inode() const { return inode_; }
  /// As it is now.
  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] std::int64_t mtime() const;  ///< Microseconds.

 private:
  LineReader(std::string path, int descriptor, std::uint64_t inode, std::size_t chunk_bytes,
             formats::RecordSplitter splitter);
  /// Length of the whole records that the buffer begins with, of which `filled` bytes are read.
  [[nodiscard]] std::size_t whole_records(std::size_t filled) const;
  /// Fills the buffer from `offset_`; the answer is the bytes read, fewer than the buffer at the end.
  Result<std::size_t> fill();
  /// Goes behind the end of a line longer than allowed; its beginning is a chunk, empty if the end is
  /// awaited.
  Result<Chunk> cut_line(LastLine last_line);

  const std::string path_;
  const int descriptor_;
  const std::uint64_t inode_;
  const std::size_t chunk_bytes_;
  const formats::RecordSplitter splitter_;  // Null: lines.
  std::vector<char> buffer_;
  std::string kept_;          // The beginning of a line that is too long.
  std::uint64_t offset_ = 0;  // Of the next line.
};

}  // namespace leat::sources
