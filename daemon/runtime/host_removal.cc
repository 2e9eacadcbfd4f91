// Removing and renaming pipelines, and throwing away what they leave.
//
// A removal happens at one transaction: the text goes. What is to be purged goes behind it, part by part; a
// crash between leaves parts that are told as leftovers, and the same removal goes on with them. A renaming
// is one transaction altogether, as the journals' files are called by the pipeline's identity.
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "daemon/log/log.h"
#include "daemon/runtime/host_entry.h"
#include "daemon/runtime/leftovers.h"
#include "pipelines/base/fault_point.h"

namespace leat::runtime {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> journals_of(const std::string& folder, const PipelineName& identity) {
  std::vector<std::string> files;
  std::error_code failed;
  for (const auto& file : fs::directory_iterator(folder, failed))
    if (std::string name = file.path().filename().string(); is_journal_of(identity, name))
      files.push_back(std::move(name));
  std::ranges::sort(files);
  return files;
}

/// What was deleted stays so over a power cut.
Status sync_folder(const std::string& folder) {
  const int handle = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0)
    return leat::fail(ErrorCode::kIo, fmt::format("{}: cannot be opened: {}", folder, std::strerror(errno)));
  const int failed = ::fsync(handle) == 0 ? 0 : errno;
  ::close(handle);
  if (failed == 0) return {};
  return leat::fail(ErrorCode::kIo, fmt::format("{}: cannot be synced: {}", folder, std::strerror(failed)));
}

Status delete_journals(const std::string& folder, const PipelineName& identity) {
  const std::vector<std::string> files = journals_of(folder, identity);
  for (const std::string& file : files) {
    std::error_code failed;
    fs::remove(fs::path(folder) / file, failed);
    if (failed)
      return leat::fail(ErrorCode::kIo,
                        fmt::format("the journal '{}' cannot be deleted: {}", file, failed.message()));
  }
  return files.empty() ? Status() : sync_folder(folder);
}

/// Only then outboxes are forgotten: numbers that begin anew need another identity, which a kept journal
/// would not be found under.
bool purges_all(const std::set<Part>& purge) {
  return purge.contains(Part::kJournal) && purge.contains(Part::kState) && purge.contains(Part::kOutbox);
}

tl::unexpected<Error> is_a_files(const PipelineName& pipeline, const std::string& file,
                                 std::string_view what) {
  return leat::fail(
      ErrorCode::kConflict,
      fmt::format("pipeline '{}' is that of the file '{}', which the next start of the daemon would "
                  "read again: take the file away, reload ('leat reload'), and {}",
                  pipeline.value, file, what));
}

}  // namespace

// ---- Removing --------------------------------------------------------------------------------------------

Result<Removed> Host::remove(const PipelineName& pipeline, const std::set<Part>& purge) {
  LEAT_TRY(check_open());
  std::unique_lock under_way(change_mutex_, std::try_to_lock);
  if (!under_way) return leat::fail(ErrorCode::kConflict, "another pipeline is being changed: try again");
  Removed removed;
  std::vector<Session> gone;
  std::optional<std::string> file;
  {
    const std::scoped_lock lock(mutex_);
    if (const Entry* const entry = find(pipeline)) {
      removed.was_there = true;
      if (entry->origin == Origin::kFile) file = entry->file;
      gone = sessions(entry->plan, entry->identity);
    }
  }
  if (file) return is_a_files(pipeline, *file, "purge then what it leaves with the same command");
  LEAT_ASSIGN(const std::vector<std::string> tables, own_tables(pipeline, removed));
  LEAT_ASSIGN(const bool anything, has_left(pipeline, tables));
  if (!removed.was_there && !anything)
    return leat::fail(ErrorCode::kNotFound,
                      fmt::format("there is no pipeline '{}', and nothing of one", pipeline.value));
  if (removed.was_there) LEAT_TRY(end_for_good(pipeline));
  LEAT_TRY(publish_left_open(pipeline, purge));
  LEAT_TRY(purge_parts(pipeline, purge, tables, removed));
  LEAT_TRY(tell_kept(pipeline, purge, removed));
  tell_open(pipeline, purge, removed);
  const std::vector<std::string> ending = farewells_.begin(without(std::move(gone), running_sessions()));
  look_for_leftovers();
  log::always(log::Level::kWarn, "somebody removed a pipeline",
              {{"pipeline", pipeline.value}, {"purged", fmt::format("{}", fmt::join(removed.purged, ","))}});
  under_way.unlock();
  removed.sessions = farewells_.await(ending);
  return removed;
}

