// Life cycle: create, restore, start, drain, end.
#include "daemon/runtime/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "daemon/log/log.h"
#include "daemon/runtime/pipeline_parts.h"
#include "daemon/runtime/rehearsal.h"
#include "daemon/runtime/secrets.h"
#include "pipelines/column/text.h"
#include "pipelines/plan/node_build.h"

namespace leat::runtime {
namespace {

constexpr Micros kTick{100'000};
/// How often it is seen whether the sinks that are taken away have published.
constexpr Micros kTakeAwayLook{5'000};
/// How long the first message after a pause waits for company: waking the engine costs more than decoding a
/// message, and nobody sees a result before the next commit anyway.
constexpr Micros kLinger{10'000};

Micros commit_interval_of(const plan::Plan& plan) {
  const auto setting = plan.settings.find("execution.checkpointing.interval");
  if (setting == plan.settings.end()) return Micros(kMicrosPerSecond);
  // The planner has checked it.
  return std::max(parse_duration(setting->second).value_or(Micros(kMicrosPerSecond)), Micros(1'000));
}

exec::DataflowOptions dataflow_options(const plan::Plan& plan, std::int64_t clock_plausible_from) {
  exec::DataflowOptions options{.clock_plausible_from = clock_plausible_from};
  if (const auto memory = plan.settings.find("leat.memory.max"); memory != plan.settings.end())
    options.memory_max = parse_byte_size(memory->second).value_or(0);
  if (const auto keys = plan.settings.find("leat.state.max-keys"); keys != plan.settings.end())
    options.max_keys = std::stoull(keys->second);  // The planner has checked it.
  if (const auto on_error = plan.settings.find("leat.on-row-error"); on_error != plan.settings.end())
    options.fail_on_row_error = on_error->second == "fail";
  return options;
}

/// 2026-01-01: a gateway's clock before it has not been set yet.
constexpr std::int64_t kOldestPlausibleClock = 1'767'225'600LL * kMicrosPerSecond;

/// Nothing can or may be sent at present: a stop need not wait, the outbox keeps what is there.
bool is_waiting(const Delivery& delivery) {
  return waits(delivery.status().state);
}

/// The operators that have state, but for those whose state was `known`.
std::string names_without(const std::set<std::string>& known,
                          const std::vector<exec::Dataflow::OperatorInfo>& operators) {
  std::string names;
  for (const exec::Dataflow::OperatorInfo& info : operators)
    if (!info.fingerprint.empty() && !known.contains(info.fingerprint))
      names += (names.empty() ? "" : ", ") + info.name;
  return names.empty() ? "those of the version before" : names;
}

std::string row_as_text(const Schema& schema, const Batch& batch, std::size_t row) {
  std::string text;
  for (std::size_t column = 0; column < batch.columns.size(); ++column) {
    text += fmt::format("{}{}=", column == 0 ? "" : ", ", schema.fields[column].name);
    append_text(*batch.columns[column], row, {}, text);
  }
  return text;
}

}  // namespace

std::string time_zone_of(const plan::Plan& plan) {
  const auto setting = plan.settings.find("table.local-time-zone");
  return setting == plan.settings.end() ? "UTC" : setting->second;
}

void Pipeline::Hooks::dead(std::string_view where, const Schema& schema, const Batch& batch, std::size_t row,
                           std::string_view reason) {
  store::DeadLetter letter;
  letter.origin = where;
  letter.reason = reason;
  letter.payload = row_as_text(schema, batch, row);
  letter.time = batch.intake_times.empty() ? pipeline_.context_.clock->wall() : batch.intake_times[row];
  pipeline_.dead_target_->push_back(std::move(letter));
}

Pipeline::Pipeline(PipelineName name, std::string file, plan::Plan plan, const PipelineContext& context,
                   PipelineEvents events)
    : name_(std::move(name)),
      file_(std::move(file)),
      plan_(std::move(plan)),
      context_(context),
      events_(std::move(events)),
      hooks_(std::make_unique<Hooks>(*this)),
      wake_(std::make_unique<loop::Async>(*context.loop, [this] { pump(); })),
      arrival_(std::make_unique<loop::Async>(*context.loop,
                                             [this] {
                                               if (!linger_timer_.active()) linger_timer_.start(kLinger);
                                             })),
      linger_timer_(*context.loop, [this] { pump(); }),
      commit_timer_(*context.loop, [this] { commit(); }),
      tick_timer_(*context.loop, [this] { tick(); }),
      retry_timer_(*context.loop, [this] { hand_over(in_flight_); }),
      take_away_timer_(*context.loop, [this] { await_taken_away(); }),
      commit_interval_(commit_interval_of(plan_)) {}

Pipeline::~Pipeline() {
  replays_.give_up(fmt::format("pipeline '{}' is started anew", name_.value));
  end_sources();
  for (auto& target : targets_)
    if (target->delivery) target->delivery->stop();
}

Result<std::unique_ptr<Pipeline>> Pipeline::create(PipelineName name, std::string file, plan::Plan plan,
                                                   const PipelineContext& context, PipelineEvents events,
                                                   std::optional<store::SavedPipeline> saved) {
  std::unique_ptr<Pipeline> pipeline(
      new Pipeline(std::move(name), std::move(file), std::move(plan), context, std::move(events)));
  LEAT_TRY(pipeline->restore(std::move(saved)));
  pipeline->publish();
  return pipeline;
}

Status Pipeline::restore(std::optional<store::SavedPipeline> read_before) {
  const bool declared = read_before.has_value();
  if (!read_before) {
    LEAT_ASSIGN(read_before, context_.store->load(name_));
  }
  const store::SavedPipeline& saved = *read_before;
  last_commit_ = saved.last_commit;
  last_commit_time_ = saved.last_commit_time;
  LEAT_TRY(make_inputs(saved));
  LEAT_TRY(make_targets());
  if (!declared) LEAT_TRY(context_.store->tables().declare(name_, declared_tables()));
  if (!declared) LEAT_TRY(context_.store->streams().declare(name_, streams_of(plan_)));
  store::TableStore& looked_up =
      context_.lookup_tables != nullptr ? *context_.lookup_tables : context_.store->tables();
  lookups_ = std::make_unique<Lookups>(looked_up, reader_context());
  LEAT_TRY(make_dataflow(saved));
  restore_counters(saved.counters);
  return {};
}

ReaderContext Pipeline::reader_context() const {
  return {.pipeline = name_,
          .identity = context_.identity,
          .gateway_id = context_.gateway_id,
          .store = context_.store->id(),
          .journal_dir = context_.journal_dir,
          .time_zone = time_zone_of(plan_),
          .chunk_bytes = context_.chunk_bytes,
          .now = [clock = context_.clock] { return clock->wall(); },
          .wake = {},
          .tables = &context_.store->tables(),
          .ports = context_.ports,
          .streams = &context_.store->streams(),
          .connector = nullptr};
}

/// The local tables that the plan writes, reads and looks up.
std::vector<store::TableDeclaration> Pipeline::declared_tables() const {
  std::vector<store::TableDeclaration> declared;
  for (const auto& target : targets_)
    if (target->writer && target->writer->table())
      declared.push_back({.table = target->writer->table(), .writes = true});
  add_tables_read(plan_, declared);
  return declared;
}

Status Pipeline::make_inputs(const store::SavedPipeline& saved) {
  ReaderContext reader = reader_context();
  bool all_bounded = true;
  for (const auto& scan : plan_.scans) {
    std::string position;
    for (const store::SourcePosition& kept : saved.positions)
      if (kept.source.value == scan->table) position = kept.position;
    reader.connector = nullptr;
    if (context_.stand_ins != nullptr && context_.stand_ins->contains(scan->table))
      reader.connector = &context_.stand_ins->at(scan->table);
    const sources::SourceConnector* connector =
        reader.connector != nullptr ? reader.connector : sources::find_source(scan->connector);
    const bool from_outside = connector != nullptr && connector->intake == sources::IntakeKind::kJournal;
    reader.wake = [bell = from_outside ? arrival_.get() : wake_.get()] { bell->send(); };
    LEAT_ASSIGN(auto made, SourceReader::create(*scan, reader, position));
    const std::string memory = made->memory_name();
    for (const exec::StateChange& entry : saved.state) {
      if (entry.node != memory) continue;
      if (made->begins_anew())
        stale_.push_back({entry.node, entry.key, true, {}});
      else
        LEAT_TRY(made->restore(entry.key, entry.value));
    }
    positions_.push_back(position);
    inputs_.push_back(std::make_unique<Input>(std::move(made)));
    all_bounded = all_bounded && scan->bounded;
    if (context_.replay && !scan->bounded)
      return fail(ErrorCode::kInvalid,
                  fmt::format("the rows' own clock is for inputs that end, but '{}' does "
                              "not: leave out --clock event, or bound the source",
                              scan->table));
  }
  merge_ = all_bounded && (inputs_.size() > 1 || context_.replay);
  return {};
}

Status Pipeline::make_targets() {
  for (const auto& sink : plan_.sinks) {
    Target* known = nullptr;
    for (const auto& target : targets_)
      if (!sink->connector.empty() && target->node->table == sink->table) known = target.get();
    if (known == nullptr) {
      LEAT_TRY(make_target(*sink));
      known = targets_.back().get();
    }
    target_of_.push_back(known);
  }
  return {};
}

Status Pipeline::make_target(const plan::SinkNode& sink) {
  auto target = std::make_unique<Target>();
  target->node = &sink;
  if (!sink.connector.empty()) {
    LEAT_ASSIGN(target->writer, SinkWriter::create(sink, time_zone_of(plan_)));
  }
  if (target->writer && target->writer->delivers()) {
    LEAT_TRY(make_delivery(*target, sink_context(*target->writer, name_, context_)));
  }
  targets_.push_back(std::move(target));
  return {};
}

Status Pipeline::make_delivery(Target& target, const sinks::SinkContext& made) {
  const sinks::SinkConnector& connector = target.writer->connector();
  const OptionMap& options = target.node->options;
  const auto with = with_secrets(options, connector.info.validate_sink);
  if (!with) return fail(with.error(), fmt::format("table '{}'", target.node->table));
  auto sink = connector.build(*with, made);
  if (!sink) return fail(sink.error(), fmt::format("table '{}'", target.node->table));
  std::vector<OptionError>
      errors;  // The planner has checked the keys; those of others are not ours to judge.
  DeliverySetup setup{
      .route = {name_, made.table},
      .limits = connector.batch_limits ? connector.batch_limits(options) : sinks::BatchLimits{},
      .options = plan::delivery_options().read(options, {}, errors),
      .time_zone = time_zone_of(plan_),
      .changed = [this] { wake_->send(); }};
  target.delivery =
      std::make_unique<Delivery>(*context_.store, *std::move(sink), std::move(setup), *context_.clock);
  return {};
}

// The targets are as they were made, and deliveries have locks of their own.
Status Pipeline::command(const TableName& sink, Delivery::Command command) {
  for (const auto& target : targets_)
    if (target->delivery && target->node->table == sink.value) return target->delivery->command(command);
  return fail(ErrorCode::kNotFound,
              fmt::format("pipeline '{}' has no sink '{}' with an outbox", name_.value, sink.value));
}

bool Pipeline::read_by_a_source(const exec::StateChange& entry) const {
  return std::any_of(inputs_.begin(), inputs_.end(),
                     [&](const auto& input) { return input->reader->memory_name() == entry.node; });
}

Status Pipeline::make_dataflow(const store::SavedPipeline& saved) {
  const std::int64_t plausible =
      std::max({kOldestPlausibleClock, saved.last_commit_time, context_.clock->plausible_from()});
  exec::DataflowOptions options = dataflow_options(plan_, plausible);
  options.nanos = loop::steady_nanos;
  options.lookups = lookups_.get();
  options.go_on = context_.go_on;
  LEAT_ASSIGN(dataflow_, exec::build_dataflow(plan_, options, *hooks_));
  std::set<std::string> unknown;
  std::set<std::string> known;
  for (const exec::StateChange& entry : saved.state) {
    if (entry.node.starts_with(kMemoryPrefix)) {
      if (!read_by_a_source(entry)) stale_.push_back({entry.node, entry.key, true, {}});
      continue;
    }
    const Status loaded = dataflow_->load(entry.node, entry.key, entry.value);
    if (loaded) {
      known.insert(entry.node);
      continue;
    }
    if (loaded.error().code != ErrorCode::kNotFound) return fail(loaded.error(), "restoring state");
    unknown.insert(entry.node);
    stale_.push_back({entry.node, entry.key, true, {}});
  }
  if (!unknown.empty())
    log::warn("the pipeline has changed: operators start without their former state",
              {{"pipeline", name_.value}, {"operators", names_without(known, dataflow_->operators())}});
  return dataflow_->loaded();
}

Status Pipeline::start() {
  state_ = PipelineState::kRunning;
  for (auto& target : targets_)
    if (target->delivery) target->delivery->start();
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    if (Status started = inputs_[i]->reader->start(); !started)
      return fail(started.error(), fmt::format("table '{}'", plan_.scans[i]->table));
  LEAT_TRY(dataflow_->start(context_.clock->wall()));
  commit_timer_.repeat(commit_interval_);
  tick_timer_.repeat(kTick);
  if (inputs_.empty()) draining_ = true;  // VALUES alone: all of it has been given out.
  wake_->send();
  publish();
  return {};
}

void Pipeline::start_paused() {
  state_ = PipelineState::kPaused;
  for (auto& target : targets_)
    if (target->delivery) target->delivery->start();
  tick_timer_.repeat(kTick);
  publish();
}

void Pipeline::begin_stop() {
  for (auto& input : inputs_) input->reader->begin_stop();
}

void Pipeline::end_sources() {
  begin_stop();
  for (auto& input : inputs_) input->reader->stop();
}

void Pipeline::stop(std::int64_t deadline, std::function<void()> done) {
  if (state_ != PipelineState::kRunning && state_ != PipelineState::kStalled)
    return context_.loop->post(std::move(done));
  stopped_.push_back(std::move(done));
  if (drain_deadline_ != 0) return;
  drain_deadline_ = deadline;
  end_sources();
  begin_drain();
}

void Pipeline::pause(std::int64_t deadline, std::function<void()> done) {
  if (state_ == PipelineState::kFailed) {
    state_ = PipelineState::kPaused;
    publish();
  }
  pausing_ = true;
  stop(deadline, std::move(done));
}

void Pipeline::begin_drain() {
  draining_ = true;
  wake_->send();
}

/// As `silence_max` says, from the beginning of the stop on.
bool Pipeline::is_silent(Target& target) const {
  if (context_.silence_max.count() == 0) return false;
  const std::int64_t now = context_.clock->monotonic();
  const DeliveryStatus status = target.delivery->status();
  const std::uint64_t settled = status.shipments + status.refusals;
  if (target.settled_at == 0 || std::exchange(target.settled, settled) != settled) target.settled_at = now;
  const std::int64_t most = context_.silence_max.count() * (status.last_success > 0 ? 2 : 1);
  return now - target.settled_at >= most;
}

void Pipeline::wait_for_drain() {
  if (pausing_) return end_with(PipelineState::kPaused);
  // Bounded input ends only when all is delivered; a stop waits no longer than it was told to.
  const bool stopping = drain_deadline_ != 0;
  // Nobody goes on where a run without state was stopped: what only waits for more is published, too.
  const bool last = !stopping || context_.state == PipelineContext::State::kForgotten;
  const bool in_time = !stopping || context_.clock->monotonic() < drain_deadline_;
  bool delivered = true;
  for (auto& target : targets_) {
    if (!target->delivery) continue;
    if (!drain_told_) target->delivery->drain(last ? Delivery::End::kBoundedRun : Delivery::End::kShutdown);
    const bool given_up = stopping && (is_waiting(*target->delivery) || is_silent(*target));
    delivered = (target->delivery->drained() || given_up) && delivered;
  }
  drain_told_ = true;
  for (auto& target : targets_) {
    if (!target->delivery || !last) continue;
    if (const std::string error = target->delivery->status().finish_error; !error.empty())
      return fail_with(
          {ErrorCode::kIo, fmt::format("table '{}': the end of its output cannot be published: {}",
                                       target->node->table, error)});
  }
  if (!delivered && in_time) return;
  end_with(stopping ? PipelineState::kStopped : PipelineState::kFinished);
}

void Pipeline::take_away(const std::function<bool(const plan::SinkNode&)>& goes, std::int64_t deadline,
                         std::function<void()> done) {
  for (auto& target : targets_) {
    if (!target->delivery || !target->delivery->may_publish() || !goes(*target->node)) continue;
    taken_away_.push_back(target.get());
    target->delivery->drain(Delivery::End::kTakenAway);
  }
  take_away_deadline_ = deadline;
  told_taken_away_ = std::move(done);
  take_away_timer_.repeat(kTakeAwayLook);
}

void Pipeline::await_taken_away() {
  const bool in_time = context_.clock->monotonic() < take_away_deadline_;
  const auto is_under_way = [](const Target* target) { return !target->delivery->drained(); };
  if (in_time && std::ranges::any_of(taken_away_, is_under_way)) return;
  take_away_timer_.stop();
  for (const Target* const target : taken_away_) {
    const std::string error = is_under_way(target) ? "its last attempt to deliver has not ended in time"
                                                   : target->delivery->status().finish_error;
    if (!error.empty())
      log::error("what a sink that is taken away had written may not be published",
                 {{"pipeline", name_.value}, {"table", target->node->table}, {"error", error}});
  }
  // The owner may destroy the pipeline in its answer: nothing of it is touched afterwards.
  const auto done = std::exchange(told_taken_away_, {});
  done();
}

void Pipeline::fail_with(const Error& error) {
  error_ = error.message;
  error_code_ = error.code;
  // A trial's failure is for its reader to know: nobody is needed, and nothing is lost.
  const auto level = context_.stand_ins == nullptr ? log::Level::kError : log::Level::kInfo;
  log::write(level, "pipeline failed", {{"pipeline", name_.value}, {"error", error.message}});
  end_with(PipelineState::kFailed);
}

void Pipeline::end_with(PipelineState state) {
  state_ = state;
  const bool delivers_on = state == PipelineState::kFailed || state == PipelineState::kPaused;
  commit_timer_.stop();
  if (!delivers_on) tick_timer_.stop();
  retry_timer_.stop();
  linger_timer_.stop();
  replays_.give_up(fmt::format("pipeline '{}' has {}", name_.value, to_string(state)));
  end_sources();
  for (auto& target : targets_)
    if (target->delivery && !delivers_on) target->delivery->stop();
  send_onlookers_away();
  tell_of_deliveries();  // An outage may have ended with the last shipment.
  publish();
  context_.loop->post([alive = std::weak_ptr<int>(alive_), this] {
    if (alive.expired()) return;
    const auto stopped = std::exchange(stopped_, {});
    // The owner may destroy the pipeline in its answer: nothing of it is touched afterwards.
    const bool told = state_ == PipelineState::kStopped || state_ == PipelineState::kPaused;
    const auto ended = told ? std::function<void()>() : events_.ended;
    for (const auto& done : stopped) done();
    if (ended && !alive.expired()) ended();
  });
}

Status Pipeline::output(std::size_t sink, const Batch& batch) {
  Target& target = *target_of_[sink];
  show_rows(target.tap, batch);
  if (target.writer) {
    target.writer->write(batch, context_.clock->wall(), dead_letters_);
    return {};
  }
  target.listener_counters.rows += batch.size;
  if (context_.results == nullptr) return {};
  return context_.results->rows(sink, plan_.sinks[sink]->schema, batch);
}

}  // namespace leat::runtime
