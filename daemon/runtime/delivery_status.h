// What delivery shows of itself, from any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "daemon/runtime/throughput.h"
#include "pipelines/base/ids.h"

namespace leat::runtime {

struct DeliveryStatus {
  enum class State : std::uint8_t {
    kIdle,         ///< Nothing waits, or what waits may still fill a shipment (linger).
    kDelivering,   ///< An attempt is under way.
    kWaiting,      ///< An attempt failed; the next one is at `waiting_until`.
    kPaused,       ///< As waiting, but a human is needed (credentials, a missing topic).
    kThrottled,    ///< Something waits, and the rate that the user allows is used up until `waiting_until`.
    kOffSchedule,  ///< Something waits for the hours that the user allows, which begin at `waiting_until`.
    kStopped,
  };
  State state = State::kIdle;
  std::int64_t waiting_until = 0;  ///< Gateway clock, microseconds; of the states in which it waits.
  ShipmentNumber shipment;         ///< The one under way, or the last.
  std::uint32_t attempt = 0;       ///< Of it: 1 for the first since its number or part was given out.
  // Since delivery was started:
  std::uint64_t attempts = 0;
  std::uint64_t retries = 0;      ///< Attempts that ended in another try.
  std::uint64_t refusals = 0;     ///< Attempts that ended in a refusal, of records or of the whole.
  std::uint64_t shipments = 0;    ///< Settled.
  std::int64_t last_success = 0;  ///< Gateway clock, microseconds; 0: never.
  Throughput throughput;          ///< Of what was delivered.
  std::string last_error;         ///< Of the last attempt that failed; kept when later ones succeed.
  std::string
      finish_error;  ///< Why what a bounded run had left could not be published; empty: nothing is wrong.
};
std::string_view to_string(DeliveryStatus::State state);
/// Something waits that is not sent before `waiting_until`.
bool waits(DeliveryStatus::State state);

/// The status, behind a lock: written by the delivery thread, read by anyone.
class StatusBoard {
 public:
  template <class Change>
  void change(Change change) {
    const std::lock_guard lock(mutex_);
    change(status_);
  }
  [[nodiscard]] DeliveryStatus read() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  mutable std::mutex mutex_;  // Guards status_.
  DeliveryStatus status_;
};

}  // namespace leat::runtime
