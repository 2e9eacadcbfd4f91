// The Idempotency-Keys of requests that were taken, so that a repeat is answered and not taken again. What is
// remembered is bounded in number; the oldest are forgotten.
//
// Two halves. `AcceptedKeys` is what requests are judged by: everything that is in the journal. `KeyLog` is
// what a commit keeps of it: the keys of committed messages, as the journal forgets those. After a restart
// both are put together again from the commit and the journal.
//
// Grammar of the log, entries beside the position (pipelines/base/bytes.h); a ring of slots:
//   key   := slot, four bytes, high first: number modulo the bound
//   value := varint number, counted from 1, fixed64 low, fixed64 high
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::sources {

/// A key as 128 bits of XXH3: among a million keys two are alike with a chance of 10^-26.
struct KeyHash {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const KeyHash&) const = default;
};
KeyHash hash_of_key(std::string_view key);

/// One thread at a time.
class AcceptedKeys {
 public:
  explicit AcceptedKeys(std::size_t most) : most_(most) {}
  [[nodiscard]] bool contains(const KeyHash& key) const { return known_.contains(key); }
  void add(const KeyHash& key);

 private:
  struct Hasher {
    std::size_t operator()(const KeyHash& key) const { return static_cast<std::size_t>(key.low); }
  };
  const std::size_t most_;
  std::unordered_set<KeyHash, Hasher> known_;
  std::deque<KeyHash> order_;  // Oldest first.
};

/// On the loop.
class KeyLog {
 public:
  explicit KeyLog(std::size_t most) : most_(most) {}
  /// An entry that `save` gave, before the first `add`; in any order. Errors: corrupt.
  Status restore(std::string_view value);
  /// What was restored, oldest first, as many as the bound allows.
  [[nodiscard]] std::vector<KeyHash> restored() const;

  void add(const KeyHash& key);
  /// Gives the entries that have changed since the last call.
  void save(const std::function<void(std::string_view key, std::string_view value)>& put);

 private:
  const std::size_t most_;
  std::uint64_t count_ = 0;
  std::map<std::uint64_t, KeyHash> restored_;  // By number.
  std::map<std::uint64_t, KeyHash> changed_;
};

}  // namespace leat::sources
