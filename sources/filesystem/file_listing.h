// Which files a path names: itself, all files below it that are not hidden, or what matches its wildcards.
#pragma once

#include <string>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::sources {

struct FileSelection {
  std::string path;   ///< Absolute. One that is there as it is written has no wildcards; see file_glob.h.
  std::string regex;  ///< 'source.path.regex-pattern': must match the whole path; empty: all files.
};

/// Sorted. Files and folders whose names begin with '.' or '_' are somebody's unfinished work and are left
/// out, as in Flink. Errors: not found (also: nothing matches the wildcards), io.
Result<std::vector<std::string>> list_files(const FileSelection& selection);

}  // namespace leat::sources
