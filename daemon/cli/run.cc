// leat run: a pipeline in the foreground. Ends when its bounded inputs end, or at Ctrl-C; keeps nothing on
// disk unless
// --state names a folder.
#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <limits>

#include "daemon/cli/allocator.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/pipeline_text.h"
#include "daemon/cli/printable.h"
#include "daemon/cli/progress.h"
#include "daemon/cli/result_writer.h"
#include "daemon/cli/verbs.h"
#include "daemon/config/time_zone.h"
#include "daemon/log/log.h"
#include "daemon/loop/clock.h"
#include "daemon/loop/handles.h"
#include "daemon/loop/loop.h"
#include "daemon/runtime/catalog.h"
#include "daemon/runtime/farewells.h"
#include "daemon/runtime/pipeline.h"
#include "daemon/runtime/rehearsal.h"
#include "daemon/store/store.h"

namespace leat::cli {
namespace {

constexpr Micros kStopTime{10 * kMicrosPerSecond};
/// Of these, for a far side that says nothing: who pressed Ctrl-C waits.
constexpr Micros kSilence{1'500'000};
constexpr Micros kProgressInterval{250'000};
constexpr Micros kGoodbye{2 * kMicrosPerSecond};

int complain(const Error& error, int code) {
  fmt::print(stderr, "leat run: {}\n", error.message);
  return code;
}

Result<std::unique_ptr<store::Store>> open_store(const std::string& folder) {
  store::StoreOptions options;
  if (!folder.empty()) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed)
      return fail(ErrorCode::kIo,
                  fmt::format("the folder '{}' cannot be made: {}", folder, failed.message()));
    options.path = folder + "/leat.db";
  }
  std::vector<std::string> notes;
  auto store = store::Store::open(std::move(options), notes);
  for (const std::string& note : notes) log::info("store", {{"note", note}});
  return store;
}

std::string pipeline_name(const RunOptions& options, const plan::Plan& plan) {
  const auto setting = plan.settings.find("pipeline.name");
  if (setting != plan.settings.end()) return setting->second;
  return options.file.empty() ? "run" : std::filesystem::path(options.file).stem().string();
}

/// A pipeline on a loop of its own, from start to end.
class Runner {
 public:
  Runner(loop::Loop& loop, store::Store& store, OutputForm form, const std::string& time_zone)
      : loop_(loop), store_(store), writer_(form, time_zone) {}

  int run(const RunOptions& options, plan::Plan plan) {
    runtime::PipelineContext context{.loop = &loop_, .clock = &clock_, .store = &store_, .results = &writer_};
    if (options.clock == "event") context.replay.emplace();
    keeps_state_ = !options.state.empty();
    context.gateway_id = store_.id().value.substr(0, 12);
    context.silence_max = kSilence;
    if (keeps_state_)
      context.journal_dir = options.state;
    else
      context.state = runtime::PipelineContext::State::kForgotten;
    if (options.batch_bytes > 0) context.batch_bytes = context.chunk_bytes = options.batch_bytes;
    for (std::size_t sink = 0; sink < plan.sinks.size(); ++sink)
      if (plan.sinks[sink]->updating) writer_.collect(sink);
    const bool is_batch = !plan.scans.empty() &&
                          std::ranges::all_of(plan.scans, [](const auto& scan) { return scan->bounded; });
    PipelineName name{pipeline_name(options, plan)};
    // Nobody will come back for what a broker keeps for this run.
    if (!keeps_state_)
      sessions_ = runtime::sessions_of(
          plan, {.gateway_id = context.gateway_id, .store = store_.id(), .pipeline = name, .now = [this] {
                   return clock_.wall();
                 }});
    auto pipeline = runtime::Pipeline::create(std::move(name), options.file, std::move(plan), context,
                                              {.ended = [this] { loop_.stop(); }, .batch_done = {}});
    if (!pipeline) return complain(pipeline.error(), kFailed);
    pipeline_ = *std::move(pipeline);
    if (!options.no_progress && can_show_progress() && is_batch) show_progress();
    decoded_before_ = decoded(pipeline_->status_now());
    went_on_ = pipeline_->status_now().last_commit.value > 0;
    if (Status started = pipeline_->start(); !started) return complain(started.error(), kFailed);
    loop_.run();
    timer_.reset();
    line_.clear();
    return result();
  }

  void interrupt() {
    if (pipeline_) pipeline_->stop(clock_.monotonic() + kStopTime.count(), [this] { loop_.stop(); });
  }

 private:
  void show_progress() {
    if (::isatty(STDOUT_FILENO) == 1) writer_.before_output([this] { line_.clear(); });
    timer_ = std::make_unique<loop::Timer>(loop_, [this] { line_.show(progress()); });
    line_.begin(progress());
    timer_->repeat(kProgressInterval);
  }

