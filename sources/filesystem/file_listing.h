// Which files a path names: itself, all files below it that are not hidden, or what matches its wildcards.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "pipelines/base/result.h"
#include "sources/filesystem/file_tree.h"

namespace leat::sources {

struct FileSelection {
  std::string path;   ///< Begins with its tree's root. One that is there as it is written has no wildcards.
  std::string regex;  ///< 'source.path.regex-pattern': must match the whole path; empty: all files.
};

/// By path.
using FoundFiles = std::map<std::string, FileFacts, std::less<>>;

/// One look. Files and folders whose names begin with '.' or '_' are somebody's unfinished work and are left
/// out, as in Flink; so are files that vanish meanwhile. Errors: not found (also: nothing matches the
/// wildcards), the tree's.
Result<FoundFiles> find_files(FileTree& tree, const FileSelection& selection);

}  // namespace leat::sources
