// Where a blocked thread is cut off: the descriptor that it waits on is shut down by another thread. Sockets
// only wake up; of other files the waiting goes on to its end.
#pragma once

#include <sys/socket.h>

#include <condition_variable>
#include <mutex>

#include "pipelines/base/time.h"

namespace leat::sources {

class CutPoint {
 public:
  /// The calling thread is about to wait on this descriptor, which stays open until `release`. False: it was
  /// cut off before.
  bool guard(int descriptor) {
    const std::scoped_lock lock(mutex_);
    if (!cut_) descriptor_ = descriptor;
    return !cut_;
  }
  void release() {
    const std::scoped_lock lock(mutex_);
    descriptor_ = -1;
  }
  /// For good. Any thread.
  void cut() {
    {
      const std::scoped_lock lock(mutex_);
      cut_ = true;
      if (descriptor_ >= 0) ::shutdown(descriptor_, SHUT_RDWR);
    }
    changed_.notify_all();
  }
  [[nodiscard]] bool is_cut() const {
    const std::scoped_lock lock(mutex_);
    return cut_;
  }
  /// False: cut off.
  bool wait_for(Micros duration) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, duration, [this] { return cut_; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int descriptor_ = -1;
  bool cut_ = false;
};

}  // namespace leat::sources
