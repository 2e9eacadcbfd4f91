#include "sources/filesystem/file_glob.h"

#include <fnmatch.h>

#include <algorithm>
#include <set>
#include <span>

namespace leat::sources {
namespace {

constexpr std::string_view kAnyFolders = "**";

/// Goes down the folders of one pattern. What vanishes meanwhile is not there.
class Walk {
 public:
  Walk(FileTree& tree, const GlobRules& rules) : tree_(tree), rules_(rules) {}

  Status below(const std::string& folder, std::span<const std::string> parts) {
    if (parts.empty()) {
      found_.insert(folder);
      return {};
    }
    if (parts[0] == kAnyFolders) return any_folders(folder, parts);
    if (has_wildcards(parts[0])) return each_match(folder, parts);
    const std::string next = path_in(folder, parts[0]);
    const auto there = look_if_there(tree_, next);
    if (!there) return rules_.pass_over(next, there.error());
    return *there ? below(next, parts.subspan(1)) : Status();
  }

  [[nodiscard]] std::vector<std::string> found() const { return {found_.begin(), found_.end()}; }

 private:
  Status any_folders(const std::string& folder, std::span<const std::string> parts) {
    // At the end it stands for the folder, whose files are all below it.
    LEAT_TRY(below(folder, parts.subspan(1)));
    if (parts.size() == 1) return {};
    const auto entries = tree_.entries(folder);
    if (!entries) return rules_.pass_over(folder, entries.error());
    for (const FileEntry& entry : *entries)
      if (entry.kind == FileEntry::Kind::kFolder && !rules_.is_hidden(entry))
        LEAT_TRY(below(path_in(folder, entry.name), parts));
    return {};
  }

  Status each_match(const std::string& folder, std::span<const std::string> parts) {
    const auto entries = tree_.entries(folder);
    if (!entries) return rules_.pass_over(folder, entries.error());
    for (const FileEntry& entry : *entries)
      if (matches(parts[0], entry)) LEAT_TRY(below(path_in(folder, entry.name), parts.subspan(1)));
    return {};
  }

  [[nodiscard]] bool matches(const std::string& part, const FileEntry& entry) const {
    if (part[0] != entry.name[0] && rules_.is_hidden(entry)) return false;
    return ::fnmatch(part.c_str(), entry.name.c_str(), 0) == 0;
  }

  FileTree& tree_;          // The caller's, during the walk.
  const GlobRules& rules_;  // Likewise.
  std::set<std::string> found_;
};

}  // namespace

bool has_wildcards(std::string_view path) {
  return path.find_first_of("*?[") != std::string_view::npos;
}

Result<std::optional<FileEntry>> look_if_there(FileTree& tree, const std::string& path) {
  auto there = tree.look(path);
  if (!there && there.error().code == ErrorCode::kIo) return std::nullopt;
  return there;
}

std::string path_in(const std::string& folder, std::string_view name) {
  std::string path = folder;
  if (!path.ends_with('/')) path += '/';
  return path.append(name);
}

Result<std::vector<std::string>> expand_glob(FileTree& tree, const std::string& pattern,
                                             const GlobRules& rules) {
  std::vector<std::string> parts;
  std::string_view rest = std::string_view(pattern).substr(std::min(pattern.size(), tree.root().size()));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    if (end > 0) parts.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  Walk walk(tree, rules);
  LEAT_TRY(walk.below(tree.root(), parts));
  return walk.found();
}

}  // namespace leat::sources
