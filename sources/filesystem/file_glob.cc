#include "sources/filesystem/file_glob.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <span>
#include <system_error>

namespace leat::sources {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kAnyFolders = "**";

bool matches(const std::string& part, const std::string& name) {
  if (is_hidden_name(name) && part[0] != name[0]) return false;
  return ::fnmatch(part.c_str(), name.c_str(), 0) == 0;
}

/// Goes down the folders of one pattern. What vanishes meanwhile is not there.
class Walk {
 public:
  Status below(const fs::path& folder, std::span<const std::string> parts) {
    if (parts.empty()) {
      found_.insert(folder.string());
      return {};
    }
    if (parts[0] == kAnyFolders) return any_folders(folder, parts);
    if (has_wildcards(parts[0])) return each_match(folder, parts);
    const fs::path next = folder / parts[0];
    std::error_code gone;
    return fs::exists(next, gone) ? below(next, parts.subspan(1)) : Status();
  }

  [[nodiscard]] std::vector<std::string> found() const { return {found_.begin(), found_.end()}; }

 private:
  Status any_folders(const fs::path& folder, std::span<const std::string> parts) {
    // At the end it stands for the folder, whose files are all below it.
    LEAT_TRY(below(folder, parts.subspan(1)));
    if (parts.size() == 1) return {};
    return each_entry(folder, [&](const fs::directory_entry& entry) -> Status {
      std::error_code gone;
      const bool enters =
          !is_hidden_name(entry.path().filename().string()) && fs::is_directory(entry.symlink_status(gone));
      return enters ? below(entry.path(), parts) : Status();
    });
  }

  Status each_match(const fs::path& folder, std::span<const std::string> parts) {
    return each_entry(folder, [&](const fs::directory_entry& entry) -> Status {
      const bool fits = matches(parts[0], entry.path().filename().string());
      return fits ? below(entry.path(), parts.subspan(1)) : Status();
    });
  }

  template <class Visit>
  Status each_entry(const fs::path& folder, const Visit& visit) {
    std::error_code error;
    fs::directory_iterator entry(folder, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) LEAT_TRY(visit(*entry));
    const bool no_folder =
        error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
    if (error && !no_folder) return fail(ErrorCode::kIo, folder.string() + ": " + error.message());
    return {};
  }

  std::set<std::string> found_;
};

}  // namespace

bool is_hidden_name(std::string_view name) {
  return name.starts_with('.') || name.starts_with('_');
}

bool has_wildcards(std::string_view path) {
  return path.find_first_of("*?[") != std::string_view::npos;
}

Result<std::vector<std::string>> expand_glob(const std::string& pattern) {
  std::vector<std::string> parts;
  for (const fs::path& part : fs::path(pattern).relative_path())
    if (!part.empty()) parts.push_back(part.string());
  Walk walk;
  LEAT_TRY(walk.below(fs::path(pattern).root_path(), parts));
  return walk.found();
}

}  // namespace leat::sources
