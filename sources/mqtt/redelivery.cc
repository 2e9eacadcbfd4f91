#include "sources/mqtt/redelivery.h"

namespace leat::sources {
namespace {

constexpr std::size_t kPacketIds = 65'536;

}  // namespace

void Redelivery::stored(DeliveryIdentity delivery) {
  if (last_.empty()) last_.resize(kPacketIds);
  last_[delivery.packet_id] = {.fingerprint = delivery.fingerprint, .number = ++stored_};
}

void Redelivery::session_kept() {
  reconnected_ = stored_;
  ++connection_;
  deliveries_ = 0;
}

void Redelivery::session_lost() {
  reconnected_ = 0;
  forgotten_ = stored_;
}

bool Redelivery::absorbs(DeliveryIdentity delivery, Mark mark) {
  if (reconnected_ == 0) return false;
  const bool possible = mark == Mark::kRepeated || (mark == Mark::kHidden && deliveries_ < receive_maximum_);
  ++deliveries_;
  if (!possible) return false;
  Last& last = last_[delivery.packet_id];
  if (!may_repeat(last) || last.fingerprint != delivery.fingerprint) return false;
  last.absorbed = connection_;
  return true;
}

bool Redelivery::may_repeat(const Last& last) const {
  return last.number > forgotten_ && last.number <= reconnected_ && last.number + kWindow > reconnected_ &&
         last.absorbed != connection_;
}

}  // namespace leat::sources
