// Records what a workload does to its folder, and gives every state in which a power cut may leave it: after
// each call, with nothing, everything and several random parts of what was not synced. LEAT_TEST_LONG=1 in
// the environment: more random parts.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/disk/disk_calls.h"
#include "tests/disk/forgetful_disk.h"
#include "tests/support/temporary_folder.h"

namespace leat::test {

class Tape final : public DiskObserver {
 public:
  void after(const DiskCall& call) override {
    const bool changes = call.kind != DiskCall::Kind::kRead && call.kind != DiskCall::Kind::kOpen;
    // The ballast is only room, made anew when it is not there.
    if (changes && !call.path.ends_with(".ballast")) add(call);
  }
  /// Between two calls of the workload: what came before `mark` was answered.
  void mark(std::uint64_t number) { add({.kind = DiskCall::Kind::kMark, .size = number}); }

  /// As if the workload had left out its syncs: what a test must find wrong.
  void forget_syncs() {
    std::erase_if(calls, [](const DiskCall& call) { return call.kind == DiskCall::Kind::kSync; });
  }

  std::vector<DiskCall> calls;  // Read when the workload is over.

 private:
  void add(DiskCall call) {
    const std::scoped_lock lock(mutex_);
    calls.push_back(std::move(call));
  }
  std::mutex mutex_;  // The workload marks while threads of the journal or the store write.
};

struct Cut {
  std::size_t call = 0;  ///< Calls before it.
  std::size_t mark = 0;  ///< The last mark before it.
  std::uint64_t seed = 0;
  std::size_t synced_mark = 0;  ///< The last mark before the last sync of a file.
  std::string folder;           ///< A copy of the workload's folder, as the cut left it.
};

inline void write_image(const DiskImage& image, const std::string& from, const std::string& to) {
  std::filesystem::remove_all(to);
  std::filesystem::create_directory(to);
  for (const auto& [path, content] : image)
    std::ofstream(to + path.substr(from.size()), std::ios::binary) << content;
}

/// Calls `check` for every different state; `folder` is the workload's. Returns how many there were.
inline std::size_t for_each_cut(const Tape& tape, const std::string& folder,
                                const std::function<void(const Cut&)>& check, std::uint64_t seeds = 3) {
  using Keeps = ForgetfulDisk::Keeps;
  if (std::getenv("LEAT_TEST_LONG") != nullptr) seeds *= 10;
  const TemporaryFolder scratch;
  Cut cut{.folder = scratch.file("cut")};
  ForgetfulDisk disk;
  std::set<std::size_t> seen;  // Hashes of states since the last mark.
  const auto look = [&](Keeps keeps, std::uint64_t seed) {
    const DiskImage image = disk.cut(keeps, seed);
    std::string all;
    for (const auto& [path, content] : image) all.append(path).append(1, '\0').append(content);
    if (!seen.insert(std::hash<std::string_view>()(all) + cut.mark).second) return;
    cut.seed = seed;
    write_image(image, folder, cut.folder);
    check(cut);
  };
  for (const DiskCall& call : tape.calls) {
    ++cut.call;
    if (call.kind == DiskCall::Kind::kMark) cut.mark = static_cast<std::size_t>(call.size);
    if (call.kind == DiskCall::Kind::kSync) cut.synced_mark = cut.mark;
    disk.apply(call);
    look(Keeps::kSynced, 0);
    look(Keeps::kEverything, 0);
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) look(Keeps::kSome, seed * 1'000'003 + cut.call);
  }
  return seen.size();
}

}  // namespace leat::test