/// Behind it the pipeline is gone; before it, or when it fails, it runs.
Status Host::end_for_good(const PipelineName& pipeline) {
  LEAT_TRY(on_loop([this, pipeline](Steered done) { begin_change(pipeline, std::move(done)); }));
  // Whoever starts it anew goes on behind what is published here.
  LEAT_TRY(on_loop([this, pipeline](const Steered& done) {
    const Entry* const entry = find(pipeline);
    if (entry == nullptr || !entry->pipeline) return done({});
    entry->pipeline->take_away([](const plan::SinkNode&) { return true; },
                               context_.clock->monotonic() + kDrainMicros, [done] { done({}); });
  }));
  const Status gone = context_.store->pipelines().remove(pipeline);
  if (gone) return in_loop([this, pipeline] { return erase(pipeline), Status(); });
  (void)in_loop([this, pipeline] {
    Entry* const entry = find(pipeline);
    if (stopping_ || entry == nullptr) return Status();
    end_change(*entry);
    if (entry->policy) start(*entry);
    return Status();
  });
  return gone;
}

/// The local tables that only this pipeline uses; those of others are noted.
Result<std::vector<std::string>> Host::own_tables(const PipelineName& pipeline, Removed& removed) {
  LEAT_ASSIGN(const std::vector<store::TableStatus> all, context_.store->tables().list());
  std::vector<std::string> own;
  for (const store::TableStatus& table : all) {
    const auto is_this = [&](const store::TableUser& user) { return user.pipeline == pipeline; };
    if (std::ranges::none_of(table.users, is_this)) continue;
    if (std::ranges::all_of(table.users, is_this))
      own.push_back(table.name);
    else
      removed.notes.push_back(fmt::format("the table '{}' stays: other pipelines use it", table.name));
  }
  return own;
}

/// Whether the store or the journals' folder has something of it.
Result<bool> Host::has_left(const PipelineName& pipeline, const std::vector<std::string>& tables) const {
  store::PipelineStore& kept = context_.store->pipelines();
  LEAT_ASSIGN(const PipelineName identity, kept.identity(pipeline));
  LEAT_ASSIGN(const store::KeptParts parts, kept.kept(pipeline));
  LEAT_ASSIGN(const std::vector<store::OutboxStatus> outboxes, context_.store->outbox_status());
  return !tables.empty() || parts.last_commit.value > 0 || parts.entries() > 0 || !parts.positions.empty() ||
         !journals_of(context_.journal_dir, identity).empty() ||
         std::ranges::find(outboxes, pipeline, &store::OutboxStatus::pipeline) != outboxes.end();
}

