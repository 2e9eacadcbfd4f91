// What the store does when nobody wants anything of it: gives free pages back to the file system, and moves
// the log into the database, in steps so short that a commit which comes meanwhile hardly notices.
#pragma once

#include <chrono>
#include <optional>

#include "daemon/store/sqlite.h"

namespace leat::store {

/// How long until the next step; zero: at once; none: nothing is to do before something is written.
using UntilNextStep = std::optional<std::chrono::milliseconds>;

class Housekeeper {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Load {
    kQuiet,   ///< Nobody wants anything: all that can be given back is.
    kBusy,    ///< Requests come all the time: pages are only moved when most of the file is free.
    kUrgent,  ///< The disk is full: as kQuiet, and the log is emptied without delay.
  };

  /// One step. A failure (a full disk) ends the round: there is another after the next request.
  UntilNextStep step(Connection& connection, Load load, Clock::time_point now);

 private:
  UntilNextStep checkpoint(Connection& connection, Load load, Clock::time_point now);

  bool vacuumed_ = false;  // The file shrinks when the log is moved into it.
  std::optional<Clock::time_point> last_checkpoint_;
};

}  // namespace leat::store
