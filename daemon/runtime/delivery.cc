#include "daemon/runtime/delivery.h"

#include <algorithm>
#include <future>
#include <limits>
#include <string>
#include <utility>

namespace leat::runtime {
namespace {

using When = Courier::Next::When;
using State = DeliveryStatus::State;

constexpr std::uint64_t kAnyBytes = std::numeric_limits<std::uint64_t>::max();
/// Blocks grow too old while a far side that asked for an hour is waited for.
constexpr Micros kLongestWait{kMicrosPerMinute};
constexpr std::int64_t kAnyAge = std::numeric_limits<std::int64_t>::min();

using DropOrder = store::Store::DropOrder;

std::optional<DropOrder> yield_of(plan::OnFull policy) {
  if (policy == plan::OnFull::kBlock) return std::nullopt;
  return policy == plan::OnFull::kDropNewest ? DropOrder::kNewest : DropOrder::kOldest;
}

CourierOptions courier_options(const DeliverySetup& setup) {
  const plan::DeliveryOptions& options = setup.options;
  return {.limits = setup.limits,
          .order = options.order,
          .backoff = {options.retry_initial_backoff, options.retry_max_backoff, setup.random},
          .pace = {options, setup.time_zone}};
}

}  // namespace

std::string_view to_string(DeliveryStatus::State state) {
  switch (state) {
    case State::kIdle:
      return "idle";
    case State::kDelivering:
      return "delivering";
    case State::kWaiting:
      return "waiting";
    case State::kPaused:
      return "paused";
    case State::kThrottled:
      return "throttled";
    case State::kOffSchedule:
      return "off schedule";
    case State::kStopped:
      break;
  }
  return "stopped";
}

std::string_view to_string(DeliveryStatus::Hold hold) {
  switch (hold) {
    case DeliveryStatus::Hold::kNone:
      return "none";
    case DeliveryStatus::Hold::kUndecided:
      return "undecided";
    case DeliveryStatus::Hold::kFenced:
      return "fenced";
    case DeliveryStatus::Hold::kByUser:
      break;
  }
  return "by user";
}

bool waits(DeliveryStatus::State state) {
  return state == State::kWaiting || state == State::kPaused || state == State::kThrottled ||
         state == State::kOffSchedule;
}

Delivery::Delivery(store::Store& store, std::unique_ptr<sinks::Sink> sink, DeliverySetup setup,
                   const loop::Clock& clock)
    : store_(store),
      sink_(std::move(sink)),
      setup_(std::move(setup)),
      clock_(clock),
      courier_(store, *sink_, setup_.route, courier_options(setup_), clock, status_) {}

void Delivery::start() {
  const std::lock_guard stopping(stop_mutex_);
  if (thread_.joinable()) return;
  paused_ = store_.is_paused(setup_.route.pipeline, setup_.route.sink);
  store_.on_blocks(setup_.route.pipeline, setup_.route.sink, [this] { on_blocks(); });
  store_.set_yield(setup_.route.pipeline, setup_.route.sink, yield_of(setup_.options.on_full));
  thread_ = std::thread([this] { run(); });
}

void Delivery::stop() {
  const std::lock_guard stopping(stop_mutex_);
  if (!thread_.joinable()) return;
  store_.on_blocks(setup_.route.pipeline, setup_.route.sink, {});
  store_.set_yield(setup_.route.pipeline, setup_.route.sink, std::nullopt);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  sink_->interrupt();
  thread_.join();
  status_.change([](DeliveryStatus& status) { status.state = State::kStopped; });
}

void Delivery::drain(End end) {
  {
    const std::lock_guard lock(mutex_);
    ending_ = end;
  }
  changed_.notify_all();
}

Status Delivery::command(Command command) {
  using Decision = sinks::Shipment::Decision;
  const bool decides = command == Command::kResend || command == Command::kSkip;
  if (decides && status().hold != DeliveryStatus::Hold::kUndecided)
    return fail(ErrorCode::kConflict, "no shipment of sink " + setup_.route.sink.value + " of pipeline " +
                                          setup_.route.pipeline.value + " waits for a decision");
  {
    const std::lock_guard lock(mutex_);
    if (!decides) paused_ = command == Command::kPause;
    if (command == Command::kResume) decision_ = Decision::kLookAgain;
    if (decides) decision_ = command == Command::kResend ? Decision::kResend : Decision::kSkip;
  }
  changed_.notify_all();
  return {};
}

/// Takes over what was commanded; true while the sink is paused.
bool Delivery::obey() {
  std::unique_lock lock(mutex_);
  if (const auto decision = std::exchange(decision_, std::nullopt)) courier_.decide(*decision);
  if (!paused_) return false;
  status_.change([](DeliveryStatus& status) {
    status.state = State::kPaused;
    status.waiting_until = 0;
    if (status.hold == DeliveryStatus::Hold::kNone) status.hold = DeliveryStatus::Hold::kByUser;
  });
  changed_.wait(lock, [this] { return stopping_ || !paused_ || decision_ || ending_ == End::kTakenAway; });
  return true;
}

bool Delivery::full() const {
  if (setup_.options.on_full != plan::OnFull::kBlock) return false;
  const store::OutboxLevel level = store_.outbox_level(setup_.route.pipeline, setup_.route.sink);
  // One that holds nothing could never make room in the file: its pipeline goes on.
  return level.bytes >= setup_.options.buffer_max_bytes.bytes || (level.records > 0 && store_.file_full());
}

// On the storage thread: bounds are kept while an attempt is under way, too.
void Delivery::on_blocks() {
  keep_bounds();
  if (full()) was_full_ = true;
  {
    const std::lock_guard lock(mutex_);
    new_blocks_ = true;
  }
  changed_.notify_all();
}

void Delivery::keep_bounds() {
  const plan::DeliveryOptions& options = setup_.options;
  const store::OutboxLevel level = store_.outbox_level(setup_.route.pipeline, setup_.route.sink);
  const bool drops = options.on_full != plan::OnFull::kBlock;
  const std::uint64_t max_bytes = drops ? options.buffer_max_bytes.bytes : kAnyBytes;
  const std::int64_t oldest = options.buffer_max_age ? clock_.wall_ago(*options.buffer_max_age) : kAnyAge;
  const bool too_old = level.blocks > 0 && level.oldest < oldest;
  if ((level.bytes <= max_bytes && !too_old) || trimming_->exchange(true)) return;
  store_.trim(setup_.route.pipeline, setup_.route.sink, max_bytes, oldest,
              yield_of(options.on_full).value_or(DropOrder::kOldest),
              [trimming = trimming_](const Result<std::uint64_t>&) { *trimming = false; });
}

void Delivery::run() {
  for (;;) {
    std::optional<End> ending;  // As known before the store is asked: what it answers holds for this end.
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      new_blocks_ = false;
      ending = ending_;
    }
    if (ending == End::kTakenAway) return end_with(*ending);
    keep_bounds();
    if (obey()) continue;
    const Courier::Next next = courier_.step(ending ? Courier::Urgency::kNow : Courier::Urgency::kMayLinger);
    const bool is_full = full();
    if (was_full_.exchange(is_full) && !is_full) setup_.changed();
    if (next.when == When::kAtOnce) continue;
    if (next.when == When::kWithBlocks && ending && !drained_) end_with(*ending);
    if (next.when == When::kWithBlocks && !ending) check_sink();
    wait(next, ending);
  }
}

