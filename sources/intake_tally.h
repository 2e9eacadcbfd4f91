// What all intakes do alike: count, and ring the consumer's bell once per time it has run dry. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include "sources/intake.h"

namespace leat::sources {

/// What becomes of a message is one step of one counter, and what was received is their sum: the equation of
/// the counters holds whenever somebody looks, however long a thread stands between two messages.
class IntakeTally {
 public:
  explicit IntakeTally(std::uint64_t queued = 0) : stored_(queued) {}

  /// Before `read` can give the message out.
  void stored(std::uint64_t bytes) {
    stored_.fetch_add(1);
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }
  void redelivered() { redelivered_.fetch_add(1, std::memory_order_relaxed); }
  void dropped(std::uint64_t messages) { dropped_.fetch_add(messages, std::memory_order_relaxed); }
  /// Given out by `read`, or found to be lost.
  void taken(std::uint64_t messages) { taken_.fetch_add(messages); }

  [[nodiscard]] IntakeCounters snapshot() const {
    // In this order, as nothing is taken before it is stored.
    const std::uint64_t taken = taken_.load();
    const std::uint64_t stored = stored_.load();
    IntakeCounters counters{.redelivered = redelivered_.load(std::memory_order_relaxed),
                            .dropped = dropped_.load(std::memory_order_relaxed),
                            .received_bytes = bytes_.load(std::memory_order_relaxed),
                            .queued = stored - taken};
    counters.received = stored + counters.redelivered + counters.dropped;
    return counters;
  }
  /// What is queued stays so.
  void restore(const IntakeCounters& counters) {
    const std::uint64_t queued = stored_ - taken_;
    stored_ = counters.received - counters.redelivered - counters.dropped;
    taken_ = stored_ - queued;
    redelivered_ = counters.redelivered;
    dropped_ = counters.dropped;
    bytes_ = counters.received_bytes;
  }

 private:
  std::atomic<std::uint64_t> stored_;
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> redelivered_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> bytes_{0};
};

/// The bell between appenders and the reader. The reader arms it when it finds nothing more, and looks once
/// again afterwards (or does both under the lock that appenders publish under); an appender publishes first
/// and rings then. With both orders sequentially consistent either the reader sees the message or the
/// appender sees the armed bell.
class Doorbell {
 public:
  void connect(std::function<void()> wake) { wake_ = std::move(wake); }
  void arm() { armed_.store(true); }
  void ring() {
    if (armed_.load() && armed_.exchange(false) && wake_) wake_();
  }

 private:
  std::atomic<bool> armed_{true};
  std::function<void()> wake_;  // Set before the source starts.
};

}  // namespace leat::sources
