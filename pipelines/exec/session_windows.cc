#include "pipelines/exec/session_windows.h"

#include <algorithm>

#include "pipelines/base/time.h"

namespace leat::exec {

SessionId& SessionWindows::head(KeyId key) {
  if (key >= heads_.size()) heads_.resize(std::max<std::size_t>(key + 1, heads_.size() * 2), kNone);
  return heads_[key];
}

std::optional<SessionWindows::Placement> SessionWindows::place(KeyId key, std::int64_t time,
                                                               std::int64_t watermark,
                                                               std::uint64_t arrival) {
  absorbed_.clear();
  const std::int64_t end = saturating_add(time, gap_);
  SessionId first = head(key);
  // Sessions of a key neither overlap nor touch, so those that the row reaches follow each other.
  while (first != kNone && slots_[first].session.end < time) first = slots_[first].next;
  if (first == kNone || slots_[first].session.start > end) {
    if (clock_.fires_at(end) <= watermark) return std::nullopt;
    return Placement{add({time, end, arrival, key}), true, {}};
  }
  Session& session = slots_[first].session;
  session.start = std::min(session.start, time);
  session.end = std::max(session.end, end);
  SessionId next = slots_[first].next;
  while (next != kNone && slots_[next].session.start <= session.end) {
    session.end = std::max(session.end, slots_[next].session.end);
    session.arrival = std::min(session.arrival, slots_[next].session.arrival);
    absorbed_.push_back(next);
    next = slots_[next].next;
  }
  return Placement{first, false, absorbed_};
}

SessionId SessionWindows::restore(const Session& session) {
  return add(session);
}

SessionId SessionWindows::add(const Session& session) {
  SessionId id = static_cast<SessionId>(slots_.size());
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  SessionId* link = &head(session.key);
  while (*link != kNone && slots_[*link].session.start < session.start) link = &slots_[*link].next;
  slots_[id] = {session, *link, next_stamp_};
  *link = id;
  timers_.push({clock_.fires_at(session.end), id, next_stamp_});
  ++next_stamp_;
  return id;
}

std::vector<SessionId> SessionWindows::take_due(std::int64_t watermark) {
  std::vector<SessionId> fired;
  while (due(watermark)) {
    const Timer timer = timers_.top();
    timers_.pop();
    if (slots_[timer.id].stamp != timer.stamp) continue;
    const std::int64_t fires_at = clock_.fires_at(slots_[timer.id].session.end);
    if (fires_at > watermark)
      timers_.push({fires_at, timer.id, timer.stamp});
    else
      fired.push_back(timer.id);
  }
  std::sort(fired.begin(), fired.end(), [this](SessionId a, SessionId b) {
    const Session& left = slots_[a].session;
    const Session& right = slots_[b].session;
    return left.end != right.end ? left.end < right.end : left.arrival < right.arrival;
  });
  return fired;
}

void SessionWindows::unlink(SessionId id) {
  SessionId* link = &head(slots_[id].session.key);
  while (*link != id) link = &slots_[*link].next;
  *link = slots_[id].next;
}

void SessionWindows::release(SessionId id) {
  unlink(id);
  slots_[id].stamp = 0;
  free_.push_back(id);
}

std::size_t SessionWindows::memory_bytes() const {
  return slots_.capacity() * sizeof(Slot) + (free_.capacity() + heads_.capacity()) * sizeof(SessionId) +
         timers_.size() * sizeof(Timer);
}

}  // namespace leat::exec
