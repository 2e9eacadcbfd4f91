// Whether files have changed since they were read: keys and certificates are renewed while a daemon runs.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace leat::clients {

/// Numbers that differ once one of the files is another one, or was written. A path that is empty, or where
/// nothing is, has its own.
inline std::vector<std::int64_t> file_stamps(std::initializer_list<std::string> paths) {
  std::vector<std::int64_t> found;
  for (const std::string& path : paths) {
    struct stat status {};
    const bool there = ::stat(path.c_str(), &status) == 0;
    found.push_back(there ? std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec
                          : -1);
    found.push_back(static_cast<std::int64_t>(status.st_ino));
  }
  return found;
}

}  // namespace leat::clients
