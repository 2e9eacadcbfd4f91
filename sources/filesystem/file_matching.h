// Which of the files under a path are those that a following source knows, by whatever name. A log that is
// rotated keeps its inode under another name, and a new file takes the old name.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sources/filesystem/file_listing.h"
#include "sources/filesystem/file_position.h"

namespace leat::sources {

struct FileMatches {
  std::map<std::string, std::string> moved;  ///< New paths, and the old ones that their files are known by.
  std::vector<std::string> left;             ///< Known paths whose files are nowhere any more.
};

FileMatches match_files(const FilePlaces& known, const FoundFiles& found);

}  // namespace leat::sources
