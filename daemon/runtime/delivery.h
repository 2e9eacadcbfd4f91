// Delivery: carries what one sink's outbox holds to the sink, on a thread of its own. It keeps the order, the
// one retry policy, and the bounds of the outbox; what a single step is, the courier knows
// (delivery_courier.h).
//
// Life cycle: construct, `start`, then `stop` (or the destructor). What is not delivered stays in the outbox;
// the next delivery of the same sink resumes it. A stopped delivery is not started again, as its sink was
// interrupted for good.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "daemon/loop/clock.h"
#include "daemon/runtime/delivery_backoff.h"
#include "daemon/runtime/delivery_courier.h"
#include "daemon/runtime/delivery_status.h"
#include "daemon/store/store.h"
#include "pipelines/plan/common_options.h"
#include "sinks/sink.h"

namespace leat::runtime {

struct DeliverySetup {
  DeliveryRoute route;
  sinks::BatchLimits limits;
  plan::DeliveryOptions options;
  std::string time_zone = "UTC";  ///< The pipeline's, for 'sink.schedule'.
  Randomness random = system_randomness();
  /// Called on the delivery thread when `full` has become false, and when `drained` has become true. It must
  /// not wait, and must not stop the delivery.
  std::function<void()> changed = [] {};
};

class Delivery {
 public:
  /// Store and clock outlive the delivery.
  Delivery(store::Store& store, std::unique_ptr<sinks::Sink> sink, DeliverySetup setup,
           const loop::Clock& clock);
  ~Delivery() { stop(); }
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  void start();
  /// Interrupts the sink, ends the thread; nothing is called afterwards. Idempotent, from any thread but the
  /// delivery's and the storage thread.
  void stop();

  /// Why nothing more will come.
  enum class End : std::uint8_t {
    kBoundedRun,  ///< The inputs have ended: the sink publishes what only waits for more (Sink::finish).
    kShutdown,    ///< The daemon stops: what waits for more goes on waiting, in the sink's state.
    /// The sink is taken away: it publishes as for kBoundedRun, though there may be something to deliver.
    /// Nothing is tried behind that; what was not delivered stays in the outbox.
    kTakenAway,
  };
  /// All commits are answered: from now on nothing lingers, and `drained` becomes true when everything that
  /// was committed is settled. It goes on trying for as long as that takes; whoever has a deadline calls
  /// `stop` at it. Of kTakenAway: soon, behind the attempt that is under way. Any thread.
  void drain(End end);
  [[nodiscard]] bool drained() const { return drained_; }
  /// Whether the sink may have something to publish when it is taken away. Any thread.
  [[nodiscard]] bool may_publish() const { return sink_->leaves_open(); }

  enum class Command : std::uint8_t {
    kPause,   ///< Nothing is tried any more; kept over restarts. What is under way is finished.
    kResume,  ///< Ends a pause, a wait, and the hold of a sink that another process shut out.
    kResend,  ///< Of a shipment that is held undecided: it has not arrived, send it again.
    kSkip,    ///< Of such a one: it has arrived; settle it without sending.
  };
  /// Any thread; carried out soon. Errors: conflict (no shipment waits for this decision).
  Status command(Command command);

  /// The outbox has reached 'sink.buffer.max-bytes', or the file its bound, and the policy is to block: the
  /// pipeline waits. Any thread, cheap.
  [[nodiscard]] bool full() const;
  [[nodiscard]] DeliveryStatus status() const { return status_.read(); }
  [[nodiscard]] const plan::DeliveryOptions& options() const { return setup_.options; }

 private:
  void run();
  void on_blocks();
  void wait(const Courier::Next& next, std::optional<End> ending);
  void keep_bounds();
  bool obey();
  void end_with(End end);
  using StateCall = Status (sinks::Sink::*)(std::string& sink_state);
  Status update_sink_state(StateCall call);
  void check_sink();

  store::Store& store_;
  const std::unique_ptr<sinks::Sink> sink_;
  const DeliverySetup setup_;
  const loop::Clock& clock_;
  StatusBoard status_;
  Courier courier_;              // Delivery thread only, once started.
  std::int64_t checked_at_ = 0;  // Monotonic; delivery thread only, as is:
  std::string check_error_;      // What the last check said.

  // A trim is on its way to the store; shared with its answer, which may come after this object is gone.
  const std::shared_ptr<std::atomic<bool>> trimming_ = std::make_shared<std::atomic<bool>>(false);
  std::atomic<bool> drained_ = false;
  std::atomic<bool> was_full_ = false;  // As last seen; `changed` tells of the way back.

  std::mutex mutex_;  // Guards the six members below.
  std::condition_variable changed_;
  bool stopping_ = false;
  bool new_blocks_ = false;
  std::optional<End> ending_;
  bool paused_ = false;
  std::optional<sinks::Shipment::Decision> decision_;

  std::mutex stop_mutex_;  // Held while stopping: a second `stop` waits for the first.
  std::thread thread_;
};

}  // namespace leat::runtime
