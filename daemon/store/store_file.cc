#include "daemon/store/store_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "daemon/store/salvage.h"
#include "daemon/store/schema.h"

namespace leat::store {
namespace {

namespace fs = std::filesystem;

/// A check of ten seconds covers some gigabytes; the rest would keep the gateway from starting.
constexpr std::chrono::milliseconds kCheckLimit{10'000};

fs::path folder_of(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

std::string system_message(const std::string& what, int code) {
  return what + ": " + std::strerror(code);
}

Status make_folder(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (!failed) return {};
  return fail(ErrorCode::kIo, "cannot create the data folder " + folder.string() + ": " + failed.message() +
                                  " (create it, owned by the user that Leat runs as)");
}

bool has_bytes(const std::string& path) {
  std::error_code failed;
  const auto size = fs::file_size(path, failed);
  return !failed && size > 0;
}

/// PRAGMA quick_check, for as long as `kCheckLimit`. Errors: corrupt, with the first finding.
Status check_whole_file(Connection& connection, std::vector<std::string>& notes) {
  connection.limit_time(kCheckLimit);
  const Result<std::string> verdict = connection.value("PRAGMA quick_check(1)");
  connection.limit_time(std::chrono::milliseconds(0));
  if (!verdict && verdict.error().code == ErrorCode::kCancelled) {
    notes.push_back(connection.path() + " was not closed properly; its check was cut short after " +
                    std::to_string(kCheckLimit.count() / 1000) + " s");
    return {};
  }
  if (!verdict) return tl::unexpected<Error>(verdict.error());
  if (*verdict != "ok") return fail(ErrorCode::kCorrupt, connection.path() + ": " + *verdict);
  notes.push_back(connection.path() + " was not closed properly; it was checked and is sound");
  return {};
}

enum class Check : std::uint8_t { kNone, kWhole };

Result<std::unique_ptr<Connection>> open_sound(const std::string& path) {
  LEAT_ASSIGN(std::unique_ptr<Connection> connection, Connection::open(path, OpenMode::kReadWrite));
  LEAT_ASSIGN(const int version, schema_version(*connection));
  LEAT_TRY(apply_settings(*connection));
  LEAT_TRY(migrate(*connection, version));
  return connection;
}

Result<std::unique_ptr<Connection>> open_and_check(const std::string& path, Check check,
                                                   const FirstUse& first_use,
                                                   std::vector<std::string>& notes) {
  Result<std::unique_ptr<Connection>> sound = open_sound(path);
  // A header that SQLite makes nothing of, or that takes no setting.
  if (!sound && sound.error().code == ErrorCode::kInternal)
    return fail(ErrorCode::kCorrupt, sound.error().message);
  LEAT_ASSIGN(std::unique_ptr<Connection> connection, std::move(sound));
  if (check == Check::kWhole) LEAT_TRY(check_whole_file(*connection, notes));
  LEAT_TRY(first_use(*connection));
  return connection;
}

/// Ends a setting aside that was cut short: a log without its database, which SQLite would delete.
Status move_orphan_log(const std::string& path, std::vector<std::string>& notes) {
  std::error_code failed;
  if (has_bytes(path) || !has_bytes(path + "-wal")) return {};
  LEAT_ASSIGN(const std::string aside, set_store_aside(path));
  notes.push_back(path + "-wal is a log without its database: set aside as " + aside + "-wal");
  return {};
}

/// A state of which parts are missing may not load, and nobody may be there to help: then it goes as a whole.
/// True: it did.
Result<bool> drop_state_in_parts(const std::string& path, const SalvageReport& report) {
  const bool in_parts = std::ranges::any_of(report.tables, [](const SalvagedTable& table) {
    return table.damaged_places > 0 && (table.name == "state" || table.name == "operators");
  });
  if (!in_parts) return false;
  LEAT_ASSIGN(std::unique_ptr<Connection> connection, Connection::open(path, OpenMode::kReadWrite));
  LEAT_TRY(connection->exec("DELETE FROM state"));
  return true;
}

/// Puts what can be read of it, or else nothing, in the place of a damaged store.
Status replace_damaged(const std::string& path, const std::string& finding, std::vector<std::string>& notes) {
  if (const Result<SalvageReport> report = repair_locked_store(path)) {
    std::string note = "the store was damaged (" + finding + "): set aside as " + report->aside +
                       ", and repaired: " + describe(*report);
    LEAT_ASSIGN(const bool cold, drop_state_in_parts(path, *report));
    if (cold) note += "; the operators' state was damaged, too: all pipelines start without it";
    notes.push_back(std::move(note));
    return {};
  }
  LEAT_ASSIGN(const std::string aside, set_store_aside(path));
  notes.push_back(
      "the store was damaged (" + finding + "): set aside as " + aside +
      "; nothing of it can be read, so a new one is begun: positions, state and undelivered results of the "
      "old one are not used");
  return {};
}

bool is_full(const Result<std::unique_ptr<Connection>>& opened) {
  return !opened && (opened.error().code == ErrorCode::kExhausted || opened.error().code == ErrorCode::kIo);
}

}  // namespace

Status sync_folder_of(const std::string& path) {
  const fs::path folder = folder_of(path);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fail(ErrorCode::kIo, system_message("cannot open folder " + folder.string(), errno));
  const int rc = ::fsync(fd);
  const int code = errno;
  ::close(fd);
  if (rc != 0) return fail(ErrorCode::kIo, system_message("cannot sync folder " + folder.string(), code));
  return {};
}

Result<std::string> set_store_aside(const std::string& path) {
  std::error_code failed;
  std::string aside;
  for (int number = 1; aside.empty() || fs::exists(aside, failed); ++number)
    aside = path + ".damaged-" + std::to_string(number);
  // The database first: a cut leaves its log alone behind, which is moved after it at the next opening. The
  // other way round, the next opening would take the database without its log for a sound one.
  for (const char* suffix : {"", "-wal", "-shm"}) {
    if (!fs::exists(path + suffix, failed)) continue;
    fs::rename(path + suffix, aside + suffix, failed);
    if (failed)
      return fail(ErrorCode::kIo, path + " is damaged and cannot be set aside: " + failed.message() +
                                      " (move it away, or choose another data folder)");
    LEAT_TRY(sync_folder_of(path));
  }
  return aside;
}

Result<std::unique_ptr<StoreLock>> StoreLock::take(const std::string& store_path) {
  LEAT_TRY(make_folder(folder_of(store_path)));
  const std::string path = store_path + ".lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0)
    return fail(ErrorCode::kIo, system_message("cannot open " + path, errno) +
                                    " (the data folder must be writable for Leat)");
  std::unique_ptr<StoreLock> lock(new StoreLock(fd));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail(ErrorCode::kIo, system_message("cannot lock " + path, errno));
    return fail(ErrorCode::kConflict, "the data folder " + folder_of(store_path).string() +
                                          " is in use by process " + read_first_line(path) +
                                          ": stop it, or choose another data folder");
  }
  // For people; on a full disk there is room for the lock all the same.
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) == 0) [[maybe_unused]]
    const ssize_t written = ::pwrite(fd, pid.data(), pid.size(), 0);
  return lock;
}

