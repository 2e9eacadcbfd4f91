// Reading the pipeline folder anew (reload.h). The caller's thread reads, plans and waits; what touches
// pipelines happens on the loop, in the steps of host_deploy.cc and host_removal.cc.
//
// Pipelines whose files are gone end first, so that their names, sessions and tables are free; then the files
// are taken in the order of their names.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "daemon/log/log.h"
#include "daemon/runtime/host_entry.h"
#include "daemon/runtime/neighbours.h"
#include "daemon/runtime/pipeline_file.h"

namespace leat::runtime {
namespace {

/// How long another change may take before a reload gives up.
constexpr std::chrono::seconds kPatience{60};

std::optional<ServedFile> runner_of(const std::vector<ServedFile>& served, const std::string& path) {
  for (const ServedFile& one : served)
    if (one.can_run && one.path == path) return one;
  return std::nullopt;
}

std::optional<ServedFile> runner_of(const std::vector<ServedFile>& served, const PipelineName& name) {
  for (const ServedFile& one : served)
    if (one.can_run && !one.path.empty() && one.pipeline == name) return one;
  return std::nullopt;
}

/// The text that runs, and what the files hold that its formats name.
bool is_unchanged(const ServedFile& now, const FolderFile& file) {
  return now.sql == file.sql && marked_again(now.format_files) == now.format_files;
}

bool takes_over(FileOutcome outcome) {
  return outcome == FileOutcome::kStarted || outcome == FileOutcome::kReplaced;
}

void log_report(const ReloadReport& report) {
  const auto count = [&](FileOutcome outcome) { return std::to_string(report.count(outcome)); };
  log::always(report.count(FileOutcome::kRefused) > 0 ? log::Level::kWarn : log::Level::kInfo,
              "the pipeline folder was read again",
              {{"started", count(FileOutcome::kStarted)},
               {"replaced", count(FileOutcome::kReplaced)},
               {"unchanged", count(FileOutcome::kUnchanged)},
               {"ended", count(FileOutcome::kEnded)},
               {"refused", count(FileOutcome::kRefused)},
               {"forgotten", count(FileOutcome::kForgotten)}});
}

}  // namespace

/// A reload under way, as the caller's thread knows it.
struct Host::Reload {
  const ReloadRequest& request;
  std::vector<ServedFile> served = {};
  std::vector<FolderFile> files = {};
  FolderPlan plan = {};
  ReloadReport report = {};
  std::vector<std::vector<Session>> sessions = {};  // Of each of the report's files that ended.
  /// Of a file that was looked at.
  [[nodiscard]] std::optional<FileOutcome> outcome_of(const FolderFile& file) const {
    for (const ReloadedFile& each : report.files)
      if (each.file == file.path && each.pipeline == file.pipeline) return each.outcome;
    return std::nullopt;
  }
  /// Whether its text is right, and another than that which runs.
  [[nodiscard]] bool will_change(const FolderFile& file) const {
    if (!file.sql || !file.outcome.ok()) return false;
    const auto owner = plan.owners.find(file.pipeline);
    if (owner == plan.owners.end() || &files[owner->second] != &file) return false;
    const auto now = runner_of(served, file.pipeline);
    return !now || !is_unchanged(*now, file);
  }
  /// Under the path that its pipeline runs from, if it runs.
  [[nodiscard]] FolderFile as_running(FolderFile file) const {
    if (const auto now = runner_of(served, file.pipeline)) file.path = now->path;
    return file;
  }
  [[nodiscard]] bool dry() const { return request.run == DeployRequest::Run::kDry; }
  void progress() const {
    if (request.progress && !dry()) request.progress();
  }
};

Result<ReloadReport> Host::reload(const ReloadRequest& request) {
  LEAT_TRY(check_open());
  const std::unique_lock under_way(change_mutex_, kPatience);
  if (!under_way) return leat::fail(ErrorCode::kConflict, "another pipeline is being changed: try again");
  Reload reload{.request = request};
  LEAT_ASSIGN(reload.served, served());
  LEAT_ASSIGN(reload.files, read_folder(reload.served));
  reload.plan = assign_names(reload.files, reload.served);
  LEAT_TRY(end_gone(reload));
  for (std::size_t i = 0; i < reload.files.size(); ++i) LEAT_TRY(apply_file(reload, i));
  if (reload.dry()) return std::move(reload.report);
  // Now that all run that will: a session of a pipeline that ended may be that of another file's.
  const std::vector<Session> wanted = running_sessions();
  std::vector<std::vector<std::string>> ending;
  for (std::vector<Session>& gone : reload.sessions)
    ending.push_back(farewells_.begin(without(std::move(gone), wanted)));
  for (std::size_t i = 0; i < ending.size(); ++i)
    reload.report.files[i].sessions = farewells_.await(ending[i]);
  look_for_leftovers();
  log_report(reload.report);
  return std::move(reload.report);
}

/// On the loop, which owns what says whether an entry can run.
Result<std::vector<ServedFile>> Host::served() {
  std::vector<ServedFile> all;
  LEAT_TRY(in_loop([&] {
    for (const auto& entry : entries_)
      all.push_back({.path = entry->file,
                     .pipeline = entry->name,
                     .can_run = entry->policy != nullptr,
                     .sql = entry->sql,
                     .format_files = entry->format_files});
    return Status();
  }));
  return all;
}

Result<std::vector<FolderFile>> Host::read_folder(const std::vector<ServedFile>& served) {
  const auto paths = pipeline_files(folder_);
  {
    const std::scoped_lock lock(mutex_);
    folder_error_ = paths ? "" : paths.error().message;
  }
  // Nothing ends for a folder that is away.
  if (!paths) return tl::unexpected<Error>(paths.error());
  std::vector<FolderFile> files;
  for (const std::string& path : *paths) files.push_back(read_now(path, served));
  return files;
}

/// A text that runs is right, and is not planned again.
FolderFile Host::read_now(const std::string& path, const std::vector<ServedFile>& served) const {
  FolderFile file{.path = path, .sql = {}, .pipeline = name_of_file(path, {}), .outcome = {}};
  if (auto text = read_file(path))
    file.sql = *std::move(text);
  else
    file.unreadable = text.error().message;
  const auto now = runner_of(served, path);
  if (now) file.pipeline = now->pipeline;
  if (!file.sql || (now && is_unchanged(*now, file))) return file;
  file.outcome = planned(path, *file.sql);
  if (file.outcome.ok() || !now) file.pipeline = name_of_file(path, file.outcome.plan);
  if (const Status good = check_name(file.pipeline); !good)
    file.outcome.messages.push_back({.text = good.error().message, .rendered = good.error().message});
  return file;
}

/// Pipelines that no file has any more.
Status Host::end_gone(Reload& reload) {
  for (const ServedFile& one : reload.served) {
    const bool is_there = std::ranges::find(reload.files, one.path, &FolderFile::path) != reload.files.end();
    if (one.path.empty() || (one.can_run ? reload.plan.owners.contains(one.pipeline) : is_there)) continue;
    ReloadedFile& report = reload.report.files.emplace_back(
        ReloadedFile{.file = one.path,
                     .pipeline = one.pipeline,
                     .outcome = one.can_run ? FileOutcome::kEnded : FileOutcome::kForgotten});
    std::vector<Session>& sessions_then = reload.sessions.emplace_back();
    if (reload.dry()) continue;
    reload.progress();
    if (!one.can_run) {
      LEAT_TRY(erase_failed(one.path));
      continue;
    }
    const Former former = former_of(one.pipeline);
    sessions_then = sessions(former.plan, former.identity);
    if (const Status ended = end_for_good(one.pipeline); !ended) {
      LEAT_TRY(check_open());
      report.outcome = FileOutcome::kRefused;
      report.error = ended.error().message;
      sessions_then.clear();
      continue;
    }
    LEAT_TRY(context_.store->streams().declare(one.pipeline, {}));
    log::warn("pipeline ended, as its file is gone", {{"pipeline", one.pipeline.value}, {"file", one.path}});
  }
  return {};
}

/// A file's text that never ran: nothing is to end.
Status Host::erase_failed(const std::string& path) {
  return in_loop([&] {
    const std::scoped_lock lock(mutex_);
    std::erase_if(entries_, [&](const auto& entry) { return !entry->policy && entry->file == path; });
    return Status();
  });
}

Status Host::apply_file(Reload& reload, std::size_t index) {
  const FolderFile& file = reload.files[index];
  ReloadedFile report{.file = file.path, .pipeline = file.pipeline, .outcome = FileOutcome::kUnchanged};
  const auto conflict = reload.plan.conflicts.find(index);
  const auto now = runner_of(reload.served, file.pipeline);
  if (!file.sql)
    LEAT_TRY(refuse_file(reload, file, {ErrorCode::kIo, file.unreadable}, report));
  else if (!file.outcome.ok())
    LEAT_TRY(refuse_file(reload, file, {ErrorCode::kInvalid, rendered_errors(file.outcome)}, report));
  else if (conflict != reload.plan.conflicts.end())
    LEAT_TRY(refuse_file(reload, file, {ErrorCode::kConflict, conflict->second}, report));
  else if (now && is_unchanged(*now, file))
    LEAT_TRY(reload.dry() ? Status() : keep_running(*now, file.path));
  else if (const Status fits = beside(reload, file).admit(place_of(file.pipeline), file.outcome.plan); !fits)
    LEAT_TRY(refuse_file(reload, reload.as_running(file), fits.error(), report));
  else
    LEAT_TRY(put_in_place(reload, file, report));
  reload.report.files.push_back(std::move(report));
  return {};
}

/// The text that runs, perhaps under another path than before.
Status Host::keep_running(const ServedFile& now, const std::string& path) {
  return in_loop([&] {
    Entry* const entry = find(now.pipeline);
    if (entry == nullptr) return Status();
    const std::scoped_lock lock(mutex_);
    entry->file = path;
    entry->refused.clear();
    return Status();
  });
}

/// What ran before goes on, with the refusal shown; without such a thing the file shows as failed.
Status Host::refuse_file(const Reload& reload, const FolderFile& file, Error why, ReloadedFile& report) {
  report.outcome = FileOutcome::kRefused;
  report.error = why.message;
  if (reload.dry()) return {};
  const auto now = runner_of(reload.served, file.path);
  if (now) report.pipeline = now->pipeline;
  const PipelineName identity = context_.store->pipelines().identity(file.pipeline).value_or(file.pipeline);
  if (!now) LEAT_TRY(erase_failed(file.path));
  return in_loop([&] {
    if (Entry* const entry = now ? find(now->pipeline) : nullptr; entry != nullptr) {
      const bool runs = entry->pipeline && is_up(entry->pipeline->status_now().state);
      log::error(runs ? "the new text of a pipeline's file is refused, the former one runs on"
                      : "the new text of a pipeline's file is refused, and the former one does not run",
                 {{"pipeline", entry->name.value}, {"file", file.path}, {"error", why.message}});
      const std::scoped_lock lock(mutex_);
      entry->refused = why.message;
      return Status();
    }
    auto made = std::make_unique<Entry>();
    made->name = file.pipeline;
    made->identity = identity;
    made->file = file.path;
    made->sql = file.sql;
    Entry& entry = *made;
    {
      const std::scoped_lock lock(mutex_);
      entries_.push_back(std::move(made));
    }
    fail(entry, std::move(why));
    return Status();
  });
}

/// The text takes over, or is refused.
Status Host::put_in_place(const Reload& reload, const FolderFile& file, ReloadedFile& report) {
  if (!reload.dry()) LEAT_TRY(erase_failed(file.path));
  const bool runs = runner_of(reload.served, file.pipeline).has_value();
  const Status taken = take_file(reload, file, report);
  if (taken) return {};
  LEAT_TRY(check_open());
  report.outcome = FileOutcome::kRefused;
  report.error = taken.error().message;
  if (reload.dry()) return {};
  // Somebody said that it shall not start like that.
  const bool too_cold = !report.state.cold.empty() && reload.request.cold == DeployRequest::Cold::kRefuse;
  if (too_cold && !runs) return refuse_file(reload, file, taken.error(), report);
  if (runs) return refuse_file(reload, reload.as_running(file), taken.error(), report);
  // It may start later, by its restart strategy: what it needs may come.
  return in_loop([&] {
    if (find(file.pipeline) != nullptr) return Status();
    auto made = std::make_unique<Entry>();
    made->name = file.pipeline;
    made->file = file.path;
    made->sql = file.sql;
    add_entry(std::move(made), file.outcome);
    return Status();
  });
}

/// Files that were looked at count with what they run now; those whose turn has not come do not count as far
/// as they will change, so that two files can swap what only one can have, and are judged in their turn.
Neighbours Host::beside(const Reload& reload, const FolderFile& file) const {
  std::set<PipelineName> without{file.pipeline};
  std::vector<const FolderFile*> taken;
  for (const FolderFile& other : reload.files) {
    const std::optional<FileOutcome> outcome = reload.outcome_of(other);
    if (&other == &file || (outcome ? !takes_over(*outcome) : !reload.will_change(other))) continue;
    without.insert(other.pipeline);
    if (outcome) taken.push_back(&other);
  }
  for (const ReloadedFile& report : reload.report.files)
    if (report.outcome == FileOutcome::kEnded) without.insert(report.pipeline);
  Neighbours all = neighbours(without);
  for (const FolderFile* const other : taken) all.add(place_of(other->pipeline), other->outcome.plan);
  return all;
}

Status Host::take_file(const Reload& reload, const FolderFile& file, ReloadedFile& report) {
  Swap change{.pipeline = file.pipeline,
              .sql = *file.sql,
              .file = file.path,
              .plan = file.outcome.plan,
              .former = {}};
  if (runner_of(reload.served, file.pipeline)) change.former = former_of(file.pipeline);
  store::KeptParts parts;
  LEAT_TRY(prepare(change, parts));
  DeployOutcome would = rehearse_change(change, parts);
  if (!would) return tl::unexpected<Error>(would.error().error);
  report.outcome = change.creates ? FileOutcome::kStarted : FileOutcome::kReplaced;
  report.warnings = std::move(would->warnings);
  report.state = std::move(would->state);
  if (!report.state.cold.empty() && reload.request.cold == DeployRequest::Cold::kRefuse)
    return leat::fail(ErrorCode::kConflict, cold_message(file.pipeline, report.state) +
                                                "\nsay that they may start cold, or keep their definitions");
  if (reload.dry()) return {};
  reload.progress();
  LEAT_ASSIGN(const std::vector<std::string> gone, swap(change));
  report.sessions = farewells_.await(gone);
  log::info("pipeline runs what its file has now", {{"pipeline", file.pipeline.value}, {"file", file.path}});
  for (const StateReport::Cold& cold : report.state.cold)
    log::warn("an operator starts cold",
              {{"pipeline", file.pipeline.value}, {"operator", cold.name}, {"why", cold.why}});
  return {};
}

// ---- Restarting one --------------------------------------------------------------------------------------

/// The file of a pipeline, if it or a file that its formats name has changed since it was read.
std::optional<std::string> Host::changed_file(const PipelineName& pipeline) const {
  const Former former = former_of(pipeline);
  if (!former.is_there || former.origin != Origin::kFile) return std::nullopt;
  const auto now = read_file(former.file);
  return now && !runs_already(former, *now) ? std::optional(former.file) : std::nullopt;
}

Status Host::restart_with_file(const PipelineName& pipeline, const std::string& path) {
  const std::unique_lock under_way(change_mutex_, kPatience);
  if (!under_way) return leat::fail(ErrorCode::kConflict, "another pipeline is being changed: try again");
  const ReloadRequest request;
  Reload reload{.request = request};
  LEAT_ASSIGN(reload.served, served());
  reload.files.push_back(read_now(path, reload.served));
  const FolderFile& file = reload.files.front();
  if (file.sql && file.outcome.ok() && file.pipeline != pipeline)
    return leat::fail(ErrorCode::kConflict,
                      fmt::format("the file '{}' names its pipeline '{}' now: reload all ('leat reload')",
                                  path, file.pipeline.value));
  reload.plan = assign_names(reload.files, reload.served);
  LEAT_TRY(apply_file(reload, 0));
  const ReloadedFile& report = reload.report.files.front();
  if (report.outcome != FileOutcome::kRefused) return {};
  const auto all = statuses();
  const auto now = std::ranges::find(all, pipeline, &PipelineStatus::name);
  const bool runs = now != all.end() && is_up(now->state);
  return leat::fail(ErrorCode::kInvalid,
                    fmt::format("what the file of pipeline '{}' has now is refused{}: {}", pipeline.value,
                                runs ? ", and its former text runs on" : "", report.error));
}

}  // namespace leat::runtime
