#include "sources/filesystem/file_position.h"

#include "pipelines/base/bytes.h"

namespace leat::sources {
namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

std::string encode_position(const FilePlaces& places) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.u8(kVersion);
  writer.varint(places.size());
  for (const auto& [path, place] : places) {
    writer.string(path);
    writer.varint(place.offset);
    writer.varint(place.inode);
  }
  return bytes;
}

Result<FilePlaces> decode_position(std::string_view bytes) {
  FilePlaces places;
  if (bytes.empty()) return places;
  ByteReader reader(bytes);
  const std::uint8_t version = reader.u8();
  const std::uint64_t count = reader.varint();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    const std::string path(reader.string());
    const std::uint64_t offset = reader.varint();
    places[path] = {offset, reader.varint()};
  }
  if (version != kVersion || !reader.ok() || !reader.at_end())
    return fail(ErrorCode::kInvalid, "this is no position of a filesystem source");
  return places;
}

void encode_chunk(const FileChunk& chunk, const std::vector<std::string>& gone, std::string& out) {
  out.clear();
  ByteWriter writer(out);
  writer.string(chunk.path);
  writer.varint(chunk.end);
  writer.varint(chunk.inode);
  writer.varint(chunk.size);
  writer.varint(static_cast<std::uint64_t>(chunk.mtime));
  writer.varint(gone.size());
  for (const std::string& path : gone) writer.string(path);
}

FileChunk decode_chunk(std::string_view attributes) {
  ByteReader reader(attributes);
  FileChunk chunk;
  chunk.path = reader.string();
  chunk.end = reader.varint();
  chunk.inode = reader.varint();
  chunk.size = reader.varint();
  chunk.mtime = static_cast<std::int64_t>(reader.varint());
  const std::uint64_t count = reader.varint();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) chunk.gone.push_back(reader.string());
  return chunk;
}

void FileTracker::consumed(const Message& message) {
  const FileChunk chunk = decode_chunk(message.attributes);
  for (const std::string_view path : chunk.gone)
    if (const auto found = places_.find(path); found != places_.end()) places_.erase(found);
  const auto place = places_.find(chunk.path);
  if (place != places_.end()) {
    place->second = {chunk.end, chunk.inode};
    return;
  }
  if (reading_ == FileReading::kBounded) places_.clear();
  places_.emplace(chunk.path, FilePlace{chunk.end, chunk.inode});
}

}  // namespace leat::sources
