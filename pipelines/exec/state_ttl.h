// 'table.exec.state.ttl': state that no row has written for so long counts as gone.
//
// The engine reads no clock, so time is the intake time of the rows that the operator sees, and it never goes
// back. Whether an entry has expired is judged when a row wants it, from the time of its last write, which
// the operator saves with the entry (and `now` of StateTtl beside them, or a clock that was set back between
// two runs would bring entries back to life). When expired entries really leave the memory is then nobody's
// business: ExpiryQueue finds them at O(1) per write, no later than twice the time to live behind their last.
//
// How an operator uses both, for each row: `pass` its intake time; drop what `expiries.next` names; look at
// the entry it needs; set its time of writing to `now` and, if the entry is new, `expiries.add` it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_set>

#include "pipelines/base/time.h"

namespace leat::exec {

class StateTtl {
 public:
  /// 0: state lives for ever.
  explicit StateTtl(Micros ttl) : ttl_(ttl.count()) {}

  [[nodiscard]] bool enabled() const { return ttl_ > 0; }
  /// A row with this intake time has come, or a saved `now` is put back.
  void pass(std::int64_t intake_time) { now_ = std::max(now_, intake_time); }
  [[nodiscard]] std::int64_t now() const { return now_; }
  /// True if an entry that was last written at `written` (a `now` of then) counts as gone.
  [[nodiscard]] bool expired(std::int64_t written) const {
    return enabled() && now_ >= saturating_add(written, ttl_);
  }

 private:
  std::int64_t ttl_;
  std::int64_t now_ = kMinWatermark;
};

/// Finds expired entries. `Id` names an entry of the operator and may be used anew after the entry is gone.
template <class Id>
class ExpiryQueue {
 public:
  /// The entry is new, or restored. An id that still waits from an entry before it does so for this one.
  void add(Id id, std::int64_t written) {
    if (ids_.insert(id).second) waiting_.push_back({id, written});
  }

  /// The next entry that has expired: the operator drops it. `written_of(id)` is the time of the entry's last
  /// write, or none if it is gone already. None: there is no more for now.
  template <class WrittenOf>
  std::optional<Id> next(const StateTtl& ttl, WrittenOf written_of) {
    while (!waiting_.empty() && ttl.expired(waiting_.front().written)) {
      const Id id = waiting_.front().id;
      waiting_.pop_front();
      ids_.erase(id);
      const std::optional<std::int64_t> written = written_of(id);
      if (!written) continue;
      if (ttl.expired(*written)) return id;
      add(id, *written);
    }
    return std::nullopt;
  }

  [[nodiscard]] std::size_t memory_bytes() const {
    return waiting_.size() * (sizeof(Waiting) + sizeof(Id) + 2 * sizeof(void*));
  }

 private:
  struct Waiting {
    Id id;
    std::int64_t written;
  };
  std::deque<Waiting> waiting_;  // Each held entry once, roughly by time.
  std::unordered_set<Id> ids_;   // Of those.
};

}  // namespace leat::exec
