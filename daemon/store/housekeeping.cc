#include "daemon/store/housekeeping.h"

#include <algorithm>
#include <string>

namespace leat::store {
namespace {

using std::chrono::milliseconds;

/// Free pages that stay, 1 MiB: the next blocks use them, and a file that breathes is not cut at each breath.
constexpr long kKeptPages = 256;
/// Of the file, before pages are moved under load or while a backlog drains: what is behind them moves once,
/// not at each breath.
constexpr double kFreeShareUnderLoad = 0.75;
/// 16 MiB in use, which are held in memory meanwhile, and as much to give back: such a file is written anew.
constexpr long kFewInUse = 4096;
constexpr long kManyFree = 4096;
/// So many free pages are searched in no time, 256 MiB; of more, fewer are given back in a step.
constexpr long kSearchable = 65'536;
constexpr long kPagesOfStep = 256;
constexpr long kLeastPagesOfStep = 16;
constexpr milliseconds kSpan{10'000};
/// A page that changes with each commit is copied from the log this often, not once a commit: flash wears.
constexpr milliseconds kBetweenCheckpoints{10'000};

Result<long> number(Connection& connection, const char* pragma) {
  LEAT_ASSIGN(const std::string text, connection.value(pragma));
  return std::stol(text);
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
  const std::optional<Pages> pages = count(connection);
  if (!pages) return checkpoint(connection, load, now);
  watch(*pages, now);
  if (pages->free <= kKeptPages) return checkpoint(connection, load, now);
  if (pages->free >= kManyFree && pages->all - pages->free <= kFewInUse) {
    if (!connection.exec("VACUUM")) return std::nullopt;
  } else if (worth_moving(*pages, load)) {
    const long given = std::clamp(kPagesOfStep * kSearchable / pages->free, kLeastPagesOfStep, kPagesOfStep);
    const std::string command = "PRAGMA incremental_vacuum(" + std::to_string(given) + ")";
    if (!connection.exec(command.c_str())) return std::nullopt;
    span_->given_back += given;
  } else {
    const UntilNextStep next = checkpoint(connection, load, now);
    return load == Load::kQuiet ? std::min(next.value_or(kSpan), kSpan) : next;
  }
  vacuumed_ = true;
  return milliseconds(0);
}

/// None: nothing is to do; a failure counts as that.
std::optional<Housekeeper::Pages> Housekeeper::count(Connection& connection) {
  const Result<long> free = number(connection, "PRAGMA freelist_count");
  const Result<long> all = number(connection, "PRAGMA page_count");
  if (!free || !all) return std::nullopt;
  return Pages{.all = *all, .free = *free};
}

void Housekeeper::watch(const Pages& pages, Clock::time_point now) {
  const bool grows = span_ && pages.free + span_->given_back > span_->free + kKeptPages;
  if (grows) drains_ = true;
  if (span_ && now - span_->since < kSpan) return;
  drains_ = grows;
  span_ = Span{.since = now, .free = pages.free};
}

bool Housekeeper::worth_moving(const Pages& pages, Load load) const {
  if (load == Load::kUrgent) return true;
  if (load == Load::kQuiet && !drains_) return true;
  return pages.free <= kSearchable &&
         static_cast<double>(pages.free) >= kFreeShareUnderLoad * static_cast<double>(pages.all);
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
