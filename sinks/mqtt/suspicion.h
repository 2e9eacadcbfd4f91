// Which record does the broker never take? One that hangs up says nothing of it (before MQTT 5 it has no word
// for that): the record would hold up all others for ever. A broker that is in trouble itself hangs up as
// well, and is to bury nothing.
//
// So a record is refused when the broker has failed with it time and again, and has each time, right before
// it and on the same connection, taken something else. What it took before an outage, or takes after it, says
// nothing. Where no other record goes before it, the sink sends a probe:
//   - the last record that the broker has taken, again: it is of the same kind and for the same topics, so a
//     broker that takes none buries none, and to be repeated is what "at least once" means. Records behind
//     the suspected one are no probe: should that be good after all, they would have come before it;
//   - if none was taken since the start: the birth again;
//   - without a birth: an empty message to kProbeTopic, where nobody listens.
// A probe that does not come through proves nothing, and must not hold up a record that would: the next
// attempt goes without one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace leat::sinks {

inline constexpr std::string_view kProbeTopic = "leat/probe";

/// Of one shipment after another. Not thread-safe.
class Suspicion {
 public:
  /// Failures in a row at one record before they are sent one by one, and as many more before that is
  /// refused.
  static constexpr int kFailures = 5;

  /// What became of an attempt that did not get to the end of the shipment.
  struct Failure {
    enum class Record : std::uint8_t { kNotSent, kSent };
    enum class Others : std::uint8_t { kNone, kTaken };
    std::size_t first = 0;  ///< The first record that is not settled.
    Record record = Record::kSent;
    Others others = Others::kNone;  ///< On the same connection, before that record.
  };

  [[nodiscard]] bool is_one_by_one() const { return one_by_one_; }
  /// The next attempt is to begin with a probe.
  [[nodiscard]] bool wants_probe() const { return one_by_one_ && probes_; }
  /// Another shipment.
  void forget() { *this = Suspicion(); }

  /// True: the record is to be refused.
  bool confirms(const Failure& failure) {
    if (failure.record == Failure::Record::kNotSent) {
      probes_ = !probes_;
      return false;
    }
    probes_ = true;
    if (std::exchange(stuck_at_, failure.first) != failure.first) failures_ = 0;
    if (one_by_one_ && failure.others == Failure::Others::kNone) return false;
    if (++failures_ < kFailures) return false;
    failures_ = 0;
    return std::exchange(one_by_one_, true);
  }

 private:
  std::size_t stuck_at_ = 0;
  int failures_ = 0;
  bool one_by_one_ = false;
  bool probes_ = true;
};

}  // namespace leat::sinks
