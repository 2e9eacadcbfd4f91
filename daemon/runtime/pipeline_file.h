// Which files of a folder are pipelines, and what a file holds: for the daemon that loads them, and for verbs
// that look at them without it.
#pragma once

#include <string>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::runtime {

/// The pipelines' files of a folder, in name order: each regular file, or link to one, named *.sql; also a
/// link to what is away at the moment (an unmounted stick): its pipeline is not over, its text cannot be
/// read. Not hidden ones: editors leave such beside what they write. Errors: io.
Result<std::vector<std::string>> pipeline_files(const std::string& folder);

/// All of it. Errors: io, with path and reason.
Result<std::string> read_file(const std::string& path);

}  // namespace leat::runtime
