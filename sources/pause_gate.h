// Where the thread of a source that rewinds waits: for room in its intake, for time to pass, or for its end.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "pipelines/base/time.h"

namespace leat::sources {

class PauseGate {
 public:
  /// The intake has room again. Any thread. Room that is announced before anybody waits is not forgotten: an
  /// intake announces it once for each time it has asked for a pause.
  void open() {
    {
      const std::scoped_lock lock(mutex_);
      room_ = true;
    }
    changed_.notify_all();
  }
  /// Ends all waiting, for good.
  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
  }

  /// Called after the intake has asked for a pause. False: the source is to end.
  bool wait_for_room() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return room_ || stopped_; });
    room_ = false;
    return !stopped_;
  }
  /// False: the source is to end.
  bool wait_for(Micros duration) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, std::min(duration, kLongestWait), [this] { return stopped_; });
  }
  [[nodiscard]] bool stopped() const {
    const std::scoped_lock lock(mutex_);
    return stopped_;
  }

 private:
  /// The standard library counts nanoseconds: what is much longer would be over at once.
  static constexpr Micros kLongestWait{365 * kMicrosPerDay};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool room_ = false;
  bool stopped_ = false;
};

}  // namespace leat::sources
