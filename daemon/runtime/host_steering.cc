// Pausing, resuming and restarting pipelines, and commanding their sinks, as people want it.
#include <fmt/format.h>

#include <future>
#include <utility>

#include "daemon/log/log.h"
#include "daemon/runtime/host_entry.h"

namespace leat::runtime {

std::string_view to_string(Steering steering) {
  switch (steering) {
    case Steering::kPause:
      return "pause";
    case Steering::kResume:
      return "resume";
    case Steering::kRestart:
      break;
  }
  return "restart";
}

/// Nobody else steers or changes it until `end_steering`. Errors: not found, conflict.
Status Host::begin_steering(const PipelineName& pipeline) {
  Entry* const entry = find(pipeline);
  if (entry == nullptr)
    return leat::fail(ErrorCode::kNotFound, fmt::format("there is no pipeline '{}'", pipeline.value));
  if (entry->steering)
    return leat::fail(
        ErrorCode::kConflict,
        fmt::format("pipeline '{}' is being paused, restarted or changed: try again", pipeline.value));
  entry->steering = true;
  return {};
}

void Host::end_steering(const PipelineName& pipeline) {
  if (Entry* const entry = find(pipeline)) entry->steering = false;
}

namespace {

std::string_view name_of(Delivery::Command command) {
  switch (command) {
    case Delivery::Command::kPause:
      return "pause";
    case Delivery::Command::kResume:
      return "resume";
    case Delivery::Command::kResend:
      return "resend";
    case Delivery::Command::kSkip:
      break;
  }
  return "skip";
}

}  // namespace

Status Host::command(const PipelineName& pipeline, const TableName& sink, Delivery::Command command) {
  LEAT_TRY(check_open());
  LEAT_TRY(in_loop([this, pipeline] { return begin_steering(pipeline); }));
  const Status done = in_loop([this, pipeline, sink, command]() -> Status {
    const Entry* const entry = find(pipeline);
    if (entry != nullptr && entry->pipeline) return entry->pipeline->command(sink, command);
    return leat::fail(ErrorCode::kUnavailable, fmt::format("pipeline '{}' is down: {}", pipeline.value,
                                                           entry == nullptr ? "" : entry->error));
  });
  // As in `steer`: neither on the loop nor under the lock, which readers wait for.
  const bool pauses = command == Delivery::Command::kPause;
  Status kept;
  if (done && (pauses || command == Delivery::Command::kResume))
    kept = context_.store->set_paused(pipeline, sink, pauses);
  (void)in_loop([this, pipeline] { return end_steering(pipeline), Status(); });
  LEAT_TRY(done);
  log::always(
      log::Level::kWarn, "somebody commanded a sink",
      {{"pipeline", pipeline.value}, {"sink", sink.value}, {"command", std::string(name_of(command))}});
  if (kept) return {};
  return leat::fail(
      kept.error(),
      fmt::format("sink '{}' does as told, but a restart of the daemon will not know", sink.value));
}

namespace {
void log_steering(const PipelineName& pipeline, Steering steering) {
  log::always(log::Level::kWarn, "somebody steered a pipeline",
              {{"pipeline", pipeline.value}, {"command", std::string(to_string(steering))}});
}
}  // namespace

Status Host::steer(const PipelineName& pipeline, Steering steering) {
  LEAT_TRY(check_open());
  const auto file = steering == Steering::kRestart ? changed_file(pipeline) : std::nullopt;
  if (file && !context_.store->is_paused(pipeline)) {
    LEAT_TRY(restart_with_file(pipeline, *file));
    log_steering(pipeline, steering);
    return {};
  }
  LEAT_TRY(in_loop([this, pipeline] { return begin_steering(pipeline); }));
  const Status steered =
      on_loop([this, pipeline, steering](Steered done) { steer_now(pipeline, steering, std::move(done)); });
  // Here, not on the loop: it must not wait for the disk. And while nobody may rename or remove the pipeline:
  // the pause goes with its name.
  Status kept;
  if (steered && steering != Steering::kRestart)
    kept = context_.store->set_paused(pipeline, steering == Steering::kPause);
  (void)in_loop([this, pipeline] { return end_steering(pipeline), Status(); });
  LEAT_TRY(steered);
  log_steering(pipeline, steering);
  if (kept) return {};
  return leat::fail(kept.error(),
                    fmt::format("pipeline '{}' does as told, but a restart of the daemon will not "
                                "know",
                                pipeline.value));
}

void Host::steer_now(const PipelineName& pipeline, Steering steering, Steered done) {
  Entry* const entry = find(pipeline);
  if (stopping_ || entry == nullptr)
    return done(leat::fail(ErrorCode::kUnavailable, "the daemon is stopping"));
  if (!entry->policy)
    return done(leat::fail(ErrorCode::kConflict,
                           fmt::format("pipeline '{}' cannot run: {}", pipeline.value, entry->error)));
  switch (steering) {
    case Steering::kPause:
      return pause(*entry, std::move(done));
    case Steering::kResume:
      return resume(*entry, std::move(done));
    case Steering::kRestart:
      return restart(*entry, std::move(done));
  }
}

void Host::pause(Entry& entry, Steered done) {
  if (entry.paused) return done({});
  entry.paused = true;
  entry.restart.reset();
  if (!entry.pipeline) return start_anew(entry, done);
  entry.pipeline->pause(context_.clock->monotonic() + kDrainMicros, [done = std::move(done)] { done({}); });
}

void Host::resume(Entry& entry, Steered done) {
  if (!entry.paused) return done({});
  entry.paused = false;
  start_anew(entry, done);
}

void Host::restart(Entry& entry, Steered done) {
  if (entry.paused)
    return done(leat::fail(ErrorCode::kConflict,
                           fmt::format("pipeline '{}' is paused: resume it", entry.name.value)));
  entry.restart.reset();
  if (!entry.pipeline) return start_anew(entry, done);
  entry.pipeline->stop(context_.clock->monotonic() + kDrainMicros,
                       [this, &entry, done = std::move(done)] { start_anew(entry, done); });
}

/// Failures before this do not count any more.
void Host::start_anew(Entry& entry, const Steered& done) {
  if (stopping_) return done(leat::fail(ErrorCode::kUnavailable, "the daemon is stopping"));
  entry.policy = std::make_unique<RestartPolicy>(restart_options(entry.plan.settings));
  start(entry);
  if (entry.pipeline) return done({});
  done(leat::fail(ErrorCode::kUnavailable,
                  fmt::format("pipeline '{}' does not start: {}", entry.name.value, entry.error)));
}

}  // namespace leat::runtime
