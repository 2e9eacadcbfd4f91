// The gateway's clock as operators see it: it never goes back, however it is set.
//
// A gateway whose clock has not been set yet (it starts in 1970) shows times far behind the last one; until
// it is set, time goes on by what passes on that clock, so that nothing waits for the clock to be right.
//
// An operator saves it whenever it writes rows or what a tick made due, so that after a restart time goes on
// no earlier than at what has been given out:
//   time := zigzag now, [zigzag what an unset clock showed last]      (microseconds)
#pragma once

#include <cstdint>

#include "pipelines/base/bytes.h"

namespace leat::exec {

class GatewayTime {
 public:
  /// `clock_plausible_from`: see DataflowOptions.
  explicit GatewayTime(std::int64_t clock_plausible_from) : plausible_from_(clock_plausible_from) {}

  /// The clock shows `now`, at a row's intake or at a tick.
  void move_to(std::int64_t now);
  /// 0 before the first `move_to`.
  [[nodiscard]] std::int64_t now() const { return now_; }

  void write(ByteWriter& out) const;
  /// False: the bytes are no time.
  bool read(ByteReader& in);

 private:
  std::int64_t plausible_from_;
  std::int64_t now_ = 0;
  std::int64_t unset_ = 0;  // What a clock that is not set showed last; 0: it is set.
};

}  // namespace leat::exec
