// The store's file and what stands beside it in the data folder:
//   leat.db           the database                leat.db-wal, leat.db-shm   SQLite's own
//   leat.db.lock      locked by the daemon that has the folder; holds its pid
//   leat.db.suspect   damage was seen: check everything at the next start
//   leat.db.repairing, ….repaired   a repair under way, and a finished one about to be put in place
//   leat.db.ballast   room for a full disk (ballast.h)
//   leat.db.damaged-N (and -wal, -shm)   a damaged file, set aside for people; never deleted by Leat
// Start and end of the daemon only; no threads.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/store/sqlite.h"
#include "pipelines/base/result.h"

namespace leat::store {

/// Keeps a second daemon out of the folder, also one that came by another path. The lock goes with the
/// process, however it ends.
class StoreLock {
 public:
  /// Errors: conflict (names the folder and the other's pid), io.
  static Result<std::unique_ptr<StoreLock>> take(const std::string& store_path);
  ~StoreLock();
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

 private:
  explicit StoreLock(int fd) : fd_(fd) {}
  int fd_;
};

/// Opens or creates the store at `path`, or in memory (":memory:"), and reads what is needed first by
/// `first_use`. After an unclean stop (a WAL was left behind) or with a suspect mark the whole file is
/// checked. A file that is damaged, as any of these finds, is set aside and a new one begun; `notes` says so.
/// On a full disk `leat.db.ballast` is given up if that helps.
/// Errors: io, exhausted, conflict.
using FirstUse = std::function<Status(Connection&)>;
Result<std::unique_ptr<Connection>> open_store_file(const std::string& path, const FirstUse& first_use,
                                                    std::vector<std::string>& notes);

/// Opens the store again after an I/O error left a commit's outcome open, and settles that: when this
/// succeeds everything visible is synced into the database file itself. Other connections of this process
/// must be closed. Errors: io, corrupt, …: try again later.
Result<std::unique_ptr<Connection>> reopen_store_file(const std::string& path);

/// Damage was seen: the next start checks the whole file. Failing to leave the mark is no further error.
void mark_suspect(const std::string& path);

/// Renames the database and SQLite's companions to the first free "….damaged-N", the answer. The file is
/// closed. Errors: io.
Result<std::string> set_store_aside(const std::string& path);

/// Makes names that were created or changed in the file's folder survive a power cut. Errors: io.
Status sync_folder_of(const std::string& path);

/// Databases that were set aside and still lie beside the store.
std::uint64_t count_damaged_files(const std::string& path);

/// The first line of the file; empty when there is none.
std::string read_first_line(const std::string& path);

}  // namespace leat::store
