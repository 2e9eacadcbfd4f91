#include "pipelines/exec/match_paths.h"

#include <doctest/doctest.h>

#include <string>

namespace leat::exec {
namespace {

std::string text(const MatchPaths& paths, PathId path, std::uint64_t rows) {
  std::vector<PathRun> runs;
  paths.read(path, rows, runs);
  std::string out;
  for (const PathRun& run : runs) out += std::to_string(run.position) + "x" + std::to_string(run.count) + " ";
  return out;
}

TEST_CASE("a path of one partial match is a run per position") {
  MatchPaths paths;
  PathId path = paths.begin(0);
  for (int i = 0; i < 3; ++i) path = paths.extend(path, 1);
  CHECK(text(paths, path, 4) == "0x1 1x3 ");
}

TEST_CASE("branches share their beginning and grow apart") {
  MatchPaths paths;
  const PathId path = paths.extend(paths.begin(0), 1);
  const PathId branch = paths.branch(path, 2);
  const PathId longer = paths.extend(path, 1);
  CHECK(text(paths, branch, 3) == "0x1 1x1 2x1 ");
  CHECK(text(paths, longer, 3) == "0x1 1x1 1x1 ");
  paths.release(longer);
  CHECK(text(paths, branch, 3) == "0x1 1x1 2x1 ");
}

TEST_CASE("a complete match keeps its rows while the partial match goes on") {
  MatchPaths paths;
  PathId path = paths.begin(0);
  paths.watch(path);
  const PathId complete = path;
  path = paths.extend(path, 0);
  CHECK(text(paths, complete, 1) == "0x1 ");
  CHECK(text(paths, path, 2) == "0x2 ");
  paths.release(path);
  CHECK(text(paths, complete, 1) == "0x1 ");
}

TEST_CASE("runs that nobody holds are used again") {
  MatchPaths paths;
  const std::size_t bytes = [&] {
    paths.release(paths.extend(paths.begin(0), 1));
    return paths.memory_bytes();
  }();
  for (int i = 0; i < 1000; ++i) paths.release(paths.extend(paths.begin(0), 1));
  CHECK(paths.memory_bytes() == bytes);
}

}  // namespace
}  // namespace leat::exec
