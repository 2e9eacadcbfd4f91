#include "sources/filesystem/file_matching.h"

#include <cstdint>

namespace leat::sources {

FileMatches match_files(const FilePlaces& known, const FoundFiles& found) {
  std::map<std::uint64_t, std::string> strangers;
  for (const auto& [path, facts] : found) {
    const auto place = known.find(path);
    if (place == known.end() || place->second.inode != facts.id) strangers.emplace(facts.id, path);
  }
  FileMatches matches;
  for (const auto& [path, place] : known) {
    const auto same = found.find(path);
    if (same != found.end() && same->second.id == place.inode) continue;
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
