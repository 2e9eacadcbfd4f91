// Reloads of a running daemon: its configuration and its pipeline folder are read anew, at a signal or by the
// API, one at a time. They block for seconds: a signal's runs on a thread of its own.
#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/api/reload.h"
#include "daemon/cli/service_notices.h"
#include "daemon/config/layers.h"
#include "daemon/loop/loop.h"
#include "daemon/runtime/host.h"

namespace leat::cli {

class Reloads {
 public:
  /// `inputs` are those that `loaded` was read from. Loop, host and notices outlive the object.
  Reloads(config::Inputs inputs, config::Loaded loaded, loop::Loop& loop, runtime::Host& host,
          ServiceNotices& notices);
  ~Reloads() { join(); }

  /// Any thread but the loop's. Errors: as Host::reload.
  Result<api::Reloaded> run(const runtime::ReloadRequest& request);
  /// Why the configuration is refused that the last of them found; "": it is not. Any thread.
  [[nodiscard]] std::string refused_configuration() const;
  /// Begins one, or another one after that which is under way. On the loop.
  void begin();
  /// Waits for what `begin` has begun; the host must know that its loop has ended.
  void join();

 private:
  api::ConfigurationReload reload_configuration(const runtime::ReloadRequest& request);
  void tell_configuration(const api::ConfigurationReload& done);
  void ended();

  const config::Inputs inputs_;
  const config::Loaded at_start_;
  loop::Loop& loop_;
  runtime::Host& host_;
  ServiceNotices& notices_;
  std::mutex mutex_;       // Held by the reload that is under way.
  std::string log_level_;  // As last read; under mutex_.
  mutable std::mutex refused_mutex_;
  std::string refused_;  // Under it.
  std::thread thread_;   // These three on the loop.
  bool under_way_ = false;
  bool again_ = false;
};

/// "3 pipelines run, 1 failed"
std::string status_line(const runtime::Host::Counts& counts);

}  // namespace leat::cli
