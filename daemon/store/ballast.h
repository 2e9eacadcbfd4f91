// A file that only takes up room, beside the store. Deleting rows needs room, too (the log grows first), so a
// store that has filled its disk could never empty itself: then the ballast's room is given back, and serves
// what makes the store smaller. Commits wait until the ballast is in place again, so that they do not eat it.
//
// Storage thread.
#pragma once

#include <cstdint>
#include <string>

#include "pipelines/base/result.h"

namespace leat::store {

/// A ballast for the file system that `path` is on: the log at its largest (16 MiB; emptying it into the
/// database may take as much again) and some more; on a small file system a sixteenth of it.
std::uint64_t ballast_bytes_for(const std::string& path);

class Ballast {
 public:
  /// `bytes` 0: there is none, and nothing ever fails.
  Ballast(std::string path, std::uint64_t bytes);

  [[nodiscard]] bool in_place() const { return in_place_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// Takes the room, if it is not taken. Errors: exhausted (not that much is free), io.
  Status put();
  void release();

 private:
  const std::string path_;
  const std::uint64_t bytes_;
  bool in_place_;
};

}  // namespace leat::store
