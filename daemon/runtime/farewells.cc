#include "daemon/runtime/farewells.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "daemon/log/log.h"
#include "daemon/runtime/secrets.h"

namespace leat::runtime {
namespace {

/// Somebody waits for the answer,
constexpr Micros kPatience{3 * kMicrosPerSecond};
/// or a stop of the daemon does.
constexpr Micros kPatienceBehind{2 * kMicrosPerSecond};
constexpr Micros kFirstDelay{10 * kMicrosPerSecond};
constexpr Micros kLongestDelay{5 * kMicrosPerMinute};
constexpr std::int64_t kTriedFor = 24 * kMicrosPerHour;

}  // namespace

Status end_session(const Session& session, Micros patience) {
  const sources::SourceConnector& connector = *session.connector;
  LEAT_ASSIGN(const OptionMap options, with_secrets(session.options, connector.info.validate_source));
  return connector.end_session(options, session.context, patience);
}

std::vector<std::string> Farewells::end(std::vector<Session> sessions) {
  std::vector<std::string> told;
  for (Session& session : sessions) {
    const Status ended = end_session(session, kPatience);
    if (ended) {
      told.push_back(
          fmt::format("the session of table '{}' has ended: {}", session.context.table.value, session.key));
      continue;
    }
    told.push_back(
        fmt::format("the session of table '{}' is still there ({}): {}. It is tried again for a day while "
                    "the daemon runs; "
                    "else the broker ends it by itself when 'session-expiry' is over",
                    session.context.table.value, session.key, ended.error().message));
    put_off(std::move(session));
  }
  for (const std::string& sentence : told)
    log::info("a session at a broker is not wanted any more", {{"what", sentence}});
  return told;
}

void Farewells::put_off(Session session) {
  const std::int64_t now = clock_.monotonic();
  const std::scoped_lock lock(mutex_);
  if (stopping_) return;
  pending_.push_back({std::move(session), now + kFirstDelay.count(), now + kTriedFor, kFirstDelay});
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_all();
}

void Farewells::keep(const std::vector<Session>& sessions) {
  std::unique_lock lock(mutex_);
  const auto wanted = [&](const std::string& key) {
    return std::ranges::find(sessions, key, &Session::key) != sessions.end();
  };
  std::erase_if(pending_, [&](const Pending& each) { return wanted(each.session.key); });
  changed_.notify_all();
  changed_.wait(lock, [&] { return under_way_.empty() || !wanted(under_way_); });
}

void Farewells::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Farewells::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto first = std::ranges::min_element(pending_, {}, &Pending::next);
    if (first == pending_.end()) {
      changed_.wait(lock);
      continue;
    }
    const std::int64_t wait = first->next - clock_.monotonic();
    if (wait > 0) {
      changed_.wait_for(lock, std::chrono::microseconds(wait));
      continue;
    }
    std::iter_swap(first, pending_.end() - 1);
    try_one(lock);
  }
}

/// The last of them.
void Farewells::try_one(std::unique_lock<std::mutex>& lock) {
  Pending pending = std::move(pending_.back());
  pending_.pop_back();
  under_way_ = pending.session.key;
  lock.unlock();
  const Session& session = pending.session;
  const Status ended = end_session(session, kPatienceBehind);
  const std::int64_t now = clock_.monotonic();
  const bool given_up = !ended && now >= pending.until;
  if (ended) log::info("a session at a broker has ended", {{"session", session.key}});
  if (given_up)
    log::warn("a session at a broker could not be ended: it stays until it expires",
              {{"session", session.key}, {"error", ended.error().message}});
  lock.lock();
  under_way_.clear();
  changed_.notify_all();
  if (ended || given_up) return;
  pending.delay = std::min(pending.delay * 2, kLongestDelay);
  pending.next = now + pending.delay.count();
  pending_.push_back(std::move(pending));
}

std::vector<Session> sessions_of(const plan::Plan& plan, const sources::SourceContext& of) {
  std::vector<Session> sessions;
  for (const auto& scan : plan.scans) {
    const sources::SourceConnector* connector = sources::find_source(scan->connector);
    if (connector == nullptr || !connector->session) continue;
    Session session{.key = {}, .connector = connector, .options = scan->options, .context = of};
    session.context.table = {scan->table};
    session.key = connector->session(session.options, session.context);
    if (!session.key.empty()) sessions.push_back(std::move(session));
  }
  return sessions;
}

std::vector<Session> without(std::vector<Session> sessions, const std::vector<Session>& others) {
  std::erase_if(sessions, [&](const Session& session) {
    return std::ranges::find(others, session.key, &Session::key) != others.end();
  });
  return sessions;
}

}  // namespace leat::runtime
