// What the daemon tells systemd about itself (sd_notify): that it is ready, reloads, stops, how it fares, and
// that it is alive. Without NOTIFY_SOCKET nothing is sent. Any thread, but for the watchdog.
//
// The watchdog: systemd gives WATCHDOG_USEC (WatchdogSec= of the unit), within which it wants to hear from
// the service, else it ends and restarts it. What is sent comes from a timer of the event loop every third of
// that time, and from nowhere else: a loop that is stuck says nothing. systemd counts from READY=1 on; before
// it, and while a reload lasts, each step asks for more time.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "daemon/loop/handles.h"
#include "pipelines/base/time.h"

namespace leat::cli {

class ServiceNotices {
 public:
  /// Everything runs. Ends a reload, too.
  void ready();
  void reloading();
  void stopping();
  /// One line for `systemctl status`; the same again is not sent.
  void status(const std::string& line);
  /// A step that may take long begins: so much more time for the start, the reload or the stop under way.
  void more_time(Micros time);

  /// Sends on the loop from now on, if systemd wants it; the loop outlives it. On the loop's thread.
  void watch(loop::Loop& loop);
  void end_watch() { watchdog_.reset(); }

 private:
  std::mutex mutex_;
  std::string status_;  // The last one sent.
  std::unique_ptr<loop::Timer> watchdog_;
};

/// How long systemd waits at most for a sign of life; none: it does not.
std::optional<Micros> watchdog_time();

}  // namespace leat::cli
