// Which files a path names: itself, or all files below it that are not hidden, by name.
#pragma once

#include <string>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::sources {

struct FileSelection {
  std::string path;   ///< Absolute.
  std::string regex;  ///< 'source.path.regex-pattern': must match the whole path; empty: all files.
};

/// Sorted. Files and folders whose names begin with '.' or '_' are somebody's unfinished work and are left
/// out, as in Flink. Errors: not found, io.
Result<std::vector<std::string>> list_files(const FileSelection& selection);

}  // namespace leat::sources