// The file stays: removing it would let two daemons lock two files of one name.
StoreLock::~StoreLock() {
  ::close(fd_);
}

Result<std::unique_ptr<Connection>> open_store_file(const std::string& path, const FirstUse& first_use,
                                                    std::vector<std::string>& notes) {
  if (path == ":memory:") return open_and_check(path, Check::kNone, first_use, notes);
  LEAT_ASSIGN(const bool repaired, end_repair(path));
  if (repaired)
    notes.push_back("a repair of the store that was cut short is ended: " + path + " is the repaired one");
  LEAT_TRY(move_orphan_log(path, notes));
  std::error_code ignored;
  const bool is_new = !has_bytes(path);
  // The lock is taken already; the ballast goes on a full disk only, and then there is a store.
  const bool was_here = is_new && fs::exists(path + ".ballast", ignored);
  // Closing the last connection removes the WAL; one with content tells of a kill or a power cut.
  const bool unclean = has_bytes(path + "-wal") || fs::exists(path + ".suspect", ignored);
  const Check check = unclean ? Check::kWhole : Check::kNone;
  Result<std::unique_ptr<Connection>> opened = open_and_check(path, check, first_use, notes);
  // Even opening writes (SQLite's -shm), and on a full disk fails with one code or the other.
  if (is_full(opened) && fs::remove(path + ".ballast", ignored))
    opened = open_and_check(path, check, first_use, notes);
  // SQLite tells of damage, too, when a read fails in the wrong moment: a finding counts when it is made
  // twice.
  if (!opened && opened.error().code == ErrorCode::kCorrupt)
    opened = open_and_check(path, Check::kWhole, first_use, notes);
  if (!opened && opened.error().code == ErrorCode::kCorrupt) {
    LEAT_TRY(replace_damaged(path, opened.error().message, notes));
    opened = open_and_check(path, Check::kNone, first_use, notes);
    if (opened) LEAT_TRY(sync_folder_of(path));
  } else if (opened && is_new) {
    if (was_here)
      notes.push_back("there was a store at " + path +
                      " before, and it is gone: a new one is begun; positions, state and undelivered results "
                      "are lost unless you stop the daemon and put the file back");
    LEAT_TRY(sync_folder_of(path));
  }
  if (opened) fs::remove(path + ".suspect", ignored);
  return opened;
}

Result<std::unique_ptr<Connection>> reopen_store_file(const std::string& path) {
  LEAT_ASSIGN(std::unique_ptr<Connection> connection, open_sound(path));
  LEAT_ASSIGN(const std::string busy, connection->value("PRAGMA wal_checkpoint(TRUNCATE)"));
  if (busy != "0") return fail(ErrorCode::kIo, path + ": the log cannot be emptied, another process reads");
  return connection;
}

void mark_suspect(const std::string& path) {
  std::ofstream(path + ".suspect") << "damage was seen\n";
}

std::uint64_t count_damaged_files(const std::string& path) {
  const std::string prefix = fs::path(path).filename().string() + ".damaged-";
  std::error_code failed;
  std::uint64_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder_of(path), failed)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && !name.ends_with("-wal") && !name.ends_with("-shm")) ++count;
  }
  return count;
}

std::string read_first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace leat::store
