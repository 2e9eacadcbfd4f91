// One attempt of the mqtt sink to deliver a shipment: what was sent, and what became of it. The delivery's
// thread sends and waits; answers come on Paho's thread, the end of the connection on the client's.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::sinks {

/// What became of the messages of one attempt. Shared with the answers that are still to come when the
/// attempt has been given up.
class Attempt {
 public:
  explicit Attempt(std::size_t records) : fates_(records, Fate::kOpen) {}

  /// Record `record` goes out, behind all before it.
  void sent(std::size_t record) {
    const std::scoped_lock lock(mutex_);
    sent_below_ = record + 1;
    ++in_flight_;
  }
  /// It did not go out. How many are in flight without it.
  std::size_t unsent(std::size_t record) {
    const std::scoped_lock lock(mutex_);
    sent_below_ = record;
    return --in_flight_;
  }
  void answered(std::size_t record, const Status& status) {
    {
      const std::scoped_lock lock(mutex_);
      --in_flight_;
      ++answers_;
      if (status) {
        fates_[record] = Fate::kTaken;
        took_any_ = true;
      } else if (status.error().code == ErrorCode::kInvalid) {
        refuse_locked(record, status.error().message);
      } else {
        break_locked(status.error());
      }
    }
    changed_.notify_all();
  }
  /// A message that is no record.
  void probe_sent() {
    const std::scoped_lock lock(mutex_);
    probed_ = true;
    ++in_flight_;
  }
  /// A broker that does not want it is no trouble of the attempt.
  void probe_answered(const Status& status) {
    {
      const std::scoped_lock lock(mutex_);
      --in_flight_;
      ++answers_;
      if (status)
        took_any_ = true;
      else if (status.error().code == ErrorCode::kUnavailable)
        break_locked(status.error());
    }
    changed_.notify_all();
  }
  void refuse(std::size_t record, const std::string& reason) {
    const std::scoped_lock lock(mutex_);
    refuse_locked(record, reason);
  }
  /// Nothing more is answered.
  void end(Error why) {
    {
      const std::scoped_lock lock(mutex_);
      over_ = true;
      if (!broken_) broken_ = std::move(why);
    }
    changed_.notify_all();
  }

  /// Waits until fewer than `most` are in flight. False: something is wrong (`trouble`), or nothing was
  /// answered for `patience`.
  bool wait_below(std::size_t most, std::chrono::microseconds patience) {
    std::unique_lock lock(mutex_);
    while (!broken_ && in_flight_ >= most) {
      const std::uint64_t before = answers_;
      if (changed_.wait_for(lock, patience, [&] { return broken_ || answers_ != before; })) continue;
      over_ = true;
      broken_ = Error{ErrorCode::kExhausted, "the broker acknowledges nothing"};
    }
    return !broken_.has_value();
  }
  /// Waits until all that is in flight is answered. False: it is not, and will not be.
  bool wait_for_rest(std::chrono::microseconds patience) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return over_ || in_flight_ == 0; });
    return !over_ && in_flight_ == 0;
  }

  [[nodiscard]] std::optional<Error> trouble() const {
    const std::scoped_lock lock(mutex_);
    return broken_;
  }
  /// Of this attempt, not of those before it; a record or a probe.
  [[nodiscard]] bool took_any() const {
    const std::scoped_lock lock(mutex_);
    return took_any_;
  }
  [[nodiscard]] bool sent_any() const {
    const std::scoped_lock lock(mutex_);
    return probed_ || sent_below_ > 0;
  }
  /// In this attempt.
  [[nodiscard]] bool has_sent(std::size_t record) const {
    const std::scoped_lock lock(mutex_);
    return record < sent_below_;
  }
  /// Records before this one need not be sent again.
  [[nodiscard]] std::size_t settled() const {
    const std::scoped_lock lock(mutex_);
    return settled_locked();
  }
  /// The last one of them that the broker has, if it has any.
  [[nodiscard]] std::optional<std::size_t> last_taken() const {
    const std::scoped_lock lock(mutex_);
    for (std::size_t i = settled_locked(); i > 0; --i)
      if (fates_[i - 1] == Fate::kTaken) return i - 1;
    return std::nullopt;
  }
  [[nodiscard]] std::vector<std::uint32_t> refused(std::string& reason) const {
    const std::scoped_lock lock(mutex_);
    std::vector<std::uint32_t> list;
    for (std::size_t i = 0; i < fates_.size(); ++i)
      if (fates_[i] == Fate::kRefused) list.push_back(static_cast<std::uint32_t>(i));
    reason = reason_;
    return list;
  }
  /// The same records, to be sent again from the first that is open.
  [[nodiscard]] std::shared_ptr<Attempt> again() const {
    const std::scoped_lock lock(mutex_);
    auto next = std::make_shared<Attempt>(fates_.size());
    const auto open = fates_.begin() + static_cast<std::ptrdiff_t>(settled_locked());
    std::copy(fates_.begin(), open, next->fates_.begin());
    next->reason_ = reason_;
    return next;
  }

 private:
  enum class Fate : std::uint8_t {
    kOpen,     ///< Not sent yet, or not answered.
    kTaken,    ///< The broker has it.
    kRefused,  ///< It will never be taken.
  };

  [[nodiscard]] std::size_t settled_locked() const {
    const auto open = std::find(fates_.begin(), fates_.end(), Fate::kOpen);
    return static_cast<std::size_t>(open - fates_.begin());
  }
  void refuse_locked(std::size_t record, const std::string& reason) {
    fates_[record] = Fate::kRefused;
    if (reason_.empty()) reason_ = reason;
  }
  void break_locked(const Error& error) {
    over_ = over_ || error.code == ErrorCode::kUnavailable;
    if (!broken_) broken_ = error;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Fate> fates_;
  std::size_t in_flight_ = 0;
  std::size_t sent_below_ = 0;  // Records from the first open one up to here have gone out.
  std::uint64_t answers_ = 0;
  bool probed_ = false;
  bool took_any_ = false;
  bool over_ = false;   // The connection has ended, or is given up.
  std::string reason_;  // Of the first refusal.
  std::optional<Error> broken_;
};

}  // namespace leat::sinks
