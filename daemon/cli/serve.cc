// leat serve: the daemon.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "daemon/api/gate.h"
#include "daemon/api/server.h"
#include "daemon/cli/allocator.h"
#include "daemon/cli/configuration.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/reloads.h"
#include "daemon/cli/service_notices.h"
#include "daemon/cli/verbs.h"
#include "daemon/config/layers.h"
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
constexpr Micros kStatusWatch{5 * kMicrosPerSecond};
/// What a stop may take behind stop_timeout: the last commits, and the store's end.
constexpr Micros kLastCommits{20 * kMicrosPerSecond};
/// What one step of the start may take: opening the store, restoring a pipeline.
constexpr Micros kStepTime{300 * kMicrosPerSecond};
constexpr std::int64_t kBuilt = kBuildSeconds * kMicrosPerSecond;

int complain(const Error& error, int code) {
  fmt::print(stderr, "leat serve: {}\n", error.message);
  return code;
}

void configure_log(const config::Config& config) {
  log::Settings settings;
  settings.form = config.log_format == "json"   ? log::Form::kJson
                  : config.log_format == "text" ? log::Form::kText
                                                : log::detect_form();
  settings.level = log::parse_level(config.log_level).value_or(log::Level::kInfo);
  log::configure(settings);
}

/// Nobody has said anything: what is done then.
void log_defaults(const std::string& file, const config::Config& config) {
  log::info("there is no configuration file: the defaults are in force",
            {{"file", file},
             {"data_dir", config.data_dir},
             {"pipelines_dir", config.pipelines_dir},
             {"api", config.api_listen},
             {"see", "leat config show"}});
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
  Daemon(const config::Inputs& inputs, const config::Loaded& loaded, loop::Loop& loop, store::Store& store,
         ServiceNotices& notices)
      : config_(loaded.config),
        loop_(loop),
        notices_(notices),
        clock_(system_clock_, std::max(kBuilt, store.last_commit_time().value_or(0))),
        gateway_id_(config_.gateway_id.empty() ? "leat-" + store.id().value.substr(0, 12)
                                               : config_.gateway_id),
        host_({.loop = &loop,
               .clock = &clock_,
               .store = &store,
               .gateway_id = gateway_id_,
               .journal_dir = config_.data_dir + "/journal",
               .time_zone = config::host_time_zone()}),
        reloads_(inputs, loaded, loop, host_, notices),
        stalls_(loop),
        server_({.host = &host_,
                 .store = &store,
                 .clock = &clock_,
                 .stalls = &stalls_,
                 .gateway_id = gateway_id_,
                 .version = kVersion,
                 .started = clock_.wall(),
                 .data_dir = config_.data_dir,
                 .gates = &gates_,
                 .reload = [this](const runtime::ReloadRequest& request) { return reloads_.run(request); },
                 .refused_configuration = [this] { return reloads_.refused_configuration(); },
                 .stopping = [this] { return stopping_.load(); }},
                config_) {}

  int run() {
    if (Status listening = server_.start(); !listening)
      return complain(listening.error(), code_of(listening));
    loop::SignalHandler interrupt(loop_, SIGINT, [this] { stop("SIGINT"); });
    loop::SignalHandler terminate(loop_, SIGTERM, [this] { stop("SIGTERM"); });
    loop::SignalHandler hang_up(loop_, SIGHUP, [this] { reload(); });
    loop::Timer clock_watch(loop_, [this] { watch_clock(); });
    clock_watch.repeat(kClockWatch);
    loop::Timer status_watch(loop_, [this] { tell_status(); });
    loop_.post([this, &status_watch] {
      watch_clock();
      host_.load_folder(config_.pipelines_dir, [this] { notices_.more_time(kStepTime); });
      log::info("ready", {{"version", kVersion},
                          {"gateway", gateway_id_},
                          {"api", server_.url()},
                          {"socket", server_.socket()}});
      tell_status();
      notices_.watch(loop_);
      notices_.ready();
      status_watch.repeat(kStatusWatch);
    });
    loop_.run();
    if (stopping_ && clock_.monotonic() >= stop_by_)
      log::warn(
          "'stop_timeout' has ended the wait: a far side gives no answer, or there is more to process than "
          "that takes; it is done "
          "after the next start",
          {{"stop_timeout", format_duration(config_.stop_timeout)}});
    host_.loop_ended();
    notices_.end_watch();
    server_.stop();
    reloads_.join();
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

  void tell_status() {
    if (!stopping_) notices_.status(status_line(host_.counts()));
  }

  void reload() {
    if (stopping_) return;
    log::info("reloading", {{"signal", "SIGHUP"}});
    reloads_.begin();
  }

  void stop(std::string_view signal) {
    if (stopping_.exchange(true)) return loop_.stop();  // The second signal does not wait.
    log::info("stopping", {{"signal", std::string(signal)}});
    notices_.stopping();
    // The unit's TimeoutStopSec need not follow stop_timeout.
    notices_.more_time(config_.stop_timeout + kLastCommits);
    notices_.status("stopping: pipelines process what they have, and commit");
    stop_by_ = clock_.monotonic() + config_.stop_timeout.count();
    host_.stop(stop_by_, [this] { loop_.stop(); });
  }

  const config::Config config_;
  loop::Loop& loop_;
  ServiceNotices& notices_;
  const loop::SystemClock system_clock_;
  const loop::GatewayClock clock_;
  const std::string gateway_id_;
  runtime::Host host_;
  Reloads reloads_;
  loop::StallWatch stalls_;
  api::Gates gates_;
  api::Server server_;
  std::atomic<bool> stopping_{false};  // Written on the loop.
  std::int64_t stop_by_ = 0;           // Of the monotonic clock.
  loop::ClockStatus::State clock_state_ = loop::ClockStatus::State::kGood;
  std::uint64_t jumps_forward_ = 0;
};

}  // namespace

int serve(const ServeOptions& options) {
  keep_memory_small();
  using Missing = config::Inputs::Missing;
  const config::Inputs inputs{.file = options.config,
                              .missing = options.config_given ? Missing::kError : Missing::kDefaults,
                              .environment = config::process_environment(),
                              .settings = options.settings};
  const auto loaded = config::load(inputs);
  if (!loaded) return complain(loaded.error(), kBadConfig);
  configure_log(loaded->config);
  // Until the loop takes it: what a reload would read is read anyhow.
  std::signal(SIGHUP, SIG_IGN);
  if (loaded->files.empty()) log_defaults(options.config, loaded->config);
  ServiceNotices notices;
  notices.more_time(kStepTime);
  auto store = open_store(loaded->config);
  if (!store) return complain(store.error(), kFailed);
  auto loop = loop::Loop::create();
  if (!loop) return complain(loop.error(), kFailed);
  int code = kOk;
  {
    Daemon daemon(inputs, *loaded, **loop, **store, notices);
    code = daemon.run();
  }
  (*store)->close();
  return code;
}

}  // namespace leat::cli
