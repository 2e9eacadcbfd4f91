#include "sources/filesystem/file_glob.h"

#include <fnmatch.h>

#include <algorithm>
#include <set>
#include <span>

namespace leat::sources {
namespace {

constexpr std::string_view kAnyFolders = "**";

bool matches(const std::string& part, const std::string& name) {
  if (is_hidden_name(name) && part[0] != name[0]) return false;
  return ::fnmatch(part.c_str(), name.c_str(), 0) == 0;
}

/// Goes down the folders of one pattern. What vanishes meanwhile is not there.
class Walk {
 public:
  explicit Walk(FileTree& tree) : tree_(tree) {}

  Status below(const std::string& folder, std::span<const std::string> parts) {
    if (parts.empty()) {
      found_.insert(folder);
      return {};
    }
    if (parts[0] == kAnyFolders) return any_folders(folder, parts);
    if (has_wildcards(parts[0])) return each_match(folder, parts);
    const std::string next = path_in(folder, parts[0]);
    LEAT_ASSIGN(const auto there, look_if_allowed(tree_, next));
    return there ? below(next, parts.subspan(1)) : Status();
  }

  [[nodiscard]] std::vector<std::string> found() const { return {found_.begin(), found_.end()}; }

 private:
  Status any_folders(const std::string& folder, std::span<const std::string> parts) {
    // At the end it stands for the folder, whose files are all below it.
    LEAT_TRY(below(folder, parts.subspan(1)));
    if (parts.size() == 1) return {};
    LEAT_ASSIGN(const std::vector<FileEntry> entries, tree_.entries(folder));
    for (const FileEntry& entry : entries)
      if (!is_hidden_name(entry.name) && entry.kind == FileEntry::Kind::kFolder)
        LEAT_TRY(below(path_in(folder, entry.name), parts));
    return {};
  }

  Status each_match(const std::string& folder, std::span<const std::string> parts) {
    LEAT_ASSIGN(const std::vector<FileEntry> entries, tree_.entries(folder));
    for (const FileEntry& entry : entries)
      if (matches(parts[0], entry.name)) LEAT_TRY(below(path_in(folder, entry.name), parts.subspan(1)));
    return {};
  }

  FileTree& tree_;  // The caller's, during the walk.
  std::set<std::string> found_;
};

}  // namespace

bool is_hidden_name(std::string_view name) {
  return name.starts_with('.') || name.starts_with('_');
}

bool has_wildcards(std::string_view path) {
  return path.find_first_of("*?[") != std::string_view::npos;
}

Result<std::optional<FileEntry>> look_if_allowed(FileTree& tree, const std::string& path) {
  auto there = tree.look(path);
  if (!there && there.error().code == ErrorCode::kIo) return std::nullopt;
  return there;
}

std::string path_in(const std::string& folder, std::string_view name) {
  std::string path = folder;
  if (!path.ends_with('/')) path += '/';
  return path.append(name);
}

Result<std::vector<std::string>> expand_glob(FileTree& tree, const std::string& pattern) {
  std::vector<std::string> parts;
  std::string_view rest = std::string_view(pattern).substr(std::min(pattern.size(), tree.root().size()));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    if (end > 0) parts.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  Walk walk(tree);
  LEAT_TRY(walk.below(tree.root(), parts));
  return walk.found();
}

}  // namespace leat::sources
