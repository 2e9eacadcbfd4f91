// Putting a new version in the place of an old one.
//
// The caller's thread does what waits (planning, the rehearsal, the store), the loop what touches pipelines:
//
//   1 loop   the old version takes nothing in any more, processes what it has, and commits; sinks that the
//            new one does not have publish what they have open
//   2        its last commit is read; the new version's local tables are made
//   3 loop   the old version goes; the new one is built of what was read, and does not run
//   4        the new text is the pipeline's: one transaction
//   5 loop   the new version runs
//
// What fails before 4 leaves the old text, and the old version is started again; what fails in 5 puts the old
// text back first. A crash leaves the text of one of the two, and its state: the new version's first commit
// is the first to erase what it does not take over.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "daemon/log/log.h"
#include "daemon/runtime/host_entry.h"
#include "daemon/runtime/neighbours.h"
#include "daemon/runtime/rehearsal.h"
#include "pipelines/base/fault_point.h"
#include "pipelines/plan/explain.h"

namespace leat::runtime {
namespace {

/// How often who waits for the loop looks whether it has ended.
constexpr std::chrono::milliseconds kLook{100};

tl::unexpected<DeployRefusal> refuse(Error error) {
  return tl::unexpected<DeployRefusal>(DeployRefusal{.error = std::move(error), .messages = {}, .state = {}});
}

tl::unexpected<DeployRefusal> refuse_text(std::vector<plan::Message> messages) {
  std::string first;
  for (const plan::Message& message : messages)
    if (first.empty() && message.severity == plan::Severity::kError) first = message.text;
  return tl::unexpected<DeployRefusal>(
      DeployRefusal{.error = {ErrorCode::kInvalid, first}, .messages = std::move(messages), .state = {}});
}

tl::unexpected<DeployRefusal> refuse_cold(const PipelineName& pipeline, StateReport state) {
  std::string message = cold_message(pipeline, state);
  message += "\nsay that they may start cold ('cold' = 'accept', --accept-cold), or keep their definitions";
  return tl::unexpected<DeployRefusal>(
      DeployRefusal{.error = {ErrorCode::kConflict, message}, .messages = {}, .state = std::move(state)});
}

/// A table that is read by another connector than before is read from its beginning.
void add_changed_sources(const plan::Plan& plan, const plan::Plan& before, StateReport& report) {
  for (const auto& scan : plan.scans)
    for (const auto& old : before.scans)
      if (old->table == scan->table && old->connector != scan->connector)
        report.cold.push_back(
            {"source " + scan->table,
             fmt::format("its connector was '{}' and is '{}': it is read from its beginning", old->connector,
                         scan->connector)});
}

bool writes_to(const plan::Plan& plan, const plan::SinkNode& sink) {
  return std::ranges::any_of(plan.sinks, [&](const auto& other) {
    return other->table == sink.table && other->connector == sink.connector;
  });
}

}  // namespace

std::string cold_message(const PipelineName& pipeline, const StateReport& state) {
  std::string message = fmt::format("the new version of '{}' would lose state:", pipeline.value);
  for (const StateReport::Cold& cold : state.cold)
    message += fmt::format("\n  '{}' would start cold: {}", cold.name, cold.why);
  return message;
}

// ---- Between the threads ---------------------------------------------------------------------------------

Status Host::on_loop(std::function<void(Steered)> work) {
  const auto answer = std::make_shared<std::promise<Status>>();
  std::future<Status> answered = answer->get_future();
  const tl::unexpected<Error> stops = leat::fail(ErrorCode::kUnavailable, "the daemon is stopping");
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_) return stops;
    context_.loop->post([work = std::move(work), answer] {
      work([answer](Status done) { answer->set_value(std::move(done)); });
    });
  }
  while (answered.wait_for(kLook) != std::future_status::ready) {
    if (ended_) return stops;
    const std::scoped_lock lock(mutex_);
    if (stopping_ && context_.loop->stopping()) return stops;
  }
  return answered.get();
}

Status Host::in_loop(std::function<Status()> work) {
  return on_loop([work = std::move(work)](const Steered& done) { done(work()); });
}

