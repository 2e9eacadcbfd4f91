// Time zones: between points in time (microseconds in UTC) and the wall clock of a zone (microseconds as if
// it were UTC). Where the wall clock jumps, Java's rules hold: a time in a gap is moved forward by the gap's
// length, a time that exists twice is the earlier of the two.
//
// A Zone is immutable and cheap to copy. A ZoneClock remembers the last stretch of constant offset, which
// makes a column of near times cost an addition each; make one per column, it is not for sharing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "pipelines/base/result.h"

namespace leat {

class Zone {
 public:
  Zone() = default;  ///< UTC
  /// IANA names ("Europe/Berlin"), "UTC", "Z", and fixed offsets as Java has them: "+08:00", "GMT-3",
  /// "UTC+05:30". Errors: invalid, names the text.
  static Result<Zone> find(std::string_view name);

  [[nodiscard]] bool is_utc() const { return rules_ == nullptr; }
  /// As it was given to `find`; "UTC" for every name of UTC.
  [[nodiscard]] std::string name() const;

 private:
  friend class ZoneClock;
  struct Rules;
  std::shared_ptr<const Rules> rules_;  // Null: UTC.
};

class ZoneClock {
 public:
  explicit ZoneClock(Zone zone) : zone_(std::move(zone)) {}

  /// Wall clock of a point in time.
  std::int64_t to_local(std::int64_t utc) {
    if (zone_.is_utc()) return utc;
    if (utc < begin_ || utc >= end_) find_stretch(utc);
    return utc + offset_;
  }
  /// Point in time of a wall clock.
  std::int64_t to_utc(std::int64_t local);

 private:
  void find_stretch(std::int64_t utc);

  Zone zone_;
  // Offset of the points in time in [begin_, end_); empty before the first call.
  std::int64_t begin_ = 1;
  std::int64_t end_ = 0;
  std::int64_t offset_ = 0;
};

}  // namespace leat
