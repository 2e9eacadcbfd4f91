#include "daemon/cli/reloads.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "daemon/cli/configuration.h"
#include "daemon/log/log.h"

namespace leat::cli {
namespace {

constexpr std::string_view kLogLevel = "log.level";
constexpr Micros kStepTime{60 * kMicrosPerSecond};

}  // namespace

/// To the log, and to who asks later.
void Reloads::tell_configuration(const api::ConfigurationReload& done) {
  {
    const std::scoped_lock lock(refused_mutex_);
    refused_ = done.error;
  }
  if (!done.error.empty())
    log::error("the configuration is refused, what was in force stays", {{"error", done.error}});
  if (!done.applied.empty())
    log::info("the configuration has changed",
              {{"applied", fmt::format("{}", fmt::join(done.applied, ","))}});
  if (!done.at_next_start.empty())
    log::warn("the configuration has changed, which takes effect at the next start",
              {{"keys", fmt::format("{}", fmt::join(done.at_next_start, ","))}});
}

std::string Reloads::refused_configuration() const {
  const std::scoped_lock lock(refused_mutex_);
  return refused_;
}

std::string status_line(const runtime::Host::Counts& counts) {
  const char* const noun = counts.running == 1 ? "pipeline runs" : "pipelines run";
  std::string line = fmt::format("{} {}", counts.running, noun);
  if (counts.paused > 0) line += fmt::format(", {} paused", counts.paused);
  if (counts.failed > 0) line += fmt::format(", {} failed", counts.failed);
  if (counts.refused > 0) line += fmt::format(", {} with a new text that is refused", counts.refused);
  return line;
}

Reloads::Reloads(config::Inputs inputs, config::Loaded loaded, loop::Loop& loop, runtime::Host& host,
                 ServiceNotices& notices)
    : inputs_(std::move(inputs)),
      at_start_(std::move(loaded)),
      loop_(loop),
      host_(host),
      notices_(notices),
      log_level_(at_start_.config.log_level) {}

Result<api::Reloaded> Reloads::run(const runtime::ReloadRequest& request) {
  if (request.run == runtime::DeployRequest::Run::kDry) {
    LEAT_ASSIGN(runtime::ReloadReport report, host_.reload(request));
    const std::scoped_lock lock(mutex_);
    return api::Reloaded{std::move(report), reload_configuration(request)};
  }
  const std::scoped_lock lock(mutex_);
  notices_.reloading();
  runtime::ReloadRequest with_progress = request;
  with_progress.progress = [this] { notices_.more_time(kStepTime); };
  api::ConfigurationReload configuration = reload_configuration(request);
  tell_configuration(configuration);
  auto report = host_.reload(with_progress);
  if (!report) log::error("the pipeline folder was not read again", {{"error", report.error().message}});
  notices_.status(status_line(host_.counts()));
  notices_.ready();
  if (!report) return tl::unexpected<Error>(report.error());
  return api::Reloaded{*std::move(report), std::move(configuration)};
}

/// The level of the log counts at once, all else at the next start.
api::ConfigurationReload Reloads::reload_configuration(const runtime::ReloadRequest& request) {
  const auto now = checked_configuration(inputs_);
  if (!now) return {.error = now.error().message};
  api::ConfigurationReload done;
  for (std::string& key : config::changed_keys(at_start_, *now))
    if (key != kLogLevel) done.at_next_start.push_back(std::move(key));
  if (now->config.log_level == log_level_) return done;
  done.applied.emplace_back(kLogLevel);
  if (request.run == runtime::DeployRequest::Run::kDry) return done;
  log_level_ = now->config.log_level;
  if (const auto level = log::parse_level(log_level_)) log::set_level(*level);
  return done;
}

void Reloads::begin() {
  again_ = under_way_;
  if (std::exchange(under_way_, true)) return;
  join();
  thread_ = std::thread([this] {
    (void)run({});  // The log says what came of it.
    loop_.post([this] { ended(); });
  });
}

void Reloads::ended() {
  under_way_ = false;
  if (again_) begin();
}

void Reloads::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace leat::cli
