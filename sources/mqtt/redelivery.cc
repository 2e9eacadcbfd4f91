#include "sources/mqtt/redelivery.h"

#include <algorithm>

namespace leat::sources {
namespace {

constexpr std::size_t kPacketIds = 65'536;
/// Behind an identifier of the last quarter one of the first may follow: they are used up.
constexpr std::uint16_t kLastQuarter = 49'152;

}  // namespace

void Redelivery::stored(DeliveryIdentity delivery) {
  if (last_.empty()) last_.resize(kPacketIds);
  Last& last = last_[delivery.packet_id];
  alike_ = alike_ || (last.fingerprint == delivery.fingerprint && last.number > forgotten_);
  last = {.fingerprint = delivery.fingerprint, .number = ++stored_};
  note_turn(delivery.packet_id);
}

void Redelivery::note_turn(std::uint16_t packet_id) {
  const bool wraps = last_id_ >= kLastQuarter && packet_id < kPacketIds - kLastQuarter;
  in_turn_ = packet_id > last_id_ || wraps ? in_turn_ + 1 : 0;
  last_id_ = packet_id;
}

void Redelivery::session_kept() {
  reconnected_ = stored_;
  runs_ = {};
}

void Redelivery::session_lost() {
  reconnected_ = 0;
  forgotten_ = stored_;
  last_id_ = 0;
  in_turn_ = 0;
  alike_ = false;
}

bool Redelivery::absorbs(DeliveryIdentity delivery, Mark mark) {
  if (reconnected_ == 0 || mark == Mark::kNew) return false;
  Run& run = runs_[mark == Mark::kHidden ? 1 : 0];
  ++run.deliveries;
  if (run.over || (mark == Mark::kHidden && !may_be_hidden(delivery, run))) return false;
  if (!repeats(delivery, run)) {
    run.over = true;
    return false;
  }
  run.absorbed = last_[delivery.packet_id].number;
  return run.absorbed + kWindow > reconnected_ || is_unique(delivery);
}

/// No other identifier has its content.
bool Redelivery::is_unique(DeliveryIdentity delivery) const {
  return std::ranges::count_if(last_, [&](const Last& last) {
           return last.fingerprint == delivery.fingerprint && last.number > forgotten_;
         }) == 1;
}

bool Redelivery::may_be_hidden(DeliveryIdentity delivery, const Run& run) const {
  if (run.deliveries > receive_maximum_) return false;
  if (in_turn_ >= kInTurn) return true;
  return !alike_ && is_unique(delivery);
}

bool Redelivery::repeats(DeliveryIdentity delivery, const Run& run) const {
  const Last& last = last_[delivery.packet_id];
  return last.fingerprint == delivery.fingerprint && last.number > forgotten_ && last.number > run.absorbed &&
         last.number <= reconnected_;
}

}  // namespace leat::sources
