// Which files of a folder are pipelines: for the daemon that loads it, and for `leat check`.
#pragma once

#include <filesystem>

namespace leat::runtime {

/// A regular file, or a link to one, named *.sql; also a link to what is away at the moment (an unmounted
/// stick): its pipeline is not over, its text cannot be read. Not a hidden one: editors leave such beside
/// what they write.
inline bool is_pipeline_file(const std::filesystem::directory_entry& entry) {
  std::error_code error;
  return entry.path().extension() == ".sql" && !entry.path().filename().string().starts_with('.') &&
         (entry.is_regular_file(error) || (entry.is_symlink(error) && !entry.exists(error)));
}

}  // namespace leat::runtime