/// Has the pipeline take nothing in any more, and keeps others from steering it until `end_change`.
void Host::begin_change(const PipelineName& pipeline, Steered done) {
  Entry* const entry = find(pipeline);
  if (entry == nullptr)
    return done(leat::fail(ErrorCode::kNotFound, fmt::format("there is no pipeline '{}'", pipeline.value)));
  if (entry->steering)
    return done(leat::fail(
        ErrorCode::kConflict,
        fmt::format("pipeline '{}' is being paused, restarted or changed: try again", pipeline.value)));
  entry->restart.reset();
  entry->steering = true;
  {
    const std::scoped_lock lock(mutex_);
    entry->changing = true;
  }
  if (!entry->pipeline) return done({});
  entry->pipeline->pause(context_.clock->monotonic() + kDrainMicros, [done = std::move(done)] { done({}); });
}

void Host::end_change(Entry& entry) {
  entry.steering = false;
  const std::scoped_lock lock(mutex_);
  entry.changing = false;
}

Host::Former Host::former_of(const PipelineName& pipeline) const {
  const std::scoped_lock lock(mutex_);
  const Entry* const entry = find(pipeline);
  if (entry == nullptr) return {};
  Former former{.is_there = true,
                .origin = entry->origin,
                .file = entry->file,
                .identity = entry->identity,
                .version = entry->version,
                .sql = entry->sql,
                .plan = entry->plan,
                .format_files = entry->format_files,
                .operators = {}};
  if (entry->pipeline) former.operators = entry->pipeline->status().operators;
  return former;
}

std::optional<PipelineText> Host::text(const PipelineName& pipeline) const {
  const std::scoped_lock lock(mutex_);
  const Entry* const entry = find(pipeline);
  if (entry == nullptr) return std::nullopt;
  return PipelineText{entry->origin, entry->version, entry->identity, entry->sql};
}

// ---- Deploying -------------------------------------------------------------------------------------------

DeployOutcome Host::deploy(const DeployRequest& request) {
  const PipelineName& name = request.pipeline;
  if (const Status open = check_open(); !open) return refuse(open.error());
  // Before the lock: a long text takes a while.
  auto plan = plan_for(request);
  if (!plan) return tl::unexpected<DeployRefusal>(std::move(plan).error());
  std::unique_lock under_way(change_mutex_, std::try_to_lock);
  if (!under_way) return refuse({ErrorCode::kConflict, "another pipeline is being changed: try again"});
  Swap change{.pipeline = name, .sql = request.sql, .plan = *std::move(plan), .former = former_of(name)};
  store::KeptParts parts;
  if (const Status known = prepare(change, parts); !known) return refuse(known.error());
  if (const Status may = may_replace(change); !may) return refuse(may.error());
  if (runs_already(change.former, request.sql)) return unchanged(change.former, parts);
  if (const Status fits = neighbours({name}).admit(place_of(name), change.plan); !fits)
    return refuse(fits.error());

  DeployOutcome deployed = rehearse_change(change, parts);
  if (!deployed) return deployed;
  if (!deployed->state.cold.empty() && request.cold == DeployRequest::Cold::kRefuse)
    return refuse_cold(name, std::move(deployed->state));
  if (request.run == DeployRequest::Run::kDry) return deployed;
  const auto gone = swap(change);
  if (!gone) return refuse(gone.error());
  log::always(log::Level::kWarn, "somebody deployed a pipeline",
              {{"pipeline", name.value}, {"version", std::to_string(change.version)}});
  under_way.unlock();
  deployed->sessions = farewells_.await(*gone);
  return deployed;
}

/// Fills in what the store knows of the pipeline.
Status Host::prepare(Swap& change, store::KeptParts& parts) const {
  LEAT_ASSIGN(parts, context_.store->pipelines().kept(change.pipeline));
  LEAT_ASSIGN(change.identity, context_.store->pipelines().identity(change.pipeline));
  change.creates = !change.former.is_there;
  change.version = change.file.empty() ? change.former.version + 1 : 0;
  // A deployed one that is gone has lost its pause; a file may have been away while the daemon was.
  change.paused = change.creates && !change.file.empty() && context_.store->is_paused(change.pipeline);
  return {};
}

/// The text under its name, planned; or what is wrong with one of the two.
tl::expected<plan::Plan, DeployRefusal> Host::plan_for(const DeployRequest& request) const {
  if (const Status good = check_name(request.pipeline); !good) return refuse(good.error());
  const std::string file = request.pipeline.value + ".sql";
  plan::PlanOutcome outcome = planned(file, request.sql);
  if (auto conflict = name_conflict(file, request.sql, request.pipeline))
    outcome.messages.push_back(*std::move(conflict));
  if (!outcome.ok()) return refuse_text(std::move(outcome.messages));
  return std::move(outcome.plan);
}

