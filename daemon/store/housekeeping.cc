#include "daemon/store/housekeeping.h"

#include <string>

namespace leat::store {
namespace {

/// Free pages that stay, 1 MiB: the next blocks use them, and a file that breathes is not cut at each breath.
constexpr long kKeptPages = 256;

}  // namespace

bool keep_house(Connection& connection) {
  const Result<std::string> free_pages = connection.value("PRAGMA freelist_count");
  if (!free_pages) return false;
  if (std::stol(*free_pages) > kKeptPages)
    return connection.exec("PRAGMA incremental_vacuum(256)").has_value();
  // PASSIVE never waits for a reader; what it leaves is done at the next idle time.
  (void)connection.exec("PRAGMA wal_checkpoint(PASSIVE)");
  return false;
}

}  // namespace leat::store
