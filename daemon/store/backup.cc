#include "daemon/store/backup.h"

#include <filesystem>
#include <memory>
#include <system_error>

#include "daemon/store/schema.h"
#include "daemon/store/sqlite.h"
#include "daemon/store/store_file.h"

namespace leat::store {
namespace {

namespace fs = std::filesystem;

/// Findings that are shown; the rest adds nothing to what has to be done.
constexpr const char* kCheck = "PRAGMA integrity_check(20)";

Result<std::unique_ptr<Connection>> open_existing(const std::string& path) {
  std::error_code failed;
  if (!fs::exists(path, failed)) return fail(ErrorCode::kNotFound, "there is no store at " + path);
  LEAT_ASSIGN(std::unique_ptr<Connection> connection, Connection::open(path, OpenMode::kReadOnly));
  LEAT_ASSIGN(const int schema, schema_version(*connection));
  if (schema == 0) return fail(ErrorCode::kNotFound, path + " is empty");
  return connection;
}

Result<std::vector<std::string>> find_damage(Connection& connection) {
  std::vector<std::string> findings;
  Statement check(connection, kCheck);
  Rows rows = check.query();
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) break;
    findings.push_back(rows.text(0));
  }
  if (findings == std::vector<std::string>{"ok"}) findings.clear();
  return findings;
}

Result<std::uint64_t> count(Connection& connection, const char* sql) {
  LEAT_ASSIGN(const std::string text, connection.value(sql));
  return std::stoull(text);
}

Status count_rows(Connection& connection, StoreReport& report) {
  LEAT_ASSIGN(report.pipelines, count(connection, "SELECT count(*) FROM pipelines"));
  LEAT_ASSIGN(report.state_entries, count(connection, "SELECT count(*) FROM state"));
  LEAT_ASSIGN(report.waiting_records, count(connection, "SELECT coalesce(sum(waiting), 0) FROM outboxes"));
  LEAT_ASSIGN(report.dead_letters, count(connection, "SELECT count(*) FROM dead_letters"));
  return {};
}

/// One step: in more, a daemon that writes meanwhile would make it begin anew each time.
Status copy_pages(Connection& from, Connection& to) {
  sqlite3_backup* backup = sqlite3_backup_init(to.raw(), "main", from.raw(), "main");
  if (backup == nullptr) return tl::unexpected<Error>(to.error(sqlite3_extended_errcode(to.raw())));
  const int rc = sqlite3_backup_step(backup, -1);
  const int finished = sqlite3_backup_finish(backup);
  if (rc == SQLITE_DONE && finished == SQLITE_OK) return {};
  const bool source_failed = sqlite3_errcode(from.raw()) != SQLITE_OK;
  return tl::unexpected<Error>((source_failed ? from : to).error(finished != SQLITE_OK ? finished : rc));
}

Status make_copy(const std::string& path, const std::string& target) {
  LEAT_ASSIGN(std::unique_ptr<Connection> from, open_existing(path));
  LEAT_ASSIGN(std::unique_ptr<Connection> to, Connection::open(target, OpenMode::kReadWrite));
  LEAT_TRY(copy_pages(*from, *to));
  // One file, without a log beside it.
  LEAT_TRY(to->set_pragma("journal_mode", "DELETE", "delete"));
  LEAT_ASSIGN(const std::vector<std::string> damage, find_damage(*to));
  if (!damage.empty())
    return fail(ErrorCode::kCorrupt, path + " is damaged: " + damage.front() + " (see 'leat store repair')");
  return to->exec("DELETE FROM store");
}

}  // namespace

Result<StoreReport> check_store(const std::string& path) {
  StoreReport report;
  report.damaged_files = count_damaged_files(path);
  std::error_code failed;
  report.bytes = fs::file_size(path, failed);
  auto opened = open_existing(path);
  Status looked = opened ? Status() : Status(tl::unexpected<Error>(opened.error()));
  if (looked) {
    LEAT_ASSIGN(report.schema, schema_version(**opened));
    auto damage = find_damage(**opened);
    if (damage) report.damage = *std::move(damage);
    looked = damage ? count_rows(**opened, report) : Status(tl::unexpected<Error>(damage.error()));
  }
  if (looked) return report;
  if (looked.error().code != ErrorCode::kCorrupt) return tl::unexpected<Error>(looked.error());
  report.damage.push_back(looked.error().message);
  return report;
}

Status back_up_store(const std::string& path, const std::string& target) {
  std::error_code failed;
  if (fs::exists(target, failed))
    return fail(ErrorCode::kConflict, target + " exists already: name a file that does not");
  const std::string unfinished = target + ".unfinished";
  fs::remove(unfinished, failed);
  Status copied = make_copy(path, unfinished);
  if (!copied) {
    for (const char* suffix : {"", "-journal"}) fs::remove(unfinished + suffix, failed);
    return copied;
  }
  fs::rename(unfinished, target, failed);
  if (failed) return fail(ErrorCode::kIo, "cannot name the backup " + target + ": " + failed.message());
  return sync_folder_of(target);
}

}  // namespace leat::store