/// Errors: conflict.
Status Host::may_replace(const Swap& change) {
  const Former& former = change.former;
  if (!former.is_there || former.origin == Origin::kDeployed) return {};
  return leat::fail(
      ErrorCode::kConflict,
      fmt::format("pipeline '{}' is that of the file '{}': change the file and reload ('leat reload'), or "
                  "take it out of the folder first",
                  change.pipeline.value, former.file));
}

/// The files that its formats name are part of what it runs.
bool Host::runs_already(const Former& former, const std::string& sql) {
  return former.sql == sql && marked_again(former.format_files) == former.format_files;
}

Deployed Host::unchanged(const Former& former, const store::KeptParts& parts) {
  Deployed deployed{.version = former.version};
  deployed.state = compare_state(former.operators, former.operators, parts);
  return deployed;
}

/// The others, as they run or are to run. Any thread.
Neighbours Host::neighbours(const std::set<PipelineName>& without) const {
  Neighbours all;
  const std::scoped_lock lock(mutex_);
  for (const auto& entry : entries_)
    if (!without.contains(entry->name)) all.add(place_of(entry->name), entry->plan);
  return all;
}

/// What would come of the change, once all that it needs could be built.
DeployOutcome Host::rehearse_change(Swap& change, const store::KeptParts& parts) const {
  const PipelineContext context = pipeline_context(change.identity);
  auto rehearsed = rehearse(change.pipeline, change.plan, context);
  if (!rehearsed) return refuse(rehearsed.error());
  change.tables = std::move(rehearsed->tables);
  change.streams = std::move(rehearsed->streams);
  Deployed deployed{.version = change.version, .created = change.creates, .changed = true};
  deployed.warnings = change.plan.warnings;
  const Former& former = change.former;
  const auto before =
      former.operators.empty() ? operators_of(change.pipeline, former.plan, context) : former.operators;
  deployed.state = compare_state(rehearsed->operators, before, parts,
                                 {plan::operator_lines(change.plan), plan::operator_lines(former.plan)});
  add_changed_sources(change.plan, former.plan, deployed.state);
  return deployed;
}

/// The keys of sessions that nobody wants any more, and which begin to be ended. Those that the new version
/// wants are not ended any more; when it does not come up, they are after all.
Result<std::vector<std::string>> Host::swap(Swap& change) {
  const std::vector<Session> before = sessions(change.former.plan, change.identity);
  std::vector<Session> wanted_again = farewells_.keep(sessions(change.plan, change.identity));
  late_publisher_.keep(change.pipeline);
  Status done;
  if (change.creates) done = in_loop([&] { return add_empty(change); });
  const bool added = done.has_value();
  if (done) done = take_over(change);
  if (done) {
    look_for_leftovers();
    return farewells_.begin(without(before, running_sessions()));
  }
  // The loop may have ended meanwhile; then nothing is left to go back to.
  if (added)
    (void)in_loop([&] {
      go_back(change);
      return Status();
    });
  if (added && change.creates) (void)context_.store->tables().declare(change.pipeline, {});
  if (added && change.creates) (void)context_.store->streams().declare(change.pipeline, {});
  (void)farewells_.begin(without(std::move(wanted_again), running_sessions()));
  look_for_leftovers();
  return tl::unexpected<Error>(done.error());
}

Status Host::take_over(Swap& change) {
  LEAT_TRY(on_loop([this, name = change.pipeline](Steered done) { begin_change(name, std::move(done)); }));
  LEAT_TRY(on_loop([this, &change](const Steered& done) {
    const Entry* const entry = find(change.pipeline);
    if (entry == nullptr || !entry->pipeline) return done({});
    entry->pipeline->take_away(
        [&change](const plan::SinkNode& sink) { return !writes_to(change.plan, sink); },
        context_.clock->monotonic() + kDrainMicros, [done] { done({}); });
  }));
  LEAT_FAULT_STEP("deploy.drained");
  LEAT_ASSIGN(store::SavedPipeline saved, context_.store->load(change.pipeline));
  LEAT_TRY(context_.store->tables().declare(change.pipeline, change.tables));
  LEAT_TRY(context_.store->streams().declare(change.pipeline, change.streams));
  LEAT_FAULT_STEP("deploy.declared");
  LEAT_TRY(in_loop([&] { return build(change, std::move(saved)); }));
  LEAT_FAULT_STEP("deploy.built");
  // A file is its own record: there is no moment 4, and a crash leaves what the file has.
  if (!change.file.empty()) return in_loop([&] { return run_new(change.pipeline); });
  LEAT_TRY(context_.store->pipelines().deploy(
      {change.pipeline, change.version, change.sql, context_.clock->wall()}));
  LEAT_FAULT_POINT("deploy.put");
  const Status runs = in_loop([&] { return run_new(change.pipeline); });
  if (runs) {
    LEAT_FAULT_POINT("deploy.running");
    return {};
  }
  const Former& former = change.former;
  LEAT_TRY(former.is_there
               ? context_.store->pipelines().deploy(
                     {change.pipeline, former.version, former.sql.value_or(""), context_.clock->wall()})
               : context_.store->pipelines().remove(change.pipeline));
  return runs;
}

