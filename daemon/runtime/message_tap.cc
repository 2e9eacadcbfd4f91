#include "daemon/runtime/message_tap.h"

#include <utility>

namespace leat::runtime {

void MessageTap::connect(sources::Intake& intake, Ended ended) {
  const std::lock_guard lock(mutex_);
  intake_ = &intake;
  ended_ = std::move(ended);
}

void MessageTap::disconnect() {
  const std::lock_guard lock(mutex_);
  intake_ = nullptr;
  ended_ = {};
  left_ = true;
}

void MessageTap::offer(const std::vector<sources::Message>& messages) {
  const std::lock_guard lock(mutex_);
  if (intake_ == nullptr) return;
  for (const sources::Message& message : messages) {
    const sources::Appended done =
        intake_->append(message.payload, message.key, message.attributes, message.intake_time);
    if (done == sources::Appended::kFull || done == sources::Appended::kFailed) ++skipped_;
  }
}

void MessageTap::end(const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (const Ended ended = std::exchange(ended_, {})) ended(why);
  intake_ = nullptr;
}

bool MessageTap::left() const {
  const std::lock_guard lock(mutex_);
  return left_;
}

std::uint64_t MessageTap::skipped() const {
  const std::lock_guard lock(mutex_);
  return skipped_;
}

}  // namespace leat::runtime
