#include "sources/filesystem/file_listing.h"

#include <re2/re2.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "sources/filesystem/file_glob.h"

namespace leat::sources {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> listing_error(const std::string& path, const std::error_code& error) {
  return fail(ErrorCode::kIo, path + ": " + error.message());
}

Result<std::vector<std::string>> list_folder(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code gone;  // A file that vanishes meanwhile is no file.
    if (is_hidden_name(entry->path().filename().string()))
      entry.disable_recursion_pending();
    else if (entry->is_regular_file(gone))
      files.push_back(entry->path().string());
  }
  if (error) return listing_error(folder, error);
  return files;
}

/// A folder is all that is below it. Errors: not found, io.
Result<std::vector<std::string>> list_matches(const std::string& pattern) {
  LEAT_ASSIGN(const std::vector<std::string> matches, expand_glob(pattern));
  if (matches.empty()) return fail(ErrorCode::kNotFound, pattern + ": nothing has such a name");
  std::vector<std::string> files;
  for (const std::string& match : matches) {
    std::error_code gone;
    const fs::file_status status = fs::status(match, gone);
    if (fs::is_regular_file(status)) files.push_back(match);
    if (!fs::is_directory(status)) continue;
    LEAT_ASSIGN(const std::vector<std::string> below, list_folder(match));
    files.insert(files.end(), below.begin(), below.end());
  }
  return files;
}

void choose(std::vector<std::string>& files, const std::string& regex) {
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  if (regex.empty()) return;
  const RE2 pattern(regex, RE2::Quiet);
  std::erase_if(files, [&](const std::string& file) { return !RE2::FullMatch(file, pattern); });
}

}  // namespace

Result<std::vector<std::string>> list_files(const FileSelection& selection) {
  std::error_code error;
  const fs::file_status status = fs::status(selection.path, error);
  const bool missing = status.type() == fs::file_type::not_found;
  if (missing && !has_wildcards(selection.path))
    return fail(ErrorCode::kNotFound, selection.path + ": no such file or folder");
  if (error && !missing) return listing_error(selection.path, error);
  if (!missing && !fs::is_directory(status)) return std::vector<std::string>{selection.path};
  LEAT_ASSIGN(std::vector<std::string> files,
              missing ? list_matches(selection.path) : list_folder(selection.path));
  choose(files, selection.regex);
  return files;
}

}  // namespace leat::sources
