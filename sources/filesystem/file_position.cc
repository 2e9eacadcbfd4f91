#include "sources/filesystem/file_position.h"

#include "pipelines/base/bytes.h"

namespace leat::sources {
namespace {

constexpr std::uint8_t kVersion = 2;
constexpr std::uint8_t kVersionWithoutTail = 1;

void write_place(ByteWriter& writer, const FilePlace& place) {
  writer.varint(place.offset);
  writer.varint(place.inode);
  writer.fixed64(place.tail);
}

FilePlace read_place(ByteReader& reader, std::uint8_t version) {
  FilePlace place;
  place.offset = reader.varint();
  place.inode = reader.varint();
  if (version == kVersion) place.tail = reader.fixed64();
  return place;
}

}  // namespace

std::string encode_position(const FilePlaces& places) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.u8(kVersion);
  writer.varint(places.size());
  for (const auto& [path, place] : places) {
    writer.string(path);
    write_place(writer, place);
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
    places[path] = read_place(reader, version);
  }
  const bool known = version == kVersion || version == kVersionWithoutTail;
  if (!known || !reader.ok() || !reader.at_end())
    return fail(ErrorCode::kInvalid, "this is no position of a filesystem source");
  return places;
}

void encode_chunk(const FileChunk& chunk, const PlaceChanges& changes, std::string& out) {
  out.clear();
  ByteWriter writer(out);
  writer.string(chunk.path);
  write_place(writer, chunk.place);
  writer.varint(chunk.size);
  writer.varint(static_cast<std::uint64_t>(chunk.mtime));
  writer.varint(chunk.overlong);
  writer.varint(changes.size());
  for (const auto& [path, place] : changes) {
    writer.string(path);
    writer.u8(place ? 1 : 0);
    if (place) write_place(writer, *place);
  }
  writer.string(chunk.damage);
}

FileChunk decode_chunk(std::string_view attributes) {
  ByteReader reader(attributes);
  FileChunk chunk;
  chunk.path = reader.string();
  chunk.place = read_place(reader, kVersion);
  chunk.size = reader.varint();
  chunk.mtime = static_cast<std::int64_t>(reader.varint());
  chunk.overlong = reader.varint();
  const std::uint64_t count = reader.varint();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    std::optional<FilePlace>& change = chunk.changes[std::string(reader.string())];
    if (reader.u8() != 0) change = read_place(reader, kVersion);
  }
  if (!reader.at_end()) chunk.damage = reader.string();
  return chunk;
}

void FileTracker::consumed(const Message& message) {
  const FileChunk chunk = decode_chunk(message.attributes);
  for (const auto& [path, place] : chunk.changes) {
    if (place)
      places_[path] = *place;
    else
      places_.erase(path);
  }
  const auto place = places_.find(chunk.path);
  if (place != places_.end()) {
    place->second = chunk.place;
    return;
  }
  if (reading_ == FileReading::kBounded) places_.clear();
  places_.emplace(chunk.path, chunk.place);
}

}  // namespace leat::sources
