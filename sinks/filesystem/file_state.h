// Where a sink's files stand: what is committed with each shipment's settlement.
//
// Grammar of the sink's state:
//   state := 0x06 (version), varint count, file*                                    sorted by folder
//   file  := string folder, varint number, varint length, zigzag opened, zigzag written, string store,
//            string form, string mark, string root, string stem, string success
// An empty root or stem is that of the file before, as most files have the same.
// Version 0x05 has no success. Version 0x04 has no root and no stem, either: they are the present ones.
// Version 0x03 has no mark. Versions
// 0x01 and 0x02 are one file: varint number, varint length, zigzag opened, zigzag written and, in 0x02,
// string store; its folder is empty, its form the present one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::sinks {

struct FileState {
  std::string folder = {};  ///< Below the sink's: "day=2026-11-29"; empty: the sink's own.
  std::uint64_t number = 0;
  std::uint64_t length = 0;  ///< In bytes; 0: not begun.
  std::int64_t opened = 0;   ///< When its first record was written, in microseconds.
  std::int64_t written = 0;  ///< The last one.
  std::string store = {};    ///< The id of the store that opened it; empty: not begun, or of version 1.
  /// What its name ends in (".json.gz"), and behind a line end what it begins with: one that is open goes on
  /// only as it was begun. Empty: not begun, or of an earlier version.
  std::string form = {};
  std::string mark = {};  ///< What its hidden name has in it, of FileStore::fresh_mark.
  std::string root = {};  ///< The sink's folder, as a 'path' that means the same everywhere. Empty as `form`,
  std::string stem = {};  ///< as is what its name begins with: "gateway~pipeline~table".
  /// The name of the empty file that tells of it when it is published, as it was wanted when it was begun.
  std::string success = {};
};

/// At most one per folder, sorted by folder.
using FileStates = std::vector<FileState>;

/// A file that is not begun is kept only for its number: in the sink's own folder they go on.
std::string encode_files(const FileStates& files);
/// Empty: the state before the first shipment. Errors: corrupt.
Result<FileStates> decode_files(std::string_view bytes);

/// The one in `folder`; it is put in if there is none.
FileState& file_in(FileStates& files, std::string_view folder);

}  // namespace leat::sinks
