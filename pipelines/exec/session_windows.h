// Session windows of many keys: a session covers [time, time + gap) of each of its rows; sessions that
// overlap or touch are one. Knows bounds and times only; what a session holds is its user's, by the session's
// number.
//
// Lateness is judged after merging: a row that reaches an open session is never late, one that would begin a
// session is late if that session had fired already.
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <span>
#include <vector>

#include "pipelines/exec/key_map.h"
#include "pipelines/exec/window_clock.h"

namespace leat::exec {

using SessionId = std::uint32_t;

struct Session {
  std::int64_t start = 0;     ///< Local microseconds, as everything here but watermarks.
  std::int64_t end = 0;       ///< Exclusive: the last row's time + gap.
  std::uint64_t arrival = 0;  ///< Number of its first row in order of arrival; its name in the state.
  KeyId key = 0;
};

class SessionWindows {
 public:
  /// `clock` outlives it.
  SessionWindows(std::int64_t gap, WindowClock& clock) : gap_(gap), clock_(clock) {}

  struct Placement {
    SessionId session = 0;
    bool created = false;
    /// Sessions that the row joined to `session`, in order of time: the user merges what they hold, then
    /// releases them. Valid until the next call.
    std::span<const SessionId> absorbed;
  };
  /// The session of a row, or nothing if the row is late. `arrival` numbers the row.
  std::optional<Placement> place(KeyId key, std::int64_t time, std::int64_t watermark, std::uint64_t arrival);
  /// Puts back a session that was saved.
  SessionId restore(const Session& session);

  [[nodiscard]] const Session& operator[](SessionId id) const { return slots_[id].session; }
  /// True if some session may fire at this watermark.
  [[nodiscard]] bool due(std::int64_t watermark) const {
    return !timers_.empty() && timers_.top().fires_at <= watermark;
  }
  /// The sessions that fire at this watermark, by end, then by arrival; the user releases each.
  std::vector<SessionId> take_due(std::int64_t watermark);
  /// The session is gone.
  void release(SessionId id);

  /// All numbers are below this one.
  [[nodiscard]] std::size_t id_limit() const { return slots_.size(); }
  [[nodiscard]] bool is_open(SessionId id) const { return slots_[id].stamp != 0; }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  static constexpr SessionId kNone = 0xFFFFFFFF;
  struct Slot {
    Session session;
    SessionId next = kNone;   // The key's next session in time.
    std::uint64_t stamp = 0;  // Tells a timer of this session from one of the slot's last user; 0: free.
  };
  // One per session; may stand before the session's end, which has moved on since.
  struct Timer {
    std::int64_t fires_at;
    SessionId id;
    std::uint64_t stamp;
    friend bool operator>(const Timer& a, const Timer& b) { return a.fires_at > b.fires_at; }
  };

  SessionId add(const Session& session);
  SessionId& head(KeyId key);
  void unlink(SessionId id);

  std::int64_t gap_;
  WindowClock& clock_;
  std::vector<Slot> slots_;
  std::vector<SessionId> free_;
  std::vector<SessionId> heads_;  // By key: its first session in time.
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::uint64_t next_stamp_ = 1;
  std::vector<SessionId> absorbed_;
};

}  // namespace leat::exec
