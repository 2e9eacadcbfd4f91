#include "daemon/runtime/pipeline_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace leat::runtime {
namespace {

bool is_pipeline_file(const std::filesystem::directory_entry& entry) {
  std::error_code error;
  return entry.path().extension() == ".sql" && !entry.path().filename().string().starts_with('.') &&
         (entry.is_regular_file(error) || (entry.is_symlink(error) && !entry.exists(error)));
}

}  // namespace

Result<std::vector<std::string>> pipeline_files(const std::string& folder) {
  std::error_code failed;
  std::vector<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(folder, failed))
    if (is_pipeline_file(file)) files.push_back(file.path().string());
  if (failed)
    return fail(ErrorCode::kIo,
                fmt::format("the pipeline folder '{}' cannot be read: {}", folder, failed.message()));
  std::ranges::sort(files);
  return files;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::kIo, fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace leat::runtime