Status Host::purge_parts(const PipelineName& pipeline, const std::set<Part>& purge,
                         const std::vector<std::string>& tables, Removed& removed) {
  const auto purges = [&](Part part) { return purge.contains(part); };
  store::PipelineStore& kept = context_.store->pipelines();
  LEAT_ASSIGN(const PipelineName identity, kept.identity(pipeline));
  LEAT_ASSIGN(const store::KeptParts parts, kept.kept(pipeline));
  const std::vector<std::string> journals = journals_of(context_.journal_dir, identity);
  if (purges(Part::kJournal)) LEAT_TRY(delete_journals(context_.journal_dir, identity));
  if (purges(Part::kState)) {
    // A journal without its position would be processed a second time.
    std::vector<TableName> keep;
    for (const TableName& source : parts.positions)
      if (!purges(Part::kJournal) &&
          std::ranges::find(journals, journal_file_name(identity, source)) != journals.end())
        keep.push_back(source);
    LEAT_TRY(kept.purge_state(pipeline, keep));
  }
  std::uint64_t dropped = 0;
  if (purges(Part::kOutbox)) {
    LEAT_ASSIGN(dropped, kept.purge_outboxes(pipeline, purges_all(purge) ? store::ShipmentNumbers::kBeginAnew
                                                                         : store::ShipmentNumbers::kGoOn));
  }
  if (purges(Part::kTables))
    for (const std::string& table : tables) LEAT_TRY(context_.store->tables().drop(table));
  const bool had[] = {!journals.empty(), parts.last_commit.value > 0, dropped > 0, !tables.empty()};
  for (const Part part : kAllParts)
    if (purges(part) && (removed.was_there || had[static_cast<std::size_t>(part)]))
      removed.purged.emplace_back(to_string(part));
  if (!purges(Part::kTables) && !tables.empty()) removed.kept.emplace_back(to_string(Part::kTables));
  return {};
}

/// Behind a purge nobody would know of it any more.
Status Host::publish_left_open(const PipelineName& pipeline, const std::set<Part>& purge) {
  LEAT_ASSIGN(std::vector<store::OutboxStatus> outboxes, context_.store->outbox_status());
  // Without the folder what others have may be served again.
  if (!knows_all()) std::erase_if(outboxes, [&](const auto& outbox) { return outbox.pipeline != pipeline; });
  late_publisher_.begin(unserved(what_is_served(), outboxes), purges_all(purge) ? pipeline : PipelineName{});
  late_publisher_.await(pipeline);
  return {};
}

/// What could not be published.
void Host::tell_open(const PipelineName& pipeline, const std::set<Part>& purge, Removed& removed) const {
  for (const StillOpen& open : late_publisher_.still_open()) {
    if (open.pipeline != pipeline) continue;
    if (!purges_all(purge)) {
      removed.notes.push_back(sentence_of(open));
      continue;
    }
    const std::string files = fmt::format("{}", fmt::join(open.files, ", "));
    removed.notes.push_back(fmt::format(
        "rows that sink '{}' has delivered are not published, as {}; they stay in hidden files that nobody "
        "but you knows any more: {}",
        open.sink.value, open.why, files));
    log::error(
        "what a purged sink had written stays hidden",
        {{"pipeline", pipeline.value}, {"table", open.sink.value}, {"files", files}, {"error", open.why}});
  }
}

/// What there is of the pipeline now.
Status Host::tell_kept(const PipelineName& pipeline, const std::set<Part>& purge, Removed& removed) {
  store::PipelineStore& kept = context_.store->pipelines();
  LEAT_ASSIGN(const PipelineName identity, kept.identity(pipeline));
  LEAT_ASSIGN(const store::KeptParts parts, kept.kept(pipeline));
  LEAT_ASSIGN(const std::vector<store::OutboxStatus> outboxes, context_.store->outbox_status());
  if (!journals_of(context_.journal_dir, identity).empty())
    removed.kept.emplace_back(to_string(Part::kJournal));
  if (parts.entries() > 0 || !parts.positions.empty()) removed.kept.emplace_back(to_string(Part::kState));
  if (purge.contains(Part::kState) && !parts.positions.empty())
    removed.notes.push_back("the positions of sources whose journals stay are kept with these");
  bool waits = false;
  for (const store::OutboxStatus& outbox : outboxes) {
    if (outbox.pipeline != pipeline || outbox.records == 0) continue;
    waits = true;
    if (purge.contains(Part::kOutbox))
      removed.notes.push_back(fmt::format(
          "{} records for sink '{}' stay: their shipment may have arrived; '--purge all' gives them up",
          outbox.records, outbox.sink.value));
  }
  if (waits) removed.kept.emplace_back(to_string(Part::kOutbox));
  return {};
}