/// A place for a pipeline that is new: nothing runs in it yet.
Status Host::add_empty(const Swap& change) {
  if (find(change.pipeline) != nullptr)
    return leat::fail(ErrorCode::kConflict,
                      fmt::format("there is a pipeline '{}' already", change.pipeline.value));
  auto made = std::make_unique<Entry>();
  made->name = change.pipeline;
  made->identity = change.identity;
  made->origin = change.file.empty() ? Origin::kDeployed : Origin::kFile;
  made->file = change.file;
  made->paused = change.paused;
  const std::scoped_lock lock(mutex_);
  entries_.push_back(std::move(made));
  return {};
}

/// Exchanges the versions, and builds the new one without running it.
Status Host::build(Swap& change, store::SavedPipeline saved) {
  Entry* const entry = find(change.pipeline);
  if (stopping_ || entry == nullptr) return leat::fail(ErrorCode::kUnavailable, "the daemon is stopping");
  {
    const std::scoped_lock lock(mutex_);
    entry->pipeline.reset();
    std::swap(entry->plan, change.plan);
    entry->sql = change.sql;
    entry->version = change.version;
    entry->file = change.file;
    change.built = true;
  }
  LEAT_ASSIGN(std::unique_ptr<Pipeline> pipeline, make(*entry, std::move(saved)));
  const std::scoped_lock lock(mutex_);
  entry->pipeline = std::move(pipeline);
  return {};
}

Status Host::run_new(const PipelineName& pipeline) {
  Entry* const entry = find(pipeline);
  if (stopping_ || entry == nullptr) return leat::fail(ErrorCode::kUnavailable, "the daemon is stopping");
  entry->policy = std::make_unique<RestartPolicy>(restart_options(entry->plan.settings));
  entry->started = context_.clock->monotonic();
  LEAT_TRY(launch(*entry, *entry->pipeline));
  end_change(*entry);
  const std::scoped_lock lock(mutex_);
  entry->error.clear();
  entry->refused.clear();
  log_start(*entry);
  return {};
}

/// The old version runs again, as if nothing had been asked for.
void Host::go_back(Swap& change) {
  Entry* const entry = find(change.pipeline);
  if (stopping_ || entry == nullptr || (!change.creates && !entry->changing)) return;
  if (change.creates) return erase(change.pipeline);
  if (change.built) {
    const std::scoped_lock lock(mutex_);
    entry->pipeline.reset();
    std::swap(entry->plan, change.plan);
    entry->sql = change.former.sql;
    entry->version = change.former.version;
    entry->file = change.former.file;
  }
  end_change(*entry);
  if (!entry->policy) return;  // It could not run before, either.
  entry->policy = std::make_unique<RestartPolicy>(restart_options(entry->plan.settings));
  start(*entry);
}

void Host::erase(const PipelineName& pipeline) {
  std::unique_ptr<Entry> gone;  // Destroyed without the lock: what it ends may take a while.
  const std::scoped_lock lock(mutex_);
  const auto found =
      std::ranges::find_if(entries_, [&](const auto& entry) { return entry->name == pipeline; });
  if (found == entries_.end()) return;
  gone = std::move(*found);
  entries_.erase(found);
}

// ---- Sessions at brokers ---------------------------------------------------------------------------------

std::vector<Session> Host::sessions(const plan::Plan& plan, const PipelineName& identity) const {
  return sessions_of(plan, {.gateway_id = context_.gateway_id,
                            .store = context_.store->id(),
                            .pipeline = identity,
                            .now = [clock = context_.clock] { return clock->wall(); }});
}

/// Of all pipelines: what one has given up, another may have by an explicit 'client-id'.
std::vector<Session> Host::running_sessions() const {
  std::vector<Session> all;
  const std::scoped_lock lock(mutex_);
  for (const auto& entry : entries_)
    for (Session& session : sessions(entry->plan, entry->identity)) all.push_back(std::move(session));
  return all;
}

}  // namespace leat::runtime
