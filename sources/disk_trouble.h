// What a disk last refused, until it takes the same kind of thing again. Any thread.
#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "pipelines/base/result.h"

namespace leat::sources {

class DiskTrouble {
 public:
  /// What became of a call; a good one ends the trouble, and costs a load when there was none.
  void note(const Status& outcome) {
    if (outcome && !troubled_.load(std::memory_order_relaxed)) return;
    const std::scoped_lock lock(mutex_);
    text_ = outcome ? std::string() : outcome.error().message;
    troubled_.store(!outcome);
  }
  [[nodiscard]] bool any() const { return troubled_.load(); }
  /// Empty: none.
  [[nodiscard]] std::string text() const {
    if (!troubled_.load()) return {};
    const std::scoped_lock lock(mutex_);
    return text_;
  }

 private:
  std::atomic<bool> troubled_{false};
  mutable std::mutex mutex_;  // Guards text_.
  std::string text_;
};

}  // namespace leat::sources