// ---- Renaming --------------------------------------------------------------------------------------------

Status Host::rename(const PipelineName& from, const PipelineName& to) {
  LEAT_TRY(check_open());
  const std::unique_lock under_way(change_mutex_, std::try_to_lock);
  if (!under_way) return leat::fail(ErrorCode::kConflict, "another pipeline is being changed: try again");
  LEAT_TRY(check_name(to));
  if (from == to) return {};
  bool is_there = false;
  std::string sql;
  {
    const std::scoped_lock lock(mutex_);
    if (const Entry* const other = find(to))
      return leat::fail(ErrorCode::kConflict,
                        fmt::format("there is a pipeline '{}' already", other->name.value));
    if (const Entry* const entry = find(from)) {
      is_there = true;
      sql = with_name(entry->sql.value_or(""), to);
      if (entry->origin == Origin::kFile)
        return is_a_files(
            from, entry->file,
            "rename then what it leaves with the same command; the file may come back under the new name");
    }
  }
  for (const PipelineName& name : {from, to}) late_publisher_.keep(name);
  const Status renamed =
      is_there ? rename_running(from, to, sql) : context_.store->pipelines().rename(from, to, sql);
  look_for_leftovers();
  LEAT_TRY(renamed);
  log::always(log::Level::kWarn, "somebody renamed a pipeline",
              {{"pipeline", from.value}, {"name", to.value}});
  return {};
}

/// It is away meanwhile, and goes on under the name that the store has then.
Status Host::rename_running(const PipelineName& from, const PipelineName& to, const std::string& sql) {
  LEAT_TRY(on_loop([this, from](Steered done) { begin_change(from, std::move(done)); }));
  LEAT_TRY(in_loop([this, from] {  // Its deliveries settle under the old name.
    const std::scoped_lock lock(mutex_);
    if (Entry* const entry = find(from)) entry->pipeline.reset();
    return Status();
  }));
  LEAT_FAULT_POINT("rename.away");
  const Status renamed = context_.store->pipelines().rename(from, to, sql);
  LEAT_FAULT_POINT("rename.renamed");
  const PipelineName& name = renamed ? to : from;
  Result<store::SavedPipeline> saved = context_.store->load(name);
  LEAT_TRY(in_loop([&]() -> Status {
    Entry* const entry = find(from);
    if (stopping_ || entry == nullptr) return leat::fail(ErrorCode::kUnavailable, "the daemon is stopping");
    {
      const std::scoped_lock lock(mutex_);
      if (renamed) entry->sql = sql;
      entry->name = name;
    }
    end_change(*entry);
    if (entry->policy) start(*entry, saved ? std::optional(*std::move(saved)) : std::nullopt);
    return {};
  }));
  LEAT_FAULT_POINT("rename.running");
  return renamed;
}

// ---- Outboxes --------------------------------------------------------------------------------------------

Result<OutboxPurged> Host::purge_outbox(const PipelineName& pipeline, const TableName& sink) {
  LEAT_TRY(check_open());
  const auto waiting = [&]() -> Result<std::uint64_t> {
    LEAT_ASSIGN(const std::vector<store::OutboxStatus> all, context_.store->outbox_status());
    for (const store::OutboxStatus& one : all)
      if (one.pipeline == pipeline && one.sink == sink) return one.records;
    return leat::fail(
        ErrorCode::kNotFound,
        fmt::format("pipeline '{}' never put anything out for a sink '{}'", pipeline.value, sink.value));
  };
  LEAT_TRY(waiting().map([](std::uint64_t) {}));
  OutboxPurged purged;
  LEAT_ASSIGN(purged.dropped, context_.store->pipelines().purge_outbox(pipeline, sink));
  LEAT_ASSIGN(purged.remaining, waiting());
  log::always(
      log::Level::kWarn, "somebody threw results away",
      {{"pipeline", pipeline.value}, {"sink", sink.value}, {"records", std::to_string(purged.dropped)}});
  return purged;
}

}  // namespace leat::runtime
