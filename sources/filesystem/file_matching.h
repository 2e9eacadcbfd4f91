// Which of the files under a path are those that a following source knows, by whatever name. A log that is
// rotated keeps its inode under another name, and a new file takes the old name.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "pipelines/base/result.h"
#include "sources/filesystem/file_listing.h"
#include "sources/filesystem/file_position.h"

namespace leat::sources {

/// Inodes by path.
using FoundFiles = std::map<std::string, std::uint64_t, std::less<>>;

/// One look. Files that vanish meanwhile are not in it. Errors: not found, io.
Result<FoundFiles> find_files(const FileSelection& selection);

struct FileMatches {
  std::map<std::string, std::string> moved;  ///< New paths, and the old ones that their files are known by.
  std::vector<std::string> left;             ///< Known paths whose files are nowhere any more.
};

FileMatches match_files(const FilePlaces& known, const FoundFiles& found);

}  // namespace leat::sources
