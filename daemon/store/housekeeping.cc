#include "daemon/store/housekeeping.h"

#include <algorithm>
#include <string>

namespace leat::store {
namespace {

using std::chrono::milliseconds;

/// Free pages that stay, 1 MiB: the next blocks use them, and a file that breathes is not cut at each breath.
constexpr long kKeptPages = 256;
/// Of the file, before pages are moved under load: what is behind them moves once, not at each breath of a
/// backlog.
constexpr double kFreeShareUnderLoad = 0.75;
/// A page that changes with each commit is copied from the log this often, not once a commit: flash wears.
constexpr milliseconds kBetweenCheckpoints{10'000};

Result<long> number(Connection& connection, const char* pragma) {
  LEAT_ASSIGN(const std::string text, connection.value(pragma));
  return std::stol(text);
}

/// Failures count as nothing to do.
bool worth_vacuum(Connection& connection, Housekeeper::Load load) {
  const Result<long> free_pages = number(connection, "PRAGMA freelist_count");
  if (!free_pages || *free_pages <= kKeptPages) return false;
  if (load != Housekeeper::Load::kBusy) return true;
  const Result<long> pages = number(connection, "PRAGMA page_count");
  return pages && static_cast<double>(*free_pages) >= kFreeShareUnderLoad * static_cast<double>(*pages);
}

/// PASSIVE never waits for a reader. False: it left something, as somebody reads, and is to be tried again.
bool empties_log(Connection& connection) {
  Statement checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)");
  Rows rows = checkpoint.query();
  const Result<bool> found = rows.next();
  return found && *found && rows.integer(0) == 0 && rows.integer(1) == rows.integer(2);
}

}  // namespace

UntilNextStep Housekeeper::step(Connection& connection, Load load, Clock::time_point now) {
  if (!worth_vacuum(connection, load)) return checkpoint(connection, load, now);
  if (!connection.exec("PRAGMA incremental_vacuum(256)")) return std::nullopt;
  vacuumed_ = true;
  return milliseconds(0);
}

UntilNextStep Housekeeper::checkpoint(Connection& connection, Load load, Clock::time_point now) {
  if (last_checkpoint_ && !vacuumed_ && load != Load::kUrgent) {
    const auto since = std::chrono::duration_cast<milliseconds>(now - *last_checkpoint_);
    if (since < kBetweenCheckpoints) return kBetweenCheckpoints - since;
  }
  last_checkpoint_ = now;
  if (!empties_log(connection)) return kBetweenCheckpoints;
  vacuumed_ = false;
  return std::nullopt;
}

}  // namespace leat::store
