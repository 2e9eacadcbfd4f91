// Paths with wildcards, as a shell expands them: `*`, `?` and `[…]` stand for characters of one name, a part
// `**` for any number of folders, and `\` takes the meaning from the next character. Names that begin with
// '.' or '_' are only matched by a part of the pattern that begins so, too.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"
#include "sources/filesystem/file_tree.h"

namespace leat::sources {

/// What is left out unless it is named: somebody's unfinished work.
bool is_hidden_name(std::string_view name);

bool has_wildcards(std::string_view path);

/// "/plant" and "a.csv": "/plant/a.csv".
std::string path_in(const std::string& folder, std::string_view name);

/// What this machine does not let us see, or what leads nowhere, is not there: of many that a pattern names,
/// one must not hold up the others.
Result<std::optional<FileEntry>> look_if_allowed(FileTree& tree, const std::string& path);

/// The files and folders that match, sorted; none is no error. Folders that `**` stands for are not entered
/// over symbolic links. `pattern` begins with the tree's root. Errors: the tree's.
Result<std::vector<std::string>> expand_glob(FileTree& tree, const std::string& pattern);

}  // namespace leat::sources
