// The storage thread: does requests one after the other, and housekeeping when it has nothing to do.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace leat::store {

class StorageThread {
 public:
  using Clock = std::chrono::steady_clock;
  /// Housekeeping between requests; `quiet`: there was none for a while. Answers how long until it wants to
  /// be called again; none: not before another request was done.
  using Idle = std::function<std::optional<std::chrono::milliseconds>(bool quiet)>;
  /// `idle` is called `idle_after` behind a request: for the first time under load, too, and once it is
  /// quiet.
  StorageThread(std::chrono::milliseconds idle_after, Idle idle);
  ~StorageThread() { finish(); }
  StorageThread(const StorageThread&) = delete;
  StorageThread& operator=(const StorageThread&) = delete;

  /// Has the request done after all earlier ones; false: the thread is finished, it will not be done. From
  /// any thread. The queue needs no bound: each pipeline and each sink has one request in flight.
  [[nodiscard]] bool post(std::function<void()> request);
  /// Returns when all requests are done and the thread has ended. Idempotent; not from a request.
  void finish();

 private:
  void run();
  void keep_house(Clock::time_point now);

  const std::chrono::milliseconds idle_after_;
  const Idle idle_;
  std::optional<Clock::time_point> due_;  // Of the next call of idle_; the thread's own, as what follows.
  std::optional<Clock::time_point> quiet_at_;  // Without another request; none: quiet, and idle_ knows.
  std::mutex mutex_;                           // Guards requests_ and finishing_.
  std::condition_variable changed_;
  std::deque<std::function<void()>> requests_;
  bool finishing_ = false;
  std::mutex joining_;  // Held while joining: a second `finish` waits for the first.
  std::thread thread_;  // Last: it uses everything above.
};

}  // namespace leat::store