  [[nodiscard]] ProgressSample progress() const {
    ProgressSample sample{.time = clock_.monotonic()};
    bool known = true;
    for (const runtime::SourceStatus& source : pipeline_->status_now().sources) {
      sample.done_bytes += source.health.done_bytes;
      sample.whole_bytes += source.health.whole_bytes;
      sample.rows += source.counters.rows;
      known = known && source.health.whole_bytes > 0;
    }
    if (!known) sample.whole_bytes = 0;
    return sample;
  }

  /// Of the brokers that were there at the end.
  void end_sessions(const runtime::PipelineStatus& status) {
    for (const runtime::Session& session : sessions_) {
      const auto source =
          std::ranges::find(status.sources, session.context.table, &runtime::SourceStatus::table);
      if (source == status.sources.end() || source->health.connects == 0) continue;
      if (const Status ended = runtime::end_session(session, kGoodbye); !ended)
        fmt::print(stderr, "leat run: the broker keeps a session for this run, {}: {}\n", session.key,
                   ended.error().message);
    }
  }

  int result() {
    const runtime::PipelineStatus status = pipeline_->status_now();
    const Status written = writer_.finish();
    pipeline_.reset();
    end_sessions(status);
    if (status.state == runtime::PipelineState::kFailed)
      return complain({ErrorCode::kInternal, status.error}, kFailed);
    print_dead_letters(status.dead_letters);
    print_late_rows(status);
    print_given_up(status);
    if (status.state == runtime::PipelineState::kFinished && went_on_ && decoded(status) == decoded_before_)
      fmt::print(
          stderr,
          "leat run: nothing was read: the state kept by --state says that an earlier run has read these "
          "inputs to their end\n");
    if (status.state == runtime::PipelineState::kStopped && print_undelivered(status) && !keeps_state_)
      return kFailed;
    return written ? kOk : complain(written.error(), kFailed);
  }

  /// Records that the pipeline has taken, usable or not, since it was first run.
  static std::uint64_t decoded(const runtime::PipelineStatus& status) {
    std::uint64_t records = 0;
    for (const runtime::SourceStatus& source : status.sources)
      records += source.counters.decoded + source.counters.empty + source.counters.dead;
    return records;
  }

  /// "source readings (path data/a.csv)", with what the source has told of the message.
  static std::string came_from(const store::DeadLetter& letter) {
    const auto metadata = nlohmann::ordered_json::parse(letter.metadata, nullptr, false);
    std::string told;
    if (metadata.is_object())
      for (const auto& [name, value] : metadata.items())
        told += fmt::format("{}{} {}", told.empty() ? "" : ", ", name,
                            value.is_string() ? value.get<std::string>() : value.dump());
    return told.empty() ? letter.origin : fmt::format("{} ({})", letter.origin, printable(told));
  }

  /// How many, and why the latest ones: there is no other place to look them up after a run.
  void print_dead_letters(std::uint64_t count) {
    constexpr std::size_t kShown = 3;
    if (count == 0) return;
    fmt::print(stderr, "leat run: {} record{} could not be used and {} left out\n", count,
               count == 1 ? "" : "s", count == 1 ? "was" : "were");
    const auto letters = store_.dead_letters({}, {.letters = kShown, .payload_bytes = 200});
    if (!letters) return;
    for (const store::DeadLetterRow& row : *letters)
      fmt::print(stderr, "  {}: {}\n    {}\n", came_from(row.letter), printable(row.letter.reason),
                 printable(row.letter.payload));
    if (count > kShown) fmt::print(stderr, "  … and {} more before these\n", count - kShown);
  }

  static void print_late_rows(const runtime::PipelineStatus& status) {
    for (const auto& info : status.operators)
      if (info.counters.late > 0)
        fmt::print(stderr,
                   "leat run: {} row{} came too late for {} (SET 'leat.late-rows' = a table keeps {})\n",
                   info.counters.late, info.counters.late == 1 ? "" : "s", info.name,
                   info.counters.late == 1 ? "it" : "them");
  }

  static void print_given_up(const runtime::PipelineStatus& status) {
    for (const auto& info : status.operators)
      if (info.counters.given_up > 0)
        fmt::print(
            stderr,
            "leat run: {} gave up {} partial matches, more than 'leat.match.max-partial-matches' at once\n",
            info.name, info.counters.given_up);
  }

  /// Records that were interrupted on their way: how many, why, and what becomes of them.
  bool print_undelivered(const runtime::PipelineStatus& status) const {
    bool any = false;
    for (const runtime::SinkStatus& sink : status.sinks) {
      const std::uint64_t records = sink.outbox ? sink.waiting.records : 0;
      if (records == 0) continue;
      any = true;
      const bool one = records == 1;
      fmt::print(stderr, "leat run: {} record{} for '{}' {} not delivered{}; {}\n", records, one ? "" : "s",
                 sink.table.value, one ? "was" : "were", why_undelivered(sink),
                 keeps_state_ ? "the next run with this --state goes on with what is left"
                 : one        ? "--state DIR would have kept it"
                              : "--state DIR would have kept them");
    }
    return any;
  }

