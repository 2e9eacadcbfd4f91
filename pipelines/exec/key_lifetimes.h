// The times at which keys were last written, for operators whose state expires ('table.exec.state.ttl', see
// state_ttl.h): which keys have expired is found here; what that means is the operator's.
//
// For each row the operator calls `pass_row`, which names the keys to drop, the row's own among them; it
// calls `touch` when it writes a key, and `erase` when it drops one. Without a time to live all of that does
// nothing, but for `erase`: the numbers of keys that are dropped are swept in any case.
//
// The time to live is no part of a node's identity: it may be set, changed or taken away without losing
// state. Keys from before it was set live from the first row that comes.
//
// State, under the node's fingerprint, with a time to live only:
//   "l" cells of the key => zigzag time of the last write
//   "t"                  => zigzag the operator's time (state_ttl.h)
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/exec/key_map.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/state_entries.h"
#include "pipelines/exec/state_ttl.h"

namespace leat::exec {

class KeyLifetimes {
 public:
  /// `key_tag` begins the entries of keys; another one than 'l' where the operator has that for its own.
  explicit KeyLifetimes(Micros ttl, char key_tag = 'l') : key_tag_(key_tag), ttl_(ttl) {}

  [[nodiscard]] bool enabled() const { return ttl_.enabled(); }

  /// A row of `key` has come in at `intake_time`. `drop(id)` must drop the key; keys of which `in_use(id)`
  /// says true do not expire as long as it does.
  template <class InUse, class Drop>
  void pass_row(KeyId key, std::int64_t intake_time, InUse in_use, Drop drop) {
    if (!enabled()) return;
    begin_row(intake_time);
    const auto written_of = [&](KeyId id) -> std::optional<std::int64_t> {
      if (!keys_[id].held) return std::nullopt;
      return in_use(id) ? ttl_.now() : keys_[id].written;
    };
    while (const std::optional<KeyId> id = expiries_.next(ttl_, written_of)) drop(*id);
    if (holds(key) && !in_use(key) && ttl_.expired(keys_[key].written)) drop(key);
  }
  template <class Drop>
  void pass_row(KeyId key, std::int64_t intake_time, Drop drop) {
    pass_row(
        key, intake_time, [](KeyId) { return false; }, drop);
  }

  void touch(KeyId key);
  void erase(KeyId key, const KeyMap& keys);

  /// Lets go of the numbers of keys that are gone, when there are many. `in_use(id)`: it is not gone.
  template <class InUse>
  void sweep(KeyMap& keys, InUse in_use) {
    if (erased_since_sweep_ < kFewKeys || 2 * erased_since_sweep_ < keys.size()) return;
    erased_since_sweep_ = 0;
    std::vector<std::uint32_t> uses(keys.id_limit());
    for (KeyId id = 0; id < uses.size(); ++id) uses[id] = holds(id) || in_use(id) ? 1 : 0;
    keys.sweep(uses);
  }

  void save(std::string_view node, const KeyMap& keys, StateChanges& changes);
  [[nodiscard]] bool owns(std::string_view key) const {
    return !key.empty() && (key[0] == key_tag_ || key[0] == kTimeTag);
  }
  /// Errors: corrupt.
  Status load(std::string_view key, std::string_view value, KeyMap& keys);
  /// Everything is loaded, and the operator keeps something of `key`.
  void adopt(KeyId key);

  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  static constexpr char kTimeTag = 't';
  static constexpr std::size_t kFewKeys = 1024;
  struct Key {
    std::int64_t written = 0;
    bool held = false;
    bool saved = false;
    bool dirty = false;
  };

  [[nodiscard]] bool holds(KeyId key) const { return key < keys_.size() && keys_[key].held; }
  void begin_row(std::int64_t intake_time);
  Key& key_at(KeyId key);

  char key_tag_;
  StateTtl ttl_;
  ExpiryQueue<KeyId> expiries_;
  std::vector<Key> keys_;  // By KeyId.
  std::vector<KeyId> dirty_;
  ErasedEntries erased_;
  std::size_t erased_since_sweep_ = 0;
  std::int64_t saved_now_ = kMinWatermark;
};

}  // namespace leat::exec
