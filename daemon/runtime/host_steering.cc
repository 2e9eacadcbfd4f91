// Pausing, resuming and restarting pipelines, as people want it.
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

Status Host::steer(const PipelineName& pipeline, Steering steering) {
  LEAT_TRY(check_open());
  const auto file = steering == Steering::kRestart ? changed_file(pipeline) : std::nullopt;
  if (file && !context_.store->is_paused(pipeline))
    LEAT_TRY(restart_with_file(pipeline, *file));
  else
    LEAT_TRY(on_loop(
        [this, pipeline, steering](Steered done) { steer_now(pipeline, steering, std::move(done)); }));
  log::warn("somebody steered a pipeline",
            {{"pipeline", pipeline.value}, {"command", std::string(to_string(steering))}});
  if (steering == Steering::kRestart) return {};
  // Here, not on the loop: it must not wait for the disk.
  const Status kept = context_.store->set_paused(pipeline, steering == Steering::kPause);
  if (kept) return {};
  return leat::fail(kept.error(),
                    fmt::format("pipeline '{}' does as told, but a restart of the daemon will not "
                                "know",
                                pipeline.value));
}

void Host::steer_now(const PipelineName& pipeline, Steering steering, Steered done) {
  Entry* const entry = find(pipeline);
  if (entry == nullptr)
    return done(leat::fail(ErrorCode::kNotFound, fmt::format("there is no pipeline '{}'", pipeline.value)));
  if (!entry->policy)
    return done(leat::fail(ErrorCode::kConflict,
                           fmt::format("pipeline '{}' cannot run: {}", pipeline.value, entry->error)));
  if (entry->steering)
    return done(leat::fail(
        ErrorCode::kConflict,
        fmt::format("pipeline '{}' is being paused, restarted or changed: try again", pipeline.value)));
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
  entry.steering = true;
  entry.pipeline->pause(context_.clock->monotonic() + kDrainMicros, [&entry, done = std::move(done)] {
    entry.steering = false;
    done({});
  });
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
  entry.steering = true;
  entry.pipeline->stop(context_.clock->monotonic() + kDrainMicros, [this, &entry, done = std::move(done)] {
    entry.steering = false;
    start_anew(entry, done);
  });
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