  static std::string why_undelivered(const runtime::SinkStatus& sink) {
    if (!sink.delivery.last_error.empty()) return " (" + sink.delivery.last_error + ")";
    if (!sink.options.schedule.empty()) return " ('sink.schedule' = '" + sink.options.schedule + "')";
    return "";
  }

  loop::Loop& loop_;
  store::Store& store_;
  const loop::SystemClock clock_;
  ProgressLine line_;
  ResultWriter writer_;
  std::unique_ptr<runtime::Pipeline> pipeline_;
  std::unique_ptr<loop::Timer> timer_;  // Draws the line; null: there is none.
  bool keeps_state_ = false;
  std::vector<runtime::Session> sessions_;  // At brokers, to be ended with the run.
  bool went_on_ = false;                    // An earlier run has left a commit.
  std::uint64_t decoded_before_ = 0;
};

/// An input that has ended waits for the hours of its sink all the same.
void tell_of_schedules(const plan::Plan& plan) {
  for (const auto& sink : plan.sinks)
    if (const auto hours = sink->options.find("sink.schedule"); hours != sink->options.end())
      fmt::print(stderr, "leat run: rows for '{}' are sent by its 'sink.schedule' only: {}\n", sink->table,
                 hours->second);
}

/// The rows of an updating query are shown when it ends, which an endless one does at Ctrl-C only.
void tell_of_late_table(const plan::Plan& plan) {
  const auto updates = [](const auto& sink) { return sink->connector.empty() && sink->updating; };
  const auto endless = [](const auto& scan) { return !scan->bounded; };
  if (std::ranges::any_of(plan.sinks, updates) && std::ranges::any_of(plan.scans, endless))
    fmt::print(
        stderr,
        "leat run: the rows of this query change; the table is shown at Ctrl-C, and --output changelog "
        "shows each change\n");
}

/// CSV has no place for every type: nothing is left out of what is shown.
Status check_csv(const plan::Plan& plan) {
  std::vector<OptionError> errors;
  for (const auto& sink : plan.sinks)
    if (sink->connector.empty()) formats::find_format("csv")->validate({}, sink->schema, errors);
  if (errors.empty()) return {};
  return fail(ErrorCode::kInvalid,
              fmt::format("--output csv: {}; use --output jsonl or table, or write CAST(… AS STRING)",
                          errors.front().message));
}

/// Nobody else is there who would write or read one.
Status refuse_streams(const plan::Plan& plan) {
  const auto streams = runtime::streams_of(plan);
  if (streams.empty()) return {};
  return fail(
      ErrorCode::kInvalid,
      fmt::format("'{}' is a stream between the pipelines of a daemon, and leat run is alone: 'leat trial' "
                  "runs a query beside a daemon's pipelines",
                  streams[0].table.value));
}

}  // namespace

int run(const RunOptions& options) {
  keep_freed_memory();
  const auto form = parse_output_form(options.output);
  if (!form) return complain(form.error(), kUsage);
  const auto settings = parse_settings(options.settings);
  if (!settings) return complain(settings.error(), kUsage);
  const auto text = read_pipeline(options.file, options.text);
  if (!text) return complain(text.error(), kBadConfig);
  auto outcome = plan::plan_pipeline({.file = text->name,
                                      .text = text->text,
                                      .overrides = *settings,
                                      .allow_select = true,
                                      .host_time_zone = config::host_time_zone()},
                                     runtime::catalog());
  print_messages(outcome);
  if (!outcome.ok()) return kBadConfig;
  for (const std::string& answer : outcome.explained) fmt::print("{}\n", answer);
  if (outcome.plan.sinks.empty()) return kOk;
  if (const Status alone = refuse_streams(outcome.plan); !alone) return complain(alone.error(), kBadConfig);
  if (*form == OutputForm::kCsv)
    if (const Status fits = check_csv(outcome.plan); !fits) return complain(fits.error(), kUsage);

  if (*form != OutputForm::kChangelog) tell_of_late_table(outcome.plan);
  tell_of_schedules(outcome.plan);
  log::configure({.form = log::detect_form(), .level = log::Level::kWarn});
  auto store = open_store(options.state);
  if (!store) return complain(store.error(), kFailed);
  auto loop = loop::Loop::create();
  if (!loop) return complain(loop.error(), kFailed);
  int code = kOk;
  {
    const std::string time_zone = runtime::time_zone_of(outcome.plan);
    Runner runner(**loop, **store, *form, time_zone);
    loop::SignalHandler interrupt(**loop, SIGINT, [&] { runner.interrupt(); });
    loop::SignalHandler terminate(**loop, SIGTERM, [&] { runner.interrupt(); });
    code = runner.run(options, std::move(outcome.plan));
  }
  (*store)->close();
  return code;
}

}  // namespace leat::cli
