// Times of the week, as 'sink.schedule' names them. Pure: which moments of a local week are inside; time
// zones and their jumps are the user's of this (daemon/runtime/delivery_schedule.h).
//
//   week   := window (';' window)…
//   window := [days ' '] HH:MM '-' HH:MM     an end before the begin lies on the next day; 24:00 is an end
//   days   := day ['-' day] (',' day ['-' day])…     Mon Tue Wed Thu Fri Sat Sun; without: every day
//
// A window belongs to the day on which it begins: 'Fri 22:00-06:00' ends on Saturday.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/base/result.h"

namespace leat {

class Week {
 public:
  /// Errors: invalid, with what was expected.
  static Result<Week> parse(std::string_view text);

  /// `local`: microseconds since the epoch by the local wall clock, as if it were UTC.
  [[nodiscard]] bool contains(std::int64_t local) const { return until_next(local) == 0; }
  /// Microseconds from `local` to the next moment inside, if the wall clock does not jump; 0: it is inside.
  [[nodiscard]] std::int64_t until_next(std::int64_t local) const;

 private:
  // [begin, end) in minutes since Monday 00:00; the end may lie in the next week.
  std::vector<std::pair<int, int>> windows_;
};

}  // namespace leat
