#include "sources/filesystem/file_matching.h"

#include <sys/stat.h>

namespace leat::sources {

Result<FoundFiles> find_files(const FileSelection& selection) {
  LEAT_ASSIGN(const std::vector<std::string> paths, list_files(selection));
  FoundFiles found;
  for (const std::string& path : paths) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) found.emplace(path, status.st_ino);
  }
  return found;
}

FileMatches match_files(const FilePlaces& known, const FoundFiles& found) {
  std::map<std::uint64_t, std::string> strangers;
  for (const auto& [path, inode] : found) {
    const auto place = known.find(path);
    if (place == known.end() || place->second.inode != inode) strangers.emplace(inode, path);
  }
  FileMatches matches;
  for (const auto& [path, place] : known) {
    const auto same = found.find(path);
    if (same != found.end() && same->second == place.inode) continue;
    if (const auto stranger = strangers.find(place.inode); stranger != strangers.end()) {
      matches.moved.emplace(stranger->second, path);
      strangers.erase(stranger);
    } else {
      matches.left.push_back(path);
    }
  }
  return matches;
}

}  // namespace leat::sources
