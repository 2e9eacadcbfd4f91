// How many answers of a kind are made at once: those that hold a thread, a connection to the store or memory
// for long. Whoever finds the gate full is told to come again.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

namespace leat::api {

class Gate {
 public:
  explicit Gate(std::size_t most) : most_(most) {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Whoever has it is inside, until the last copy is gone; null: the gate is full. The gate outlives it. Any
  /// thread.
  using Pass = std::shared_ptr<void>;
  [[nodiscard]] Pass enter() {
    if (inside_.fetch_add(1) < most_) return {this, [this](void*) { leave(); }};
    leave();
    return nullptr;
  }
  [[nodiscard]] std::size_t most() const { return most_; }
  /// Another number from now on; who is inside stays.
  void allow(std::size_t most) { most_ = most; }

 private:
  void leave() { inside_.fetch_sub(1); }

  std::atomic<std::size_t> most_;
  std::atomic<std::size_t> inside_ = 0;
};

/// One of each for a server.
struct Gates {
  Gate queries{4};
  Gate tails{64};  // [api] max_tails
  Gate trials{4};
  Gate backups{1};
};

}  // namespace leat::api
