// What a loop waits for, each as a RAII handle: timers, wake-ups from other threads, signals. All live on the
// loop's thread (only Async::send is for other threads) and must be destroyed before their loop. Once a
// handle is destroyed or stopped its callback is not called again; a callback may destroy its own handle.
#pragma once

#include <csignal>
#include <functional>
#include <memory>

#include "daemon/loop/loop.h"
#include "pipelines/base/time.h"

namespace leat::loop {

/// Calls back after a delay, once or again and again. libuv counts milliseconds: delays are rounded up.
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> fire);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Once, `delay` from now. A timer that runs begins anew.
  void start(Micros delay);
  /// Every `interval` (at least a millisecond), first after one interval. Late rounds are not made up for.
  void repeat(Micros interval);
  void stop();
  [[nodiscard]] bool active() const;

 private:
  struct Core;
  Core* core_;  // Lives on after the destructor until libuv has let go of it.
};

/// A wake-up that any thread may send: many sends before the loop comes round are one call.
class Async {
 public:
  Async(Loop& loop, std::function<void()> wake);
  ~Async();
  Async(const Async&) = delete;
  Async& operator=(const Async&) = delete;

  /// From any thread, as long as the Async lives; whoever keeps it beyond must be stopped first.
  void send();

 private:
  struct Core;
  Core* core_;
};

/// Calls back on the loop when the process gets the signal, in place of the signal's default action.
class SignalHandler {
 public:
  SignalHandler(Loop& loop, int signal, std::function<void()> raised);
  ~SignalHandler();
  SignalHandler(const SignalHandler&) = delete;
  SignalHandler& operator=(const SignalHandler&) = delete;

 private:
  struct Core;
  Core* core_;
};

}  // namespace leat::loop
