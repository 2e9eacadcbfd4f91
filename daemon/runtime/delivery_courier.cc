#include "daemon/runtime/delivery_courier.h"

#include <algorithm>
#include <future>
#include <span>
#include <utility>
#include <variant>

#include "daemon/runtime/delivery_letters.h"
#include "daemon/runtime/delivery_report.h"
#include "pipelines/base/fault_point.h"
#include "sinks/block.h"

namespace leat::runtime {
namespace {

using When = Courier::Next::When;
using State = DeliveryStatus::State;

/// Waits for the store's answer; it always answers, with cancelled when it is closed.
template <class T, class Request>
Result<T> ask(Request request) {
  std::promise<Result<T>> answer;
  request([&answer](Result<T> result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}

/// The records of the blocks up to the first that cannot be read; `damage` says why that is so.
std::vector<sinks::Record> readable_records(std::span<const std::string> blocks, std::string& damage) {
  std::vector<sinks::Record> records;
  for (const std::string& block : blocks) {
    Result<std::vector<sinks::Record>> read = sinks::read_block(block);
    if (!read) {
      damage = read.error().message;
      break;
    }
    std::ranges::move(*read, std::back_inserter(records));
  }
  return records;
}

/// How many there are of them.
std::uint64_t count_readable(std::span<const std::string> blocks, std::string& damage) {
  std::uint64_t records = 0;
  sinks::Record record;
  for (const std::string& block : blocks) {
    sinks::BlockReader reader(block);
    std::uint64_t own = 0;
    while (reader.next(record)) ++own;
    if (const Status read = reader.status(); !read) {
      damage = read.error().message;
      break;
    }
    records += own;
  }
  return records;
}

/// The records [first, first + count) of the blocks, in blocks of their own; what is damaged behind them does
/// not matter.
Result<std::vector<std::string>> cut_blocks(std::span<const std::string> blocks, std::uint64_t first,
                                            std::uint64_t count) {
  std::string damage;
  const std::vector<sinks::Record> records = readable_records(blocks, damage);
  if (first + count > records.size() && !damage.empty()) return fail(ErrorCode::kCorrupt, damage);
  if (first + count > records.size())
    return fail(ErrorCode::kCorrupt, "a shipment has " + std::to_string(records.size()) +
                                         " records, not the " + std::to_string(first + count) + " it should");
  std::vector<std::string> cut;
  sinks::BlockBuilder builder;
  const std::span all(records);
  for (const sinks::Record& record :
       all.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count))) {
    builder.add(record);
    if (builder.bytes() >= sinks::kMaxBlockBytes) cut.push_back(builder.seal());
  }
  if (builder.records() > 0) cut.push_back(builder.seal());
  return cut;
}

}  // namespace

Courier::Courier(store::Store& store, sinks::Sink& sink, DeliveryRoute route, CourierOptions options,
                 const loop::Clock& clock, StatusBoard& status)
    : store_(store),
      sink_(sink),
      route_(std::move(route)),
      limits_(options.limits),
      order_(options.order),
      backoff_(std::move(options.backoff)),
      pace_(std::move(options.pace)),
      clock_(clock),
      status_(status) {}

void Courier::decide(sinks::Shipment::Decision decision) {
  held_ = false;
  not_before_ = 0;
  if (load_) decision_ = decision;
  status_.change([](DeliveryStatus& status) { status.hold = DeliveryStatus::Hold::kNone; });
}

Courier::Next Courier::step(Urgency urgency) {
  if (held_) return {When::kHeld};
  if (clock_.monotonic() < not_before_) return {When::kLater, not_before_};
  if (settlement_ || split_) return hand_in();
  if (const auto later = delay()) return put_off(*later);
  return load_ ? attempt() : take(urgency);
}

/// Only what waits can be held back: an empty outbox is drained at any time.
std::optional<Pace::Delay> Courier::delay() const {
  if (!load_ && store_.outbox_level(route_.pipeline, route_.sink).records == 0) return std::nullopt;
  return pace_.delay(clock_);
}

Courier::Next Courier::put_off(const Pace::Delay& delay) {
  // A far side that refuses stays what people are told of, also while its last attempt is being paid for.
  const bool refused = load_ && load_->failures > 0 && delay.state == State::kThrottled;
  status_.change([&](DeliveryStatus& status) {
    if (!refused) status.state = delay.state;
    status.waiting_until = delay.until;
  });
  return {When::kLater, delay.look_at};
}

Courier::Next Courier::take(Urgency urgency) {
  using Fill = store::ShipmentLimits::Fill;
  const std::int64_t now = clock_.monotonic();
  const bool lingered = linger_until_ && now >= *linger_until_;
  const bool may_wait = urgency == Urgency::kMayLinger && limits_.linger.count() > 0 && !lingered;
  using Order = store::ShipmentLimits::Order;
  const store::ShipmentLimits limits{
      limits_.max_rows, limits_.max_bytes.bytes, may_wait ? Fill::kOnlyFull : Fill::kWhatWaits,
      order_ == plan::DeliveryOrder::kNewestFirst ? Order::kNewestFirst : Order::kOldestFirst};
  auto taken = ask<std::optional<store::OutboxShipment>>(
      [&](auto done) { store_.next_shipment(route_.pipeline, route_.sink, limits, std::move(done)); });
  if (!taken) return store_failed(taken.error());
  store_failures_ = 0;
  if (*taken) {
    linger_until_.reset();
    load_ = Load{.shipment = *std::move(*taken)};
    const store::OutboxShipment& shipment = load_->shipment;
    begin_part(shipment.settled, shipment.part);
    if (shipment.resumed) load_->attempt = 2;  // It may have been tried before: receivers are told "resent".
    // One that may have arrived as a whole must be tried as a whole again.
    if (const std::uint64_t part = shipment.resumed ? 0 : fitting_part(0); part > 0) {
      split_ = part;
      return hand_in();
    }
    return {};
  }
  status_.change([](DeliveryStatus& status) { status.state = State::kIdle; });
  if (!may_wait || store_.outbox_level(route_.pipeline, route_.sink).records == 0) {
    linger_until_.reset();
    return {When::kWithBlocks};
  }
  if (!linger_until_) linger_until_ = now + limits_.linger.count();
  return {When::kLingering, *linger_until_};
}

void Courier::begin_part(std::uint64_t first, std::uint64_t count) {
  load_->first = first;
  load_->count = count > 0 ? count : load_->shipment.records - first;
  load_->attempt = 1;
  load_->failures = 0;
}

bool Courier::is_whole() const {
  return load_->first == 0 && load_->count == load_->shipment.records;
}

Result<sinks::Shipment> Courier::pack() {
  sinks::Shipment shipment{.store = store_.id(),
                           .number = load_->shipment.number,
                           .blocks = {},
                           .sink_state = load_->shipment.sink_state,
                           .attempt = load_->attempt};
  shipment.origin =
      load_->shipment.inherited ? sinks::Shipment::Origin::kInherited : sinks::Shipment::Origin::kOwn;
  shipment.decision = decision_;
  if (is_whole()) {
    shipment.blocks = std::move(load_->shipment.blocks);
    return shipment;
  }
  LEAT_ASSIGN(shipment.blocks, cut_blocks(load_->shipment.blocks, load_->first, load_->count));
  shipment.part = {static_cast<std::uint32_t>(load_->first), static_cast<std::uint32_t>(load_->count)};
  return shipment;
}

/// Sinks read blocks as they like: what they would stumble over is found before. What can be read goes first.
std::optional<Courier::Next> Courier::step_around_damage() {
  if (!is_whole()) return std::nullopt;
  std::string damage;
  const std::uint64_t readable = count_readable(load_->shipment.blocks, damage);
  if (damage.empty() && readable == load_->shipment.records) return std::nullopt;
  if (damage.empty()) damage = "a shipment has another number of records than it should";
  if (readable == 0 || readable >= load_->shipment.records) return bury_unreadable(damage);
  split_ = readable;
  status_.change([&damage](DeliveryStatus& status) { status.last_error = damage; });
  return hand_in();
}

Courier::Next Courier::attempt() {
  if (auto damaged = step_around_damage()) return *damaged;
  Result<sinks::Shipment> shipment = pack();
  if (!shipment) return bury_unreadable(shipment.error().message);
  status_.change([this](DeliveryStatus& status) {
    status.state = State::kDelivering;
    status.shipment = load_->shipment.number;
    status.attempt = load_->attempt;
    ++status.attempts;
  });
  load_->bytes = 0;
  for (const std::string& block : shipment->blocks) load_->bytes += block.size();
  pace_.spend(load_->count, load_->bytes, clock_.monotonic());
  LEAT_FAULT_POINT("delivery.before-attempt");
  const sinks::Delivery outcome = sink_.deliver(*shipment);
  LEAT_FAULT_POINT("delivery.after-attempt");
  if (is_whole()) load_->shipment.blocks = std::move(shipment->blocks);
  ++load_->attempt;
  return std::visit([this](const auto& what) { return on_outcome(what); }, outcome);
}

Courier::Next Courier::on_outcome(const sinks::Delivered& delivered) {
  using Decision = sinks::Shipment::Decision;
  status_.change([this](DeliveryStatus& status) {
    status.last_success = clock_.wall();
    if (decision_ == Decision::kResend) ++status.resent;
    if (decision_ == Decision::kSkip) ++status.skipped;
    status.throughput.add(load_->count, load_->bytes, clock_.monotonic());
  });
  decision_ = Decision::kNone;
  return settle({.sink_state = delivered.sink_state, .delivered = load_->count});
}

Courier::Next Courier::on_outcome(const sinks::Retry& retry) {
  ++load_->failures;
  status_.change([](DeliveryStatus& status) { ++status.retries; });
  const Micros delay = backoff_.wait(load_->failures, retry.after);
  std::string reason = retry.reason;
  if (retry.after && *retry.after > delay)
    reason += " (it asks for " + rough_duration(retry.after->count()) + ", tried again in " +
              rough_duration(delay.count()) + ")";
  return wait(retry.paused ? State::kPaused : State::kWaiting, delay, reason);
}

Courier::Next Courier::on_outcome(const sinks::Rejected& rejected) {
  status_.change([&rejected](DeliveryStatus& status) {
    ++status.refusals;
    status.last_error = rejected.reason;
  });
  decision_ = sinks::Shipment::Decision::kNone;
  std::vector<std::uint32_t> records = rejected.records;
  std::sort(records.begin(), records.end());
  records.erase(std::unique(records.begin(), records.end()), records.end());
  // An index outside of the shipment says nothing about its records: as a refusal of the whole.
  if (!records.empty() && records.back() < load_->count) return bury(rejected.reason, records);
  if (load_->count == 1) return bury(rejected.reason, {0});
  return rejected.cause == sinks::Rejected::Cause::kSize ? shrink(rejected.reason) : halve(rejected.reason);
}

Courier::Next Courier::on_outcome(const sinks::Held& held) {
  const bool undecided = held.question == sinks::Held::Question::kHasItArrived;
  const std::string of_sink = route_.pipeline.value + " " + route_.sink.value;
  const std::string command = undecided ? "; decide with 'leat outbox resend " + of_sink +
                                              "' (it has not arrived) or 'leat outbox skip " + of_sink +
                                              "' (it has)"
                                        : "; then go on with 'leat outbox resume " + of_sink + "'";
  held_ = true;
  decision_ = sinks::Shipment::Decision::kNone;
  status_.change([&](DeliveryStatus& status) {
    status.state = State::kPaused;
    status.hold = undecided ? DeliveryStatus::Hold::kUndecided : DeliveryStatus::Hold::kFenced;
    status.waiting_until = 0;
    status.last_error = held.reason + command;
  });
  return {When::kHeld};
}

Courier::Next Courier::bury(const std::string& reason, const std::vector<std::uint32_t>& records) {
  std::string damage;
  const std::vector<sinks::Record> all = readable_records(load_->shipment.blocks, damage);
  if (all.size() < load_->first + load_->count)
    return bury_unreadable(damage.empty() ? "a shipment has fewer records than it should" : damage);
  store::Settlement settlement{.sink_state = load_->shipment.sink_state,
                               .delivered = load_->count - records.size()};
  const LetterOrigin origin{route_.sink, load_->shipment.number, clock_.wall()};
  for (const std::uint32_t index : records) {
    const std::uint64_t record = load_->first + index;
    settlement.rejected.push_back(
        rejected_record(origin, record, all[static_cast<std::size_t>(record)], reason));
  }
  load_->suspects = 0;  // The one that was looked for is found.
  return settle(std::move(settlement));
}

// Bytes that are not what was written: nobody can take them, and nobody can say which record is bad.
Courier::Next Courier::bury_unreadable(const std::string& reason) {
  store::Settlement settlement{.sink_state = load_->shipment.sink_state};
  const LetterOrigin origin{route_.sink, load_->shipment.number, clock_.wall()};
  settlement.rejected = unreadable_records(origin, load_->shipment.blocks, load_->count, reason);
  load_->suspects = 0;
  return settle(std::move(settlement));
}

Courier::Next Courier::halve(const std::string& reason) {
  load_->suspects = load_->first + load_->count;
  split_ = load_->count / 2;
  status_.change([&reason](DeliveryStatus& status) { status.last_error = reason; });
  return hand_in();
}

Courier::Next Courier::shrink(const std::string& reason) {
  taken_bytes_ = load_->bytes / 2;
  load_->suspects = 0;
  split_ = std::clamp<std::uint64_t>(fitting_part(load_->first), 1, load_->count - 1);
  status_.change([&reason](DeliveryStatus& status) { status.last_error = reason; });
  return hand_in();
}

/// Records from `first` on that the other side takes at once, at least one; 0: all that are left.
std::uint64_t Courier::fitting_part(std::uint64_t first) const {
  if (!taken_bytes_) return 0;
  std::string damage;
  const std::vector<sinks::Record> records = readable_records(load_->shipment.blocks, damage);
  if (!damage.empty()) return 0;  // The attempt will say so.
  std::uint64_t bytes = 0;
  for (auto i = static_cast<std::size_t>(first); i < records.size(); ++i) {
    bytes += records[i].key.size() + records[i].payload.size();
    if (bytes > *taken_bytes_) return std::max<std::uint64_t>(i - first, 1);
  }
  return 0;
}

// Behind a part that was taken lies the rest of the range that was refused as a whole: look there first, not
// at everything.
std::uint64_t Courier::next_part_behind(std::uint64_t first) const {
  if (load_->suspects <= first) return first < load_->shipment.records ? fitting_part(first) : 0;
  return std::max<std::uint64_t>((load_->suspects - first) / 2, 1);
}

Courier::Next Courier::settle(store::Settlement settlement) {
  settlement.number = load_->shipment.number;
  settlement.first = load_->first;
  settlement.next_part = next_part_behind(load_->first + load_->count);
  settlement_ = std::move(settlement);
  return hand_in();
}

// What is decided stays decided: when the store cannot write it, it is handed in again, and the sink is not
// asked a second time.
Courier::Next Courier::hand_in() {
  const ShipmentNumber number = load_->shipment.number;
  const Status done = ask<void>([&](auto answer) {
    if (settlement_)
      store_.settle(route_.pipeline, route_.sink, *settlement_, std::move(answer));
    else
      store_.split(route_.pipeline, route_.sink, number, load_->first, *split_, std::move(answer));
  });
  if (!done) return store_failed(done.error());
  store_failures_ = 0;
  if (const auto part = std::exchange(split_, std::nullopt)) {
    begin_part(load_->first, *part);
    return {};
  }
  const store::Settlement settled = *std::exchange(settlement_, std::nullopt);
  if (!settled.rejected.empty())
    status_.change([&](DeliveryStatus& status) { status.rejected += settled.rejected.size(); });
  const std::uint64_t behind = load_->first + load_->count;
  load_->shipment.sink_state = settled.sink_state;
  if (behind < load_->shipment.records) {
    begin_part(behind, settled.next_part);
    return {};
  }
  load_.reset();
  status_.change([](DeliveryStatus& status) { ++status.shipments; });
  return {};
}

Courier::Next Courier::store_failed(const Error& error) {
  return wait(State::kWaiting, backoff_.wait(++store_failures_, std::nullopt), "store: " + error.message);
}

Courier::Next Courier::wait(DeliveryStatus::State state, Micros delay, const std::string& reason) {
  not_before_ = saturating_add(clock_.monotonic(), delay.count());
  status_.change([&](DeliveryStatus& status) {
    status.state = state;
    status.waiting_until = saturating_add(clock_.wall(), delay.count());
    status.last_error = reason;
  });
  return {When::kLater, not_before_};
}

}  // namespace leat::runtime
