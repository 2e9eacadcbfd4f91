// Reads one file as chunks of whole records, from an offset on: lines, or what the format's splitter says.
// Offsets count the bytes that a compressed file becomes. Memory is one chunk; a record that is longer makes
// the chunk grow, up to a bound.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"
#include "pipelines/formats/format.h"
#include "sources/filesystem/file_bytes.h"

namespace leat::sources {

/// A line beyond this is taken for damage: only its beginning is handed on.
inline constexpr std::size_t kMaxLineBytes = 16U << 20;
inline constexpr std::size_t kKeptLineBytes = 64U << 10;

class LineReader {
 public:
  struct Chunk {
    /// Whole lines, or the beginning of one that is too long, or what there is of one that the file's damage
    /// has cut; empty: there is nothing more now. Valid until the next call.
    std::string_view bytes;
    std::uint64_t end = 0;       ///< Offset behind them; where there is damage: before them.
    std::uint64_t overlong = 0;  ///< The length of the line that is too long; 0: these are whole lines.
    /// Not empty: why nothing of the file can be read from here on.
    std::string damage = {};
  };
  enum class LastLine : std::uint8_t {
    kComplete,  ///< The end of the file ends its last line, and what is compressed must be whole.
    kAwaited,   ///< A line without a newline is still being written.
    kIfWhole,   ///< The end of what is compressed ends the last line, where it is whole; else as kAwaited.
  };

  /// The tree outlives the reader. Errors of all calls: the tree's.
  static Result<std::unique_ptr<LineReader>> open(FileTree& tree, const std::string& path,
                                                  FileCompression compression, std::size_t chunk_bytes,
                                                  const formats::RecordSplitter& splitter);

  /// To `offset`, if the bytes before it have the hash `tail` (0: whichever they are); else to the beginning,
  /// as it is another file, or a rewritten one.
  Status seek(std::uint64_t offset, std::uint64_t tail);
  Result<Chunk> next(LastLine last_line);
  /// The first record, whatever it is, as `next` would give it alone; the next chunk begins behind it.
  /// `first` tells how long it is. Nothing: it is not whole yet. It is kept as the file's header.
  Result<std::optional<Chunk>> first_record(const formats::RecordSplitter& first, LastLine last_line);
  /// Keeps the header of a file that is gone on with, unless it is kept already. `seek` comes behind it.
  Status find_header(const formats::RecordSplitter& first);
  /// Empty: none has been found.
  [[nodiscard]] std::string_view header() const { return header_; }
  /// Whether the last chunk, which was empty, has left a line that ends where what is compressed is whole.
  [[nodiscard]] bool left_last_line() const { return left_last_line_; }
  /// A reader that is kept for later needs no buffer until then.
  void free_buffer();

  /// A hash of the last bytes before the end of the last chunk, by which a rewritten file is known; 0: there
  /// are none.
  [[nodiscard]] std::uint64_t tail() const;

  /// Where the next chunk begins.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  [[nodiscard]] const FileBytes& file() const { return *file_; }

 private:
  LineReader(std::unique_ptr<FileBytes> file, std::size_t chunk_bytes, formats::RecordSplitter splitter);
  /// Length of the whole records that the buffer begins with.
  [[nodiscard]] std::size_t whole_records(const formats::RecordSplitter& splitter) const;
  /// Fills the buffer behind what is left in it.
  Status fill();
  Result<Chunk> next(const formats::RecordSplitter& splitter, LastLine last_line);
  /// The next `length` bytes of the buffer.
  Chunk take(std::size_t length);
  Chunk take_damaged();
  /// Goes behind the end of a line longer than allowed; its beginning is a chunk, empty if the end is
  /// awaited.
  Result<Chunk> cut_line(LastLine last_line);
  /// Whether the end of the bytes, for now, ends a line.
  [[nodiscard]] bool ends_line(LastLine last_line) const;

  const std::unique_ptr<FileBytes> file_;
  const std::size_t chunk_bytes_;
  const formats::RecordSplitter splitter_;  // Null: lines.
  std::vector<char> buffer_;
  std::size_t begin_ = 0;   // Of what is read and not given out, in the buffer.
  std::size_t filled_ = 0;  // Its end.
  FileBytes::Got::Then then_ = FileBytes::Got::Then::kMore;  // What comes behind it.
  bool left_last_line_ = false;
  std::string header_;
  std::string kept_;          // The beginning of a line that is too long.
  std::string before_;        // The last bytes before `offset_`.
  std::uint64_t offset_ = 0;  // Of the next line.
};

}  // namespace leat::sources
