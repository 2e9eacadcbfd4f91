#include "pipelines/exec/match_paths.h"

#include <algorithm>

namespace leat::exec {

PathId MatchPaths::add(PathId previous, std::uint32_t position) {
  PathId id = static_cast<PathId>(runs_.size());
  if (free_.empty()) {
    runs_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  runs_[id] = {.previous = previous, .position = position, .count = 1, .references = 1};
  return id;
}

PathId MatchPaths::extend(PathId path, std::uint32_t position) {
  Run& run = runs_[path];
  if (run.position != position || run.references - run.watchers != 1) return add(path, position);
  ++run.count;
  return path;
}

void MatchPaths::release(PathId path) {
  while (path != kNone && --runs_[path].references == 0) {
    free_.push_back(path);
    path = runs_[path].previous;
  }
}

void MatchPaths::read(PathId path, std::uint64_t rows, std::vector<PathRun>& out) const {
  out.clear();
  for (PathId id = path; id != kNone; id = runs_[id].previous)
    out.push_back({runs_[id].position, runs_[id].count});
  std::ranges::reverse(out);
  std::uint64_t left = rows;
  for (PathRun& run : out) {
    run.count = std::min(run.count, left);
    left -= run.count;
  }
  while (!out.empty() && out.back().count == 0) out.pop_back();
}

PathId MatchPaths::restore(const std::vector<PathRun>& runs) {
  PathId path = kNone;
  for (const PathRun& run : runs) {
    path = add(path, run.position);
    runs_[path].count = run.count;
  }
  return path;
}

}  // namespace leat::exec
