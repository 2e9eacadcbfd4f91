// The shared buffer of MATCH_RECOGNIZE: which position of the pattern each row of a partial match went to.
// The rows of a match lie next to each other, so a path is only the list of positions; it is kept as runs of
// the same position, and partial matches that have their beginning in common share it: a tree whose leaves
// are the partial matches and whose runs know the run before them (Agrawal et al., "Efficient Pattern
// Matching over Event Streams", 2008, without its versions: with strict contiguity no run has two
// predecessors).
#pragma once

#include <cstdint>
#include <vector>

namespace leat::exec {

/// The last run of a path; counted by reference.
using PathId = std::uint32_t;

/// `count` rows that went to `position`.
struct PathRun {
  std::uint32_t position = 0;
  std::uint64_t count = 0;
};

class MatchPaths {
 public:
  /// A path of one row.
  PathId begin(std::uint32_t position) { return add(kNone, position); }
  /// The path and one more row. `path` itself stays as it is and referenced.
  PathId branch(PathId path, std::uint32_t position) {
    ++runs_[path].references;
    return add(path, position);
  }
  /// The same, for the last user of `path`, whose reference becomes that of the result.
  PathId extend(PathId path, std::uint32_t position);
  /// A further user that sees the path's first rows only, however it grows: a complete match.
  void watch(PathId path) {
    ++runs_[path].references;
    ++runs_[path].watchers;
  }
  void unwatch(PathId path) {
    --runs_[path].watchers;
    release(path);
  }
  void release(PathId path);

  /// The first `rows` rows of the path, in their order.
  void read(PathId path, std::uint64_t rows, std::vector<PathRun>& out) const;
  /// A path of these runs.
  PathId restore(const std::vector<PathRun>& runs);

  [[nodiscard]] std::size_t memory_bytes() const {
    return runs_.capacity() * sizeof(Run) + free_.capacity() * sizeof(PathId);
  }

 private:
  static constexpr PathId kNone = 0xFFFFFFFF;
  struct Run {
    PathId previous = kNone;
    std::uint32_t position = 0;
    std::uint64_t count = 0;
    std::uint32_t references = 0;
    std::uint32_t watchers = 0;  // Of the references; they do not mind when the run grows.
  };

  PathId add(PathId previous, std::uint32_t position);

  std::vector<Run> runs_;
  std::vector<PathId> free_;
};

}  // namespace leat::exec