void Delivery::end_with(End end) {
  if (end != End::kShutdown) {
    // What is to be sent again goes behind what the sink's state says: nothing of that may have moved.
    const Status finished = courier_.has_unsettled() ? fail(ErrorCode::kConflict, "a shipment is not settled")
                                                     : update_sink_state(&sinks::Sink::finish);
    if (!finished)
      status_.change([&finished](DeliveryStatus& status) { status.finish_error = finished.error().message; });
  }
  {
    const std::lock_guard lock(mutex_);
    drained_ = true;
  }
  changed_.notify_all();
  setup_.changed();
}

/// What only time brings: at most once per interval, and only while there is nothing to deliver.
void Delivery::check_sink() {
  const std::optional<Micros> interval = sink_->check_interval();
  const std::int64_t now = clock_.monotonic();
  if (!interval || now - checked_at_ < interval->count()) return;
  checked_at_ = now;
  const Status checked = update_sink_state(&sinks::Sink::check);
  // What a check said is over with the next that is well; what a delivery has said since stays.
  const std::string before = std::exchange(check_error_, checked ? "" : checked.error().message);
  status_.change([&](DeliveryStatus& status) {
    status.trouble = check_error_;
    if (!checked || status.last_error == before) status.last_error = check_error_;
  });
}

Status Delivery::update_sink_state(StateCall call) {
  LEAT_ASSIGN(const std::vector<store::OutboxStatus> all, store_.outbox_status());
  for (const store::OutboxStatus& one : all) {
    if (one.pipeline != setup_.route.pipeline || one.sink != setup_.route.sink) continue;
    std::string state = one.sink_state;
    Status done = (sink_.get()->*call)(state);
    if (state == one.sink_state) return done;
    std::promise<Status> kept;
    store_.keep_sink_state(one.pipeline, one.sink, state,
                           [&kept](Status answer) { kept.set_value(std::move(answer)); });
    LEAT_TRY(kept.get_future().get());
    return done;
  }
  std::string state;  // A sink that never had a block has no state to keep.
  return (sink_.get()->*call)(state);
}

void Delivery::wait(const Courier::Next& next, std::optional<End> ending) {
  const bool woken_by_blocks = next.when != When::kLater && next.when != When::kHeld;
  std::unique_lock lock(mutex_);
  const auto go_on = [&] {
    return stopping_ || paused_ || decision_ || ending_ == End::kTakenAway ||
           (woken_by_blocks && (new_blocks_ || ending_ != ending));
  };
  const std::optional<Micros> interval = sink_->check_interval();
  if (next.when == When::kWithBlocks && interval && !ending)
    changed_.wait_for(lock, std::min(*interval, kLongestWait), go_on);
  else if (next.when == When::kWithBlocks || next.when == When::kHeld)
    changed_.wait(lock, go_on);
  else
    changed_.wait_for(lock, std::min(Micros(next.at - clock_.monotonic()), kLongestWait), go_on);
}

}  // namespace leat::runtime
