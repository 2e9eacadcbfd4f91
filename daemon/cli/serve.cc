// leat serve: the daemon.
#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "daemon/api/gate.h"
#include "daemon/api/server.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/verbs.h"
#include "daemon/config/config.h"
#include "daemon/config/time_zone.h"
#include "daemon/log/log.h"
#include "daemon/loop/gateway_clock.h"
#include "daemon/loop/handles.h"
#include "daemon/loop/loop.h"
#include "daemon/loop/stall_watch.h"
#include "daemon/runtime/host.h"
#include "daemon/store/store.h"
#include "leat_version.h"

namespace leat::cli {
namespace {

constexpr Micros kClockWatch{kMicrosPerSecond};
constexpr std::int64_t kBuilt = kBuildSeconds * kMicrosPerSecond;

int complain(const Error& error, int code) {
  fmt::print(stderr, "leat serve: {}\n", error.message);
  return code;
}

Result<config::Config> configuration(const ServeOptions& options) {
  auto read = config::read_config(options.config);
  // Without a file at the default place everything has its default; a file that was named must be there.
  if (!read && read.error().code == ErrorCode::kNotFound && !options.config_given) return config::Config{};
  return read;
}

void configure_log(const config::Config& config) {
  log::Settings settings;
  settings.form = config.log_format == "json"   ? log::Form::kJson
                  : config.log_format == "text" ? log::Form::kText
                                                : log::detect_form();
  settings.level = log::parse_level(config.log_level).value_or(log::Level::kInfo);
  log::configure(settings);
}

Result<std::unique_ptr<store::Store>> open_store(const config::Config& config) {
  std::error_code failed;
  const bool is_new = !std::filesystem::exists(config.data_dir, failed);
  std::filesystem::create_directories(config.data_dir + "/journal", failed);
  // Messages, results, and the texts of deployed pipelines with their passwords.
  if (is_new && !failed)
    std::filesystem::permissions(config.data_dir, std::filesystem::perms::owner_all, failed);
  if (failed)
    return fail(ErrorCode::kIo,
                fmt::format("data_dir '{}' cannot be made: {}; set data_dir in the configuration to a "
                            "folder that this user may write",
                            config.data_dir, failed.message()));
  std::vector<std::string> notes;
  auto store = store::Store::open({.path = config.data_dir + "/leat.db",
                                   .dead_letters_max_bytes = config.dead_letters_max_bytes.bytes,
                                   .dead_letters_max_count = config.dead_letters_max_count,
                                   .max_bytes = config.store_max_bytes.value_or(ByteSize{0}).bytes},
                                  notes);
  for (const std::string& note : notes) log::warn("store", {{"note", note}});
  return store;
}

/// Everything that lives as long as the daemon, in the order of start; it goes in reverse.
class Daemon {
 public:
  Daemon(const config::Config& config, loop::Loop& loop, store::Store& store, std::int64_t last_commit)
      : config_(config),
        loop_(loop),
        clock_(system_clock_, std::max(kBuilt, last_commit)),
        gateway_id_(config.gateway_id.empty() ? "leat-" + store.id().value.substr(0, 12) : config.gateway_id),
        host_({.loop = &loop,
               .clock = &clock_,
               .store = &store,
               .gateway_id = gateway_id_,
               .journal_dir = config.data_dir + "/journal",
               .time_zone = config::host_time_zone()}),
        stalls_(loop),
        server_({.host = &host_,
                 .store = &store,
                 .clock = &clock_,
                 .stalls = &stalls_,
                 .gateway_id = gateway_id_,
                 .version = kVersion,
                 .started = clock_.wall(),
                 .data_dir = config.data_dir,
                 .gates = &gates_},
                config_) {}

  int run() {
    if (Status listening = server_.start(); !listening)
      return complain(listening.error(), code_of(listening));
    loop::SignalHandler interrupt(loop_, SIGINT, [this] { stop("SIGINT"); });
    loop::SignalHandler terminate(loop_, SIGTERM, [this] { stop("SIGTERM"); });
    loop::Timer clock_watch(loop_, [this] { watch_clock(); });
    clock_watch.repeat(kClockWatch);
    loop_.post([this] {
      watch_clock();
      host_.load_folder(config_.pipelines_dir);
      log::info("ready", {{"version", kVersion},
                          {"gateway", gateway_id_},
                          {"api", server_.url()},
                          {"socket", server_.socket()}});
      sd_notify(0, "READY=1");
    });
    loop_.run();
    host_.loop_ended();
    server_.stop();
    log::info("stopped");
    return kOk;
  }

 private:
  /// What a restart cannot mend is said so, and systemd does not try.
  static int code_of(const Status& listening) {
    return listening.error().code == ErrorCode::kInvalid ? kBadConfig : kFailed;
  }

  /// Looks often enough to notice that the clock was set, and says so.
  void watch_clock() {
    const loop::ClockStatus clock = clock_.status();
    if (std::exchange(jumps_forward_, clock.jumps_forward) < clock.jumps_forward)
      log::warn("the clock was set forward", {{"time", format_rfc3339(Timestamp(Micros(clock.system)))}});
    if (std::exchange(clock_state_, clock.state) == clock.state) return;
    if (clock.state == loop::ClockStatus::State::kGood)
      return log::info("the clock is right again",
                       {{"time", format_rfc3339(Timestamp(Micros(clock.system)))}});
    log::warn("the clock is not right", {{"state", std::string(to_string(clock.state))},
                                         {"detail", describe(clock, clock_.plausible_from())}});
  }

  void stop(std::string_view signal) {
    if (std::exchange(stopping_, true)) return loop_.stop();  // The second signal does not wait.
    log::info("stopping", {{"signal", std::string(signal)}});
    sd_notify(0, "STOPPING=1");
    host_.stop(clock_.monotonic() + config_.stop_timeout.count(), [this] { loop_.stop(); });
  }

  const config::Config config_;
  loop::Loop& loop_;
  const loop::SystemClock system_clock_;
  const loop::GatewayClock clock_;
  const std::string gateway_id_;
  runtime::Host host_;
  loop::StallWatch stalls_;
  api::Gates gates_;
  api::Server server_;
  bool stopping_ = false;
  loop::ClockStatus::State clock_state_ = loop::ClockStatus::State::kGood;
  std::uint64_t jumps_forward_ = 0;
};

}  // namespace

int serve(const ServeOptions& options) {
  const auto config = configuration(options);
  if (!config) return complain(config.error(), kBadConfig);
  configure_log(*config);
  auto store = open_store(*config);
  if (!store) return complain(store.error(), kFailed);
  auto loop = loop::Loop::create();
  if (!loop) return complain(loop.error(), kFailed);
  int code = kOk;
  {
    Daemon daemon(*config, **loop, **store, (*store)->last_commit_time().value_or(0));
    code = daemon.run();
  }
  (*store)->close();
  return code;
}

}  // namespace leat::cli
