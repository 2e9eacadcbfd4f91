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
    kPaused,       ///< As waiting, but a human is needed (credentials, a missing topic, a decision).
    kThrottled,    ///< Something waits, and the rate that the user allows is used up until `waiting_until`.
    kOffSchedule,  ///< Something waits for the hours that the user allows, which begin at `waiting_until`.
    kStopped,
  };
  State state = State::kIdle;
  std::int64_t waiting_until =
      0;  ///< Gateway clock, microseconds; of the states in which it waits; 0: no time.
  /// Why a paused sink tries nothing any more until somebody speaks.
  enum class Hold : std::uint8_t {
    kNone,
    kUndecided,  ///< Nobody knows whether the shipment has arrived: resend or skip.
    kFenced,     ///< Another process has taken the sink's place: resume, once that is gone.
    kByUser,     ///< Somebody paused it: resume.
  };
  Hold hold = Hold::kNone;
  ShipmentNumber shipment;    ///< The one under way, or the last.
  std::uint32_t attempt = 0;  ///< Of it: 1 for the first since its number or part was given out.
  // Since delivery was started:
  std::uint64_t attempts = 0;
  std::uint64_t retries = 0;      ///< Attempts that ended in another try.
  std::uint64_t refusals = 0;     ///< Attempts that ended in a refusal, of records or of the whole.
  std::uint64_t rejected = 0;     ///< Records that were refused for good.
  std::uint64_t shipments = 0;    ///< Settled.
  std::uint64_t resent = 0;       ///< Of these, sent again because somebody decided so,
  std::uint64_t skipped = 0;      ///< or settled without being sent.
  std::int64_t last_success = 0;  ///< Gateway clock, microseconds; 0: never.
  Throughput throughput;          ///< Of what was delivered.
  std::string last_error;         ///< Of the last attempt that failed; kept when later ones succeed.
  std::string trouble;            ///< What the sink's last check has found, whether anything waits or not.
  std::string
      finish_error;  ///< Why what a bounded run had left could not be published; empty: nothing is wrong.
};
std::string_view to_string(DeliveryStatus::State state);
/// "none", "undecided", "fenced", "by user"
std::string_view to_string(DeliveryStatus::Hold hold);
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
