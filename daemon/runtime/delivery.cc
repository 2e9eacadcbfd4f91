#include "daemon/runtime/delivery.h"

#include <future>
#include <limits>
#include <string>
#include <utility>

namespace leat::runtime {
namespace {

using When = Courier::Next::When;
using State = DeliveryStatus::State;

constexpr std::uint64_t kAnyBytes = std::numeric_limits<std::uint64_t>::max();
constexpr std::int64_t kAnyAge = std::numeric_limits<std::int64_t>::min();

Backoff backoff_of(const DeliverySetup& setup) {
  return {setup.options.retry_initial_backoff, setup.options.retry_max_backoff, setup.random};
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
    case State::kStopped:
      break;
  }
  return "stopped";
}

Delivery::Delivery(store::Store& store, std::unique_ptr<sinks::Sink> sink, DeliverySetup setup,
                   const loop::Clock& clock)
    : store_(store),
      sink_(std::move(sink)),
      setup_(std::move(setup)),
      clock_(clock),
      courier_(store, *sink_, setup_.route, setup_.limits, backoff_of(setup_), clock, status_) {}

void Delivery::start() {
  const std::lock_guard stopping(stop_mutex_);
  if (thread_.joinable()) return;
  store_.on_blocks(setup_.route.pipeline, setup_.route.sink, [this] { on_blocks(); });
  thread_ = std::thread([this] { run(); });
}

void Delivery::stop() {
  const std::lock_guard stopping(stop_mutex_);
  if (!thread_.joinable()) return;
  store_.on_blocks(setup_.route.pipeline, setup_.route.sink, {});
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

bool Delivery::full() const {
  if (setup_.options.on_full != plan::OnFull::kBlock) return false;
  const store::OutboxLevel level = store_.outbox_level(setup_.route.pipeline, setup_.route.sink);
  return level.bytes >= setup_.options.buffer_max_bytes.bytes;
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
  using Order = store::Store::DropOrder;
  store_.trim(setup_.route.pipeline, setup_.route.sink, max_bytes, oldest,
              options.on_full == plan::OnFull::kDropNewest ? Order::kNewest : Order::kOldest,
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
    keep_bounds();
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
  if (end == End::kBoundedRun) {
    if (const Status finished = update_sink_state(&sinks::Sink::finish); !finished)
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
  if (const Status checked = update_sink_state(&sinks::Sink::check); !checked)
    status_.change([&checked](DeliveryStatus& status) { status.last_error = checked.error().message; });
}

Status Delivery::update_sink_state(StateCall call) {
  LEAT_ASSIGN(const std::vector<store::OutboxStatus> all, store_.outbox_status());
  for (const store::OutboxStatus& one : all) {
    if (one.pipeline != setup_.route.pipeline || one.sink != setup_.route.sink) continue;
    std::string state = one.sink_state;
    LEAT_TRY((sink_.get()->*call)(state));
    if (state == one.sink_state) return {};
    std::promise<Status> kept;
    store_.keep_sink_state(one.pipeline, one.sink, state,
                           [&kept](Status answer) { kept.set_value(std::move(answer)); });
    return kept.get_future().get();
  }
  std::string state;  // A sink that never had a block has no state to keep.
  return (sink_.get()->*call)(state);
}

void Delivery::wait(const Courier::Next& next, std::optional<End> ending) {
  const bool woken_by_blocks = next.when != When::kLater;
  std::unique_lock lock(mutex_);
  const auto go_on = [&] { return stopping_ || (woken_by_blocks && (new_blocks_ || ending_ != ending)); };
  const std::optional<Micros> interval = sink_->check_interval();
  if (next.when == When::kWithBlocks && interval && !ending)
    changed_.wait_for(lock, *interval, go_on);
  else if (next.when == When::kWithBlocks)
    changed_.wait(lock, go_on);
  else
    changed_.wait_for(lock, Micros(next.at - clock_.monotonic()), go_on);
}

}  // namespace leat::runtime
