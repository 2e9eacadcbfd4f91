// How far a file source has come, and what each of its messages says about that.
//
// Grammar (varint, string as in pipelines/base/bytes.h):
//   position   := 0x02 (version), varint count, (string path, place)*      sorted by path
//     place    := varint offset, varint inode, fixed64 tail        version 0x01 has no tail
//   attributes := string path, place, varint size, varint mtime, varint overlong, varint count, change*,
//                 string damage           not in those of the first versions
//     place      behind the message;  size, mtime (microseconds)  of the file when it was read
//     overlong   the length of the one line that the message is the beginning of; 0: it holds whole lines
//     damage     why nothing of the file is read behind the message; empty: it is
//     change   := string path, (0x00 | 0x01, place)    what has become of other paths since the message
//                 before: gone, or the name of a known file now
// A bounded source goes through its files by name, so its position is the last file alone. A source that
// follows keeps an offset for each file that is there.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "pipelines/base/result.h"
#include "sources/source.h"

namespace leat::sources {

enum class FileReading : std::uint8_t { kBounded, kFollowing };

/// The offset behind a file of which the rest cannot be read.
inline constexpr std::uint64_t kNoFurther = UINT64_MAX;

struct FilePlace {
  std::uint64_t offset = 0;  ///< Of a compressed file: in what it becomes.
  /// Another one under the same path is another file. The device is not kept: its number may be another one
  /// after each boot.
  std::uint64_t inode = 0;
  /// LineReader::tail at the offset: another one is another file, or a rewritten one. 0: not known.
  std::uint64_t tail = 0;
};
using FilePlaces = std::map<std::string, FilePlace, std::less<>>;

std::string encode_position(const FilePlaces& places);
/// Empty bytes are the beginning. Errors: invalid (not ours).
Result<FilePlaces> decode_position(std::string_view bytes);

/// What has become of paths: a place, or gone.
using PlaceChanges = std::map<std::string, std::optional<FilePlace>, std::less<>>;

struct FileChunk {
  std::string_view path;
  FilePlace place;
  std::uint64_t size = 0;
  std::int64_t mtime = 0;
  std::uint64_t overlong = 0;
  std::string_view damage = {};
  PlaceChanges changes = {};
};

/// Writes over `out`. `changes` are written in place of the chunk's own.
void encode_chunk(const FileChunk& chunk, const PlaceChanges& changes, std::string& out);
FileChunk decode_chunk(std::string_view attributes);

class FileTracker final : public PositionTracker {
 public:
  FileTracker(FileReading reading, FilePlaces places) : reading_(reading), places_(std::move(places)) {}
  void consumed(const Message& message) override;
  [[nodiscard]] std::string encode() const override { return encode_position(places_); }

 private:
  const FileReading reading_;
  FilePlaces places_;
};

}  // namespace leat::sources
