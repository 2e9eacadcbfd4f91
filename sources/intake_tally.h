// What all intakes do alike: count, and ring the consumer's bell once per time it has run dry. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include "sources/intake.h"

namespace leat::sources {

class IntakeTally {
 public:
  void stored(std::uint64_t bytes) {
    received_.fetch_add(1, std::memory_order_relaxed);
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }
  void redelivered() {
    received_.fetch_add(1, std::memory_order_relaxed);
    redelivered_.fetch_add(1, std::memory_order_relaxed);
  }
  void dropped(std::uint64_t messages) {
    received_.fetch_add(messages, std::memory_order_relaxed);
    dropped_.fetch_add(messages, std::memory_order_relaxed);
  }

  [[nodiscard]] IntakeCounters snapshot() const {
    return {.received = received_.load(std::memory_order_relaxed),
            .redelivered = redelivered_.load(std::memory_order_relaxed),
            .dropped = dropped_.load(std::memory_order_relaxed),
            .received_bytes = bytes_.load(std::memory_order_relaxed)};
  }
  void restore(const IntakeCounters& counters) {
    received_ = counters.received;
    redelivered_ = counters.redelivered;
    dropped_ = counters.dropped;
    bytes_ = counters.received_bytes;
  }

 private:
  std::atomic<std::uint64_t> received_{0};
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
