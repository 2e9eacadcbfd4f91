// The courier carries one sink's shipments, one after the other: takes a shipment from the outbox, attempts
// to deliver it, decides what an answer means, and settles. One `step` does one thing and says when to go on,
// so that delivery (delivery.h) owns the thread and the waiting, and tests own both.
//
// A shipment that is refused as a whole is bisected: sent in parts from its first record on, each part
// settled before the next begins, until the bad record is alone and becomes a dead letter.
//   - A part's bounds are committed before its first attempt (Store::split), so that the same range of the
//     same shipment is always the same bytes, also after a restart in the middle.
//   - A part is other bytes than the whole, so it has an identity of its own: shipment number, first record,
//     record count (sinks::Shipment::part goes into every idempotency key).
//   - Each part is settled in a transaction that also gives the next part's bounds.
//
// A shipment of which the sink cannot say whether it has arrived is held: nothing is tried until somebody
// decides (`decide`).
//
// A shipment that is refused for its size is sent in parts, too, and what the other side takes at once is
// remembered for the next shipments, so that an uplink does not carry each of them twice.
//
// Used by one thread; `step` blocks while the store answers and the sink attempts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/loop/clock.h"
#include "daemon/runtime/delivery_backoff.h"
#include "daemon/runtime/delivery_pace.h"
#include "daemon/runtime/delivery_status.h"
#include "daemon/store/store.h"
#include "pipelines/plan/common_options.h"
#include "sinks/sink.h"

namespace leat::runtime {

/// Which outbox goes to the sink.
struct DeliveryRoute {
  PipelineName pipeline;
  TableName sink;
};

struct CourierOptions {
  sinks::BatchLimits limits;
  plan::DeliveryOrder order = plan::DeliveryOrder::kOldestFirst;
  Backoff backoff;
  Pace pace;
};

class Courier {
 public:
  /// All references outlive the courier.
  Courier(store::Store& store, sinks::Sink& sink, DeliveryRoute route, CourierOptions options,
          const loop::Clock& clock, StatusBoard& status);

  enum class Urgency : std::uint8_t {
    kMayLinger,
    kNow,  ///< The end is near: shipments go as they are.
  };
  struct Next {
    enum class When : std::uint8_t {
      kAtOnce,
      kWithBlocks,  ///< Nothing waits: when there are new blocks.
      kLingering,   ///< With new blocks, at the latest at `at`.
      kLater,       ///< At `at`, not earlier.
      kHeld,        ///< After `decide`.
    };
    When when = When::kAtOnce;
    std::int64_t at = 0;  ///< Monotonic microseconds.
  };
  Next step(Urgency urgency);
  /// Ends a hold and every wait: the next step tries at once, and tells the sink what was decided.
  void decide(sinks::Shipment::Decision decision);
  /// A shipment may have arrived, or a part of it, and is to be sent again.
  [[nodiscard]] bool has_unsettled() const { return load_.has_value(); }

 private:
  // What was handed out by the store and is not settled yet.
  struct Load {
    store::OutboxShipment shipment;
    std::uint64_t first = 0;     // Where the part under way begins,
    std::uint64_t count = 0;     // and its records; of an unsplit shipment: all.
    std::uint64_t bytes = 0;     // Of the part, as sent last.
    std::uint64_t suspects = 0;  // A refused record lies in [first, suspects); 0: nothing is known.
    std::uint32_t attempt = 1;   // The next one of this part.
    std::uint32_t failures = 0;  // In a row.
  };

  [[nodiscard]] std::optional<Pace::Delay> delay() const;
  Next put_off(const Pace::Delay& delay);
  Next take(Urgency urgency);
  Next attempt();
  /// The load is all of its shipment, not a slice.
  [[nodiscard]] bool is_whole() const;
  /// What is delivered; of a whole shipment the blocks are lent, and come back behind the attempt.
  Result<sinks::Shipment> pack();
  Next on_outcome(const sinks::Delivered& delivered);
  Next on_outcome(const sinks::Retry& retry);
  Next on_outcome(const sinks::Rejected& rejected);
  Next on_outcome(const sinks::Held& held);
  Next bury(const std::string& reason, const std::vector<std::uint32_t>& records);
  std::optional<Next> step_around_damage();
  Next bury_unreadable(const std::string& reason);
  Next halve(const std::string& reason);
  Next shrink(const std::string& reason);
  Next settle(store::Settlement settlement);
  Next hand_in();
  Next store_failed(const Error& error);
  Next wait(DeliveryStatus::State state, Micros delay, const std::string& reason);
  [[nodiscard]] std::uint64_t next_part_behind(std::uint64_t first) const;
  [[nodiscard]] std::uint64_t fitting_part(std::uint64_t first) const;
  void begin_part(std::uint64_t first, std::uint64_t count);

  store::Store& store_;
  sinks::Sink& sink_;
  const DeliveryRoute route_;
  const sinks::BatchLimits limits_;
  const plan::DeliveryOrder order_;
  Backoff backoff_;
  Pace pace_;
  const loop::Clock& clock_;
  StatusBoard& status_;

  std::optional<Load> load_;
  std::optional<store::Settlement> settlement_;  // Decided, and not in the store yet.
  std::optional<std::uint64_t> split_;           // A part's records, decided and not in the store yet.
  std::int64_t not_before_ = 0;                  // Monotonic; the end of a wait.
  bool held_ = false;
  sinks::Shipment::Decision decision_ = sinks::Shipment::Decision::kNone;  // Of the load; kept over retries.
  std::optional<std::int64_t> linger_until_;  // Monotonic; set while something waits to be filled up.
  std::uint32_t store_failures_ = 0;          // In a row.
  std::optional<std::uint64_t> taken_bytes_;  // More at once was refused for its size.
};

}  // namespace leat::runtime
