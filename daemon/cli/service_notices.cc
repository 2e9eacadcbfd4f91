#include "daemon/cli/service_notices.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include <algorithm>

namespace leat::cli {
namespace {

constexpr int kKeepEnvironment = 0;
/// Of the time that systemd gives: one sign may be late, and one lost.
constexpr std::int64_t kSigns = 3;

/// As systemd counts: the moment from which on a reload is under way.
std::uint64_t monotonic_micros() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * kMicrosPerSecond +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

void send(const std::string& state) {
  (void)sd_notify(kKeepEnvironment, state.c_str());  // Who does not listen need not hear.
}

}  // namespace

std::optional<Micros> watchdog_time() {
  std::uint64_t micros = 0;
  if (sd_watchdog_enabled(kKeepEnvironment, &micros) <= 0) return std::nullopt;
  return Micros(static_cast<std::int64_t>(micros));
}

void ServiceNotices::ready() {
  send("READY=1");
}

void ServiceNotices::reloading() {
  send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_micros()));
}

void ServiceNotices::stopping() {
  send("STOPPING=1");
}

void ServiceNotices::status(const std::string& line) {
  const std::scoped_lock lock(mutex_);
  if (std::exchange(status_, line) != line) send("STATUS=" + line);
}

void ServiceNotices::more_time(Micros time) {
  send(fmt::format("EXTEND_TIMEOUT_USEC={}", time.count()));
}

void ServiceNotices::watch(loop::Loop& loop) {
  const auto time = watchdog_time();
  if (!time) return;
  watchdog_ = std::make_unique<loop::Timer>(loop, [] { send("WATCHDOG=1"); });
  watchdog_->repeat(std::max(Micros(time->count() / kSigns), Micros(1'000)));
}

}  // namespace leat::cli
