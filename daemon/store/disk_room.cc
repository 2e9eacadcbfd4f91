#include "daemon/store/disk_room.h"

#include <sys/statvfs.h>

#include <filesystem>
#include <optional>
#include <system_error>

namespace leat::store {
namespace {

/// What deletions, and the pages of tables and indexes that a commit touches beside its own, take.
constexpr std::uint64_t kSlack = 1 << 20;
constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kRow = 256;  // Of a local table.

std::optional<std::uint64_t> free_bytes(const std::string& path) {
  struct statvfs disk {};
  if (::statvfs(path.c_str(), &disk) != 0) return std::nullopt;
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

std::uint64_t needed(const std::string& path, std::uint64_t adding) {
  return 2 * adding + log_bytes(path) + kSlack;
}

}  // namespace

std::uint64_t bytes_of(const Commit& commit) {
  // A changed entry changes a page in the worst case.
  std::uint64_t bytes = commit.counters.size() + (commit.state.size() + commit.positions.size()) * kPage;
  for (const exec::StateChange& change : commit.state) bytes += change.value.size();
  for (const NewBlock& block : commit.blocks) bytes += block.bytes.size() + kPage;
  for (const StreamRows& rows : commit.streams) bytes += rows.bytes.size() + kPage;
  for (const DeadLetter& letter : commit.dead_letters) bytes += letter.payload.size() + kPage;
  for (const TableRows& rows : commit.tables)
    for (const Batch& batch : rows.batches) bytes += batch.size * kRow;
  return bytes;
}

std::uint64_t log_bytes(const std::string& store_path) {
  std::error_code none;
  const auto size = std::filesystem::file_size(store_path + "-wal", none);
  return none ? 0 : size;
}

Status keep_room(Connection& connection, std::uint64_t adding) {
  const std::string& path = connection.path();
  auto free = free_bytes(path);
  if (!free || *free >= needed(path, adding)) return {};
  if (log_bytes(path) > 0) (void)connection.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  free = free_bytes(path);
  const std::uint64_t wanted = needed(path, adding);
  if (!free || *free >= wanted) return {};
  return fail(ErrorCode::kExhausted,
              path + ": its disk has " + std::to_string(*free >> 10) + " KiB left, and " +
                  std::to_string(wanted >> 10) +
                  " KiB are needed for the next commit (make room on the disk; what is "
                  "delivered makes some, too)");
}

}  // namespace leat::store
