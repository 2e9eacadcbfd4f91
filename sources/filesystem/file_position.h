// How far a file source has come, and what each of its messages says about that.
//
// Grammar (varint, string as in pipelines/base/bytes.h):
//   position   := 0x01 (version), varint count, file*      sorted by path
//     file     := string path, varint offset, varint inode
//   attributes := string path, varint end, varint inode, varint size, varint mtime, varint count, (string
//   gone)*
//     end      offset behind the message;  size, mtime (microseconds)  of the file when it was read
//     gone     paths that have disappeared since the message before
// A bounded source goes through its files by name, so its position is the last file alone. A source that
// follows keeps an offset for each file that is there.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"
#include "sources/source.h"

namespace leat::sources {

enum class FileReading : std::uint8_t { kBounded, kFollowing };

struct FilePlace {
  std::uint64_t offset = 0;
  std::uint64_t inode = 0;  ///< Another one under the same path is another file: it is read from its start.
};
using FilePlaces = std::map<std::string, FilePlace, std::less<>>;

std::string encode_position(const FilePlaces& places);
/// Empty bytes are the beginning. Errors: invalid (not ours).
Result<FilePlaces> decode_position(std::string_view bytes);

struct FileChunk {
  std::string_view path;
  std::uint64_t end = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime = 0;
  std::vector<std::string_view> gone;
};

/// Writes over `out`.
void encode_chunk(const FileChunk& chunk, const std::vector<std::string>& gone, std::string& out);
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
