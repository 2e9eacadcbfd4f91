#include "daemon/runtime/farewells.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "daemon/log/log.h"
#include "daemon/runtime/secrets.h"

namespace leat::runtime {
namespace {

/// A stop of the daemon, or somebody, waits for the answer. Paho notices only after two rounds of a second
/// each that a connection has been made, while others of the process are quiet: less would be too little.
constexpr Micros kPatience{4 * kMicrosPerSecond};
/// Sessions that are ended side by side.
constexpr std::size_t kAtOnce = 4;
/// Longer than that nobody waits for first tries.
constexpr std::chrono::seconds kWait{8};
constexpr Micros kFirstDelay{10 * kMicrosPerSecond};
constexpr Micros kLongestDelay{5 * kMicrosPerMinute};
constexpr std::int64_t kTriedFor = 24 * kMicrosPerHour;

}  // namespace

Status end_session(const Session& session, Micros patience) {
  const sources::SourceConnector& connector = *session.connector;
  LEAT_ASSIGN(const OptionMap options, with_secrets(session.options, connector.info.validate_source));
  return connector.end_session(options, session.context, patience);
}

std::vector<std::string> Farewells::begin(std::vector<Session> sessions) {
  std::vector<std::string> keys;
  const std::int64_t now = clock_.monotonic();
  const std::scoped_lock lock(mutex_);
  if (stopping_) return keys;
  for (Session& session : sessions) {
    keys.push_back(session.key);
    ended_.erase(session.key);
    constexpr std::int64_t kBeforeAll = 0;  // Somebody waits; for those that are tried again nobody does.
    pending_.push_back({std::move(session), kBeforeAll, now + kTriedFor, kFirstDelay});
  }
  while (threads_.size() < std::min(pending_.size(), kAtOnce)) threads_.emplace_back([this] { run(); });
  changed_.notify_all();
  return keys;
}

bool Farewells::was_tried(const std::string& key) const {
  if (under_way_.contains(key)) return false;
  const auto is_this = [&](const Pending& each) { return each.session.key == key && !each.tried; };
  return std::ranges::none_of(pending_, is_this);
}

std::string Farewells::outcome(const std::string& key) {
  if (const auto ended = ended_.extract(key); !ended.empty())
    return fmt::format("the session of table '{}' has ended: {}", ended.mapped(), key);
  const auto is_this = [&](const Pending& each) { return each.session.key == key; };
  const auto pending = std::ranges::find_if(pending_, is_this);
  if (pending == pending_.end()) return fmt::format("a session is not ended, as it is wanted again: {}", key);
  return fmt::format(
      "the session of table '{}' is still there ({}): {}. It is tried again for a day while "
      "the daemon runs; "
      "else the broker ends it by itself when 'session-expiry' is over",
      pending->session.context.table.value, key,
      pending->tried ? pending->error : "its broker has not been asked yet");
}

std::vector<std::string> Farewells::await(const std::vector<std::string>& keys) {
  std::vector<std::string> told;
  std::unique_lock lock(mutex_);
  const auto all_tried = [&] {
    return stopping_ || std::ranges::all_of(keys, [&](const auto& key) { return was_tried(key); });
  };
  changed_.wait_for(lock, kWait, all_tried);
  for (const std::string& key : keys) told.push_back(outcome(key));
  lock.unlock();
  for (const std::string& sentence : told)
    log::info("a session at a broker is not wanted any more", {{"what", sentence}});
  return told;
}

std::vector<Session> Farewells::keep(const std::vector<Session>& sessions) {
  std::unique_lock lock(mutex_);
  const auto wanted = [&](const std::string& key) {
    return std::ranges::find(sessions, key, &Session::key) != sessions.end();
  };
  // Those that are asked about may come back to those that wait.
  changed_.notify_all();
  changed_.wait(lock, [&] { return std::ranges::none_of(under_way_, wanted); });
  std::vector<Session> kept;
  for (const Pending& each : pending_)
    if (wanted(each.session.key)) kept.push_back(each.session);
  std::erase_if(pending_, [&](const Pending& each) { return wanted(each.session.key); });
  changed_.notify_all();
  return kept;
}

void Farewells::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
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
  under_way_.insert(pending.session.key);
  lock.unlock();
  const Session& session = pending.session;
  const Status ended = end_session(session, kPatience);
  const std::int64_t now = clock_.monotonic();
  const bool given_up = !ended && now >= pending.until;
  if (ended && pending.tried) log::info("a session at a broker has ended", {{"session", session.key}});
  if (given_up)
    log::warn("a session at a broker could not be ended: it stays until it expires",
              {{"session", session.key}, {"error", ended.error().message}});
  lock.lock();
  under_way_.erase(pending.session.key);
  changed_.notify_all();
  if (ended && !pending.tried) ended_[session.key] = session.context.table.value;
  if (ended || given_up) return;
  if (pending.tried) pending.delay = std::min(pending.delay * 2, kLongestDelay);
  pending.next = now + pending.delay.count();
  pending.tried = true;
  pending.error = ended.error().message;
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
