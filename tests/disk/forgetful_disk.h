// A disk that forgets what was not synced. It is told the calls that were made on a folder's files, and gives
// the files as a power cut after the last of them may leave them:
//   - of each sector (512 bytes, written whole or not at all) some version since the file's last sync, each
//     sector for itself: so writes are lost, reordered, and pages torn;
//   - some length that the file had since then; what is inside it and was never written is zeros;
//   - of the names, a beginning of what was created, renamed and removed since the folder's last sync: file
//     systems keep the order of these. A file's own sync does not make its name last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/disk/disk_calls.h"

namespace leat::test {

/// By path.
using DiskImage = std::map<std::string, std::string>;

class ForgetfulDisk {
 public:
  void apply(const DiskCall& call);

  enum class Keeps : std::uint8_t {
    kSynced,      ///< Nothing that was not synced.
    kEverything,  ///< As after the end of a process.
    kSome,        ///< By chance.
  };
  [[nodiscard]] DiskImage cut(Keeps keeps, std::uint64_t seed) const;

 private:
  struct Change {
    bool resize = false;
    std::uint64_t offset = 0;  ///< Of a resize: the new length.
    std::string bytes;
  };
  struct File {
    std::string synced;
    std::vector<Change> pending;
  };
  using Names = std::map<std::string, std::size_t>;  ///< To an index of files_.

  static void change_names(const DiskCall& call, std::size_t file, Names& names);
  static void change_file(const Change& change, std::string& content);
  [[nodiscard]] static std::string cut_file(const File& file, std::mt19937_64& chance);

  std::vector<File> files_;
  Names names_;         ///< As a process sees them.
  Names synced_names_;  ///< As of the folder's last sync.
  std::vector<std::pair<DiskCall, std::size_t>> pending_names_;
};

}  // namespace leat::test
