// What the store does when nobody wants anything of it: gives free pages back to the file system, and moves
// the log into the database, in steps so short that a commit which comes meanwhile hardly notices.
//
// Pages in use that lie behind free ones must be moved before a file can be cut. So nothing is moved while
// pages become free in numbers: what drains now would be moved first and deleted then. And a file of which
// hardly anything is in use is cut in one step: page by page SQLite looks each of them up in the list of free
// ones, which takes hours for ten gigabytes, and seconds at once.
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
    kQuiet,   ///< Nobody wants anything: all that can be given back is, unless a backlog drains.
    kBusy,    ///< Requests come all the time: pages are only moved when most of the file is free.
    kUrgent,  ///< The disk is full: as kQuiet, and the log is emptied without delay.
  };

  /// One step. A failure (a full disk) ends the round: there is another after the next request.
  UntilNextStep step(Connection& connection, Load load, Clock::time_point now);

 private:
  struct Pages {
    long all = 0;
    long free = 0;
  };
  static std::optional<Pages> count(Connection& connection);
  void watch(const Pages& pages, Clock::time_point now);
  [[nodiscard]] bool worth_moving(const Pages& pages, Load load) const;
  UntilNextStep checkpoint(Connection& connection, Load load, Clock::time_point now);

  // Whether pages become free in numbers is told by spans of time.
  struct Span {
    Clock::time_point since;
    long free = 0;
    long given_back = 0;
  };
  std::optional<Span> span_;
  bool drains_ = false;
  bool vacuumed_ = false;  // The file shrinks when the log is moved into it.
  std::optional<Clock::time_point> last_checkpoint_;
};

}  // namespace leat::store
