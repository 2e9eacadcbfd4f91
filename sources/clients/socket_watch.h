// Shuts a socket down when a deadline has passed or somebody asks for it, while another thread blocks on it.
//
// Threads: `begin`, `watch` and `end` on the blocking thread; `interrupt` from any; a thread of its own does
// the shutting.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

namespace leat::clients {

class SocketWatch {
 public:
  enum class Verdict : std::uint8_t { kNone, kTimedOut, kInterrupted };

  SocketWatch() = default;
  ~SocketWatch();
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;

  /// A call begins that must end within `limit`. False: interrupted, do not begin.
  bool begin(std::chrono::microseconds limit);
  /// The socket that the calling thread is about to block on, connected or not. The watch holds a duplicate
  /// of it, so that its number is never another file's by the time it is shut down.
  void watch(int socket);
  /// The call is over; why it was cut short, if it was.
  Verdict end();
  /// For good.
  void interrupt();

 private:
  using Clock = std::chrono::steady_clock;
  void run();
  [[nodiscard]] bool must_cut() const;  // With the lock held.

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Clock::time_point> deadline_;  // Set between begin and end.
  int socket_ = -1;                            // The duplicate; owned.
  bool cut_ = false;                           // This call was cut short.
  bool interrupted_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace leat::clients
