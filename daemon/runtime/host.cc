#include "daemon/runtime/host.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "daemon/log/log.h"
#include "daemon/runtime/catalog.h"
#include "daemon/runtime/host_entry.h"
#include "daemon/runtime/leftovers.h"
#include "daemon/runtime/pipeline_file.h"
#include "pipelines/plan/planner.h"
#include "sources/http/http_ports.h"

namespace leat::runtime {
std::string rendered_errors(const plan::PlanOutcome& outcome) {
  std::string text;
  for (const plan::Message& message : outcome.messages)
    if (message.severity == plan::Severity::kError) text += message.rendered;
  return text;
}

PipelineName name_of_file(const std::string& path, const plan::Plan& plan) {
  const auto setting = plan.settings.find("pipeline.name");
  return {setting == plan.settings.end() ? std::filesystem::path(path).stem().string() : setting->second};
}

Host::Host(const HostContext& context) : context_(context), ports_(std::make_unique<sources::HttpPorts>()) {}
Host::~Host() = default;

void Host::load_folder(const std::string& folder) {
  load_folder(folder, [] {});
}

void Host::load_folder(const std::string& folder, const std::function<void()>& progress) {
  folder_ = folder;
  const auto files = pipeline_files(folder);
  if (!files) {
    folder_error_ = files.error().message;
    log::error("the pipeline folder cannot be read", {{"folder", folder}, {"error", folder_error_}});
  }
  load_deployed(progress);
  for (const std::string& file : files.value_or(std::vector<std::string>())) {
    progress();
    load_file(file);
  }
  if (files && files->empty() && entries_.empty())
    log::warn("the pipeline folder holds no *.sql file", {{"folder", folder}});
  look_for_leftovers();
  forget_gone_readers();
  const std::scoped_lock lock(mutex_);
  loaded_ = true;
}

/// A pipeline whose file is gone reads no stream any more: else what it has not read would be kept for ever.
void Host::forget_gone_readers() {
  std::vector<PipelineName> all;
  for (const auto& entry : entries_) all.push_back(entry->name);
  if (!knows_all()) return;
  if (const Status done = context_.store->streams().forget_others(all); !done)
    log::warn("streams keep what pipelines that are gone have not read", {{"error", done.error().message}});
}

Status Host::check_open() const {
  const std::scoped_lock lock(mutex_);
  if (stopping_) return leat::fail(ErrorCode::kUnavailable, "the daemon is stopping");
  if (!loaded_) return leat::fail(ErrorCode::kUnavailable, "the daemon is starting: try again");
  return {};
}

/// False without the folder, or the deployed texts: nobody knows what is gone.
bool Host::knows_all() const {
  const std::scoped_lock lock(mutex_);
  return folder_error_.empty() && deployed_error_.empty();
}

std::vector<Served> Host::what_is_served() const {
  std::vector<Served> all;
  const std::scoped_lock lock(mutex_);
  for (const auto& entry : entries_) {
    Served& one = all.emplace_back(
        Served{.pipeline = entry->name, .identity = entry->identity, .planned = !entry->plan.sinks.empty()});
    for (const auto& sink : entry->plan.sinks) one.sinks.push_back({sink->table});
    for (const auto& scan : entry->plan.scans)
      one.journals.push_back(journal_file_name(entry->identity, {scan->table}));
  }
  return all;
}

/// Reads store and folder of the journals: not on the loop, but at the start.
void Host::look_for_leftovers() {
  const std::vector<Served> all = what_is_served();
  std::vector<std::string> journals;
  std::error_code failed;
  for (const auto& file : std::filesystem::directory_iterator(context_.journal_dir, failed))
    if (file.path().extension() == ".journal") journals.push_back(file.path().filename().string());
  std::sort(journals.begin(), journals.end());
  const auto outboxes = context_.store->outbox_status().value_or(std::vector<store::OutboxStatus>());
  const auto kept = context_.store->pipelines().kept().value_or(std::vector<store::KeptParts>());
  Owners owners;
  const auto add_owner = [&](const PipelineName& name) {
    owners[context_.store->pipelines().identity(name).value_or(name)] = name;
  };
  for (const Served& one : all) add_owner(one.pipeline);
  for (const store::KeptParts& parts : kept) add_owner(parts.pipeline);
  for (const store::OutboxStatus& outbox : outboxes) add_owner(outbox.pipeline);
  auto found = find_leftovers(all, outboxes, journals, kept, owners);
  for (const std::string& sentence : found) log::warn("nobody serves what is here", {{"what", sentence}});
  if (knows_all()) late_publisher_.begin(unserved(all, outboxes));
  const std::scoped_lock lock(mutex_);
  leftovers_ = std::move(found);
}

std::vector<std::string> Host::leftovers() const {
  std::vector<std::string> all;
  {
    const std::scoped_lock lock(mutex_);
    all = leftovers_;
  }
  for (const StillOpen& open : late_publisher_.still_open()) all.push_back(sentence_of(open));
  return all;
}

plan::PlanOutcome Host::planned(const std::string& file, const std::string& sql) const {
  return plan::plan_pipeline({.file = file,
                              .text = sql,
                              .overrides = {},
                              .allow_select = false,
                              .host_time_zone = context_.time_zone},
                             catalog());
}

void Host::load_deployed(const std::function<void()>& progress) {
  const auto texts = context_.store->pipelines().deployed();
  if (!texts) {
    deployed_error_ = fmt::format("the deployed pipelines cannot be read: {}", texts.error().message);
    return log::error("the deployed pipelines cannot be read", {{"error", texts.error().message}});
  }
  for (const store::DeployedPipeline& text : *texts) {
    progress();
    auto made = std::make_unique<Entry>();
    made->name = text.pipeline;
    made->origin = Origin::kDeployed;
    made->version = text.version;
    made->sql = text.sql;
    add_entry(std::move(made), planned(text.pipeline.value + ".sql", text.sql));
  }
}

void Host::load_file(const std::string& path) {
  auto made = std::make_unique<Entry>();
  made->file = path;
  made->name = PipelineName{std::filesystem::path(path).stem().string()};
  plan::PlanOutcome outcome;
  if (auto text = read_file(path)) {
    made->sql = *std::move(text);
    outcome = planned(path, *made->sql);
    made->name = name_of_file(path, outcome.plan);
  } else {
    made->error = text.error().message;
  }
  add_entry(std::move(made), outcome);
}

/// Why a text may not have its name, which is another's already.
std::string Host::taken(const Entry& text, const Entry& by) {
  if (by.origin == Origin::kFile)
    return fmt::format("{}: another file's pipeline is named '{}', too", text.file, text.name.value);
  return fmt::format(
      "{}: a pipeline '{}' is deployed (version {}) and goes on: give the file another name, or remove the "
      "deployed one ('leat pipelines remove {}') and reload ('leat reload')",
      text.file, text.name.value, by.version, text.name.value);
}

void Host::add_entry(std::unique_ptr<Entry> made, const plan::PlanOutcome& outcome) {
  Entry& entry = *made;
  entry.identity = context_.store->pipelines().identity(entry.name).value_or(entry.name);
  const Entry* const owner = find(entry.name);
  {
    const std::scoped_lock lock(mutex_);
    entries_.push_back(std::move(made));
  }
  if (const Status good = check_name(entry.name); !good) return fail(entry, good.error());
  if (!entry.sql) return fail(entry, {ErrorCode::kIo, entry.error});
  if (!outcome.ok()) return fail(entry, {ErrorCode::kInvalid, rendered_errors(outcome)});
  if (owner != nullptr) return fail(entry, {ErrorCode::kConflict, taken(entry, *owner)});
  entry.plan = outcome.plan;
  entry.policy = std::make_unique<RestartPolicy>(restart_options(entry.plan.settings));
  entry.paused = context_.store->is_paused(entry.name);
  start(entry);
}

/// The first one: a text that may not have its name stands behind its owner.
Host::Entry* Host::find(const PipelineName& name) const {
  for (const auto& entry : entries_)
    if (entry->name == name) return entry.get();
  return nullptr;
}

void Host::fail(Entry& entry, Error error) {
  if (find(entry.name) == &entry)
    log::error("pipeline failed", {{"pipeline", entry.name.value}, {"error", error.message}});
  else
    log::error("a file is refused, as its pipeline's name is taken",
               {{"pipeline", entry.name.value}, {"error", error.message}});
  const std::scoped_lock lock(mutex_);
  entry.error = std::move(error.message);
  entry.error_code = error.code;
}

PipelineContext Host::pipeline_context(const PipelineName& identity) const {
  return {.loop = context_.loop,
          .clock = context_.clock,
          .store = context_.store,
          .gateway_id = context_.gateway_id,
          .journal_dir = context_.journal_dir,
          .identity = identity,
          .ports = ports_.get()};
}

/// The entry has no pipeline meanwhile: the former one holds journals and outboxes until it is gone.
Result<std::unique_ptr<Pipeline>> Host::make(Entry& entry, std::optional<store::SavedPipeline> saved) {
  FileMarks marks = format_files(entry.plan);
  {
    const std::scoped_lock lock(mutex_);
    entry.pipeline.reset();
    entry.error.clear();
    entry.format_files = std::move(marks);
  }
  entry.started = context_.clock->monotonic();
  PipelineEvents events{.ended = [this, &entry] { ended(entry); }, .batch_done = {}, .committed = {}};
  return Pipeline::create(entry.name, entry.file, entry.plan, pipeline_context(entry.identity),
                          std::move(events), std::move(saved));
}

Status Host::launch(Entry& entry, Pipeline& pipeline) {
  if (!entry.paused) return pipeline.start();
  pipeline.start_paused();
  return {};
}

void Host::start(Entry& entry, std::optional<store::SavedPipeline> saved) {
  auto pipeline = make(entry, std::move(saved));
  Status started = pipeline ? launch(entry, **pipeline) : tl::unexpected<Error>(pipeline.error());
  if (!started) {
    fail(entry, started.error());
    return restart_later(entry);
  }
  const std::scoped_lock lock(mutex_);
  entry.error.clear();
  entry.pipeline = *std::move(pipeline);
  log_start(entry);
}

void Host::log_start(const Entry& entry) {
  const std::string message = entry.paused ? "pipeline is paused, as somebody wanted" : "pipeline started";
  if (entry.origin == Origin::kFile)
    return log::info(message, {{"pipeline", entry.name.value}, {"file", entry.file}});
  log::info(message, {{"pipeline", entry.name.value}, {"version", std::to_string(entry.version)}});
}

/// A failed pipeline stays as it is until it is started again: its sources are disconnected, its outbox
/// drains on.
void Host::ended(Entry& entry) {
  if (stopping_) return;
  const PipelineStatus status = entry.pipeline->status_now();
  if (status.state == PipelineState::kFinished)
    return log::info(
        "pipeline finished: its bounded inputs are read to the end, or as far as its LIMITs want",
        {{"pipeline", entry.name.value}});
  {
    const std::scoped_lock lock(mutex_);
    entry.error = status.error;
    entry.error_code = status.error_code;
  }
  restart_later(entry);
}

void Host::restart_later(Entry& entry) {
  const std::int64_t now = context_.clock->monotonic();
  const auto delay = entry.policy->failed({entry.error_code, entry.error}, Micros(now - entry.started), now);
  if (!delay)
    return log::error("pipeline stays failed", {{"pipeline", entry.name.value}, {"error", entry.error}});
  entry.restart = std::make_unique<loop::Timer>(*context_.loop, [this, &entry] {
    ++entry.restarts;
    start(entry);
  });
  entry.restart->start(*delay);
}

void Host::stop(std::int64_t deadline, std::function<void()> done) {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  auto waiting = std::make_shared<std::size_t>(1);
  const auto one_done = [waiting, done = std::move(done)] {
    if (--*waiting == 0) done();
  };
  // A broker that does not answer is waited for once, not once for each pipeline.
  for (auto& entry : entries_)
    if (entry->pipeline) entry->pipeline->begin_stop();
  for (auto& entry : entries_) {
    entry->restart.reset();
    if (!entry->pipeline) continue;
    ++*waiting;
    entry->pipeline->stop(deadline, one_done);
  }
  context_.loop->post(one_done);
}

PipelineStatus Host::status_of(const Entry& entry) {
  PipelineStatus status{.name = entry.name};
  if (entry.pipeline) {
    status = entry.pipeline->status();
  } else {
    // None yet, or not at the moment; what has failed says why.
    const bool starting = entry.changing || entry.error.empty();
    status.state = starting ? PipelineState::kStarting : PipelineState::kFailed;
    status.error = entry.error;
  }
  status.file = entry.file;
  status.restarts = entry.restarts;
  status.refused = entry.refused;
  return status;
}

std::vector<PipelineStatus> Host::statuses() const {
  std::vector<PipelineStatus> statuses;
  const std::scoped_lock lock(mutex_);
  for (const auto& entry : entries_) {
    const auto owner = std::ranges::find(statuses, entry->name, &PipelineStatus::name);
    if (owner == statuses.end())
      statuses.push_back(status_of(*entry));
    else if (owner->refused.empty())  // A file that may not have its name is shown by who has it.
      owner->refused = entry->error;
  }
  std::ranges::stable_sort(statuses, {}, &PipelineStatus::name);
  return statuses;
}

namespace {

/// Sinks that only a human can set going again.
void add_held_sinks(const PipelineStatus& status, std::vector<std::string>& reasons) {
  using Hold = DeliveryStatus::Hold;
  for (const SinkStatus& sink : status.sinks)
    if (sink.delivery.hold == Hold::kUndecided || sink.delivery.hold == Hold::kFenced)
      reasons.push_back(fmt::format("sink '{}' of pipeline '{}' is paused: {}", sink.table.value,
                                    status.name.value, sink.delivery.last_error));
}

}  // namespace

Host::Counts Host::counts() const {
  Counts counts;
  for (const PipelineStatus& status : statuses()) {
    ++(status.state == PipelineState::kPaused ? counts.paused
       : is_up(status.state)                  ? counts.running
                                              : counts.failed);
    if (!status.refused.empty()) ++counts.refused;
  }
  return counts;
}

std::set<PipelineName> Host::under_change() const {
  std::set<PipelineName> names;
  const std::scoped_lock lock(mutex_);
  for (const auto& entry : entries_)
    if (entry->changing) names.insert(entry->name);
  return names;
}

bool Host::ready(std::vector<std::string>& reasons) const {
  {
    const std::scoped_lock lock(mutex_);
    for (const std::string* error : {&folder_error_, &deployed_error_})
      if (!error->empty()) reasons.push_back(*error);
    if (!loaded_) reasons.emplace_back("the pipeline folder has not been read yet");
  }
  // One that is being changed is away for moments, and the change answers for itself.
  const std::set<PipelineName> changing = under_change();
  for (const PipelineStatus& status : statuses()) {
    if (changing.contains(status.name)) continue;
    add_held_sinks(status, reasons);
    if (!status.refused.empty())
      reasons.push_back(fmt::format("a new text of pipeline '{}' is refused{}: {}", status.name.value,
                                    is_up(status.state) ? ", it runs the former one" : "", status.refused));
    for (std::string& trouble : disk_troubles(status)) reasons.push_back(std::move(trouble));
    const bool as_wanted = status.state == PipelineState::kRunning ||
                           status.state == PipelineState::kFinished || status.state == PipelineState::kPaused;
    if (as_wanted) continue;
    const std::string& why = status.state == PipelineState::kStalled ? status.waiting_for : status.error;
    const char* const verb = status.state == PipelineState::kFailed ? "has" : "is";
    reasons.push_back(fmt::format("pipeline '{}' {} {}{}{}", status.name.value, verb, to_string(status.state),
                                  why.empty() ? "" : ": ", why));
  }
  return reasons.empty();
}

}  // namespace leat::runtime
