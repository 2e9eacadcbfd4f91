#include "sinks/filesystem/file_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "pipelines/base/bytes.h"

namespace leat::sinks {
namespace {

constexpr std::uint8_t kVersion = 6;
constexpr std::uint8_t kWithoutSuccess = 5;
constexpr std::uint8_t kWithoutRoot = 4;
constexpr std::uint8_t kWithoutMark = 3;
constexpr std::uint8_t kOneFile = 2;
constexpr std::uint8_t kWithoutStore = 1;

/// `before`: the one that was written last.
void write_file(ByteWriter& writer, const FileState& file, const FileState& before) {
  writer.string(file.folder);
  writer.varint(file.number);
  writer.varint(file.length);
  writer.zigzag(file.opened);
  writer.zigzag(file.written);
  writer.string(file.store);
  writer.string(file.form);
  writer.string(file.mark);
  writer.string(file.root == before.root ? "" : file.root);
  writer.string(file.stem == before.stem ? "" : file.stem);
  writer.string(file.success);
}

FileState read_file(ByteReader& reader, std::uint8_t version, const FileState& before) {
  FileState file;
  const bool has_folders = version > kOneFile;
  if (has_folders) file.folder = reader.string();
  file.number = reader.varint();
  file.length = reader.varint();
  file.opened = reader.zigzag();
  file.written = reader.zigzag();
  if (version > kWithoutStore) file.store = reader.string();
  if (has_folders) file.form = reader.string();
  if (version > kWithoutMark) file.mark = reader.string();
  if (version <= kWithoutRoot) return file;
  file.root = reader.string();
  file.stem = reader.string();
  if (file.root.empty()) file.root = before.root;
  if (file.stem.empty()) file.stem = before.stem;
  if (version > kWithoutSuccess) file.success = reader.string();
  return file;
}

bool is_kept(const FileState& file) {
  return file.length > 0 || (file.folder.empty() && file.number > 0);
}

}  // namespace

std::string encode_files(const FileStates& files) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.u8(kVersion);
  writer.varint(static_cast<std::uint64_t>(std::ranges::count_if(files, is_kept)));
  const FileState none;
  const FileState* before = &none;
  for (const FileState& file : files) {
    if (!is_kept(file)) continue;
    write_file(writer, file, *before);
    before = &file;
  }
  return bytes;
}

Result<FileStates> decode_files(std::string_view bytes) {
  FileStates files;
  if (bytes.empty()) return files;
  ByteReader reader(bytes);
  const std::uint8_t version = reader.u8();
  const std::uint64_t count = version >= kWithoutMark ? reader.varint() : 1;
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i)
    files.push_back(read_file(reader, version, files.empty() ? FileState() : files.back()));
  const bool known = version >= kWithoutStore && version <= kVersion;
  if (!known || !reader.ok() || !reader.at_end())
    return fail(ErrorCode::kCorrupt,
                fmt::format("state of a filesystem sink: {} bytes of version {}", bytes.size(), version));
  return files;
}

FileState& file_in(FileStates& files, std::string_view folder) {
  const auto place = std::ranges::lower_bound(files, folder, {}, &FileState::folder);
  if (place != files.end() && place->folder == folder) return *place;
  return *files.insert(place, FileState{.folder = std::string(folder)});
}

}  // namespace leat::sinks
