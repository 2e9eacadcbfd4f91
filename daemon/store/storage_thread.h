// The storage thread: does requests one after the other, and housekeeping when it has nothing to do.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace leat::store {

class StorageThread {
 public:
  /// `idle` is called after `idle_after` without a request, and again after each such pause for as long as it
  /// answers true (there is more to do).
  StorageThread(std::chrono::milliseconds idle_after, std::function<bool()> idle);
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

  const std::chrono::milliseconds idle_after_;
  const std::function<bool()> idle_;
  std::mutex mutex_;  // Guards requests_ and finishing_.
  std::condition_variable changed_;
  std::deque<std::function<void()>> requests_;
  bool finishing_ = false;
  std::mutex joining_;  // Held while joining: a second `finish` waits for the first.
  std::thread thread_;  // Last: it uses everything above.
};

}  // namespace leat::store
