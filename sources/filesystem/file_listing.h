// Which files a path names: itself, all files below it that are not hidden, or what matches its wildcards.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "pipelines/base/result.h"
#include "sources/filesystem/file_tree.h"

namespace leat::sources {

struct FileSelection {
  std::string path;   ///< Begins with its tree's root. One that is there as it is written has no wildcards.
  std::string regex;  ///< 'source.path.regex-pattern': must match the whole path; empty: all files.
  std::vector<std::string> partitions = {};  ///< The columns of PARTITIONED BY.
};

/// By path.
using FoundFiles = std::map<std::string, FileFacts, std::less<>>;

/// What we may not look into, and why.
struct ClosedPath {
  std::string path;
  std::string why;  ///< "/plant/lost+found: Permission denied".
};
using ClosedPaths = std::vector<ClosedPath>;

/// One look. Files and folders whose names begin with '.' or '_' are somebody's unfinished work and are left
/// out, as in Flink, but for the folders of partitions; so are files that vanish meanwhile. Errors: not found
/// (also: nothing matches the wildcards), conflict (the path is neither a file nor a folder), the tree's.
/// What is closed to us is an error, unless it can be told in `closed`: then the rest is found.
Result<FoundFiles> find_files(FileTree& tree, const FileSelection& selection, ClosedPaths* closed = nullptr);

}  // namespace leat::sources
