#include "sources/filesystem/file_listing.h"

#include <re2/re2.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace leat::sources {
namespace {

namespace fs = std::filesystem;

bool is_hidden(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with('.') || name.starts_with('_');
}

tl::unexpected<Error> listing_error(const std::string& path, const std::error_code& error) {
  return fail(ErrorCode::kIo, path + ": " + error.message());
}

Result<std::vector<std::string>> list_folder(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code gone;  // A file that vanishes meanwhile is no file.
    if (is_hidden(entry->path()))
      entry.disable_recursion_pending();
    else if (entry->is_regular_file(gone))
      files.push_back(entry->path().string());
  }
  if (error) return listing_error(folder, error);
  return files;
}

}  // namespace

Result<std::vector<std::string>> list_files(const FileSelection& selection) {
  std::error_code error;
  const fs::file_status status = fs::status(selection.path, error);
  if (status.type() == fs::file_type::not_found)
    return fail(ErrorCode::kNotFound, selection.path + ": no such file or folder");
  if (error) return listing_error(selection.path, error);
  if (!fs::is_directory(status)) return std::vector<std::string>{selection.path};
  LEAT_ASSIGN(std::vector<std::string> files, list_folder(selection.path));
  if (!selection.regex.empty()) {
    const RE2 pattern(selection.regex, RE2::Quiet);
    std::erase_if(files, [&](const std::string& file) { return !RE2::FullMatch(file, pattern); });
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace leat::sources
