// Paths with wildcards, as a shell expands them: `*`, `?` and `[…]` stand for characters of one name, a part
// `**` for any number of folders, and `\` takes the meaning from the next character. Hidden names are only
// matched by a part of the pattern that begins as they do.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"
#include "sources/filesystem/file_tree.h"

namespace leat::sources {

bool has_wildcards(std::string_view path);

/// "/plant" and "a.csv": "/plant/a.csv".
std::string path_in(const std::string& folder, std::string_view name);

/// What leads nowhere is not there: of many that a pattern names, one must not hold up the others.
Result<std::optional<FileEntry>> look_if_there(FileTree& tree, const std::string& path);

/// How a pattern is expanded.
struct GlobRules {
  /// What is left out unless it is named.
  std::function<bool(const FileEntry&)> is_hidden;
  /// Whether the rest is to be expanded although this cannot be looked into: the error, or none.
  std::function<Status(const std::string& path, const Error&)> pass_over;
};

/// The files and folders that match, sorted; none is no error. Folders that `**` stands for are not entered
/// over symbolic links. `pattern` begins with the tree's root. Errors: the tree's, those of `pass_over`.
Result<std::vector<std::string>> expand_glob(FileTree& tree, const std::string& pattern,
                                             const GlobRules& rules);

}  // namespace leat::sources
