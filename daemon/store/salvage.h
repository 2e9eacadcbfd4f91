// Repair: what can be read of a damaged store becomes a new one, the damaged file is set aside. Reading goes
// around damaged pages: when a table's scan fails, it is read from its other end, too, and then in ever
// smaller ranges between the two.
#pragma once

#include <string>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::store {

struct SalvagedTable {
  std::string name;
  std::uint64_t rows = 0;            ///< That were read.
  std::uint64_t damaged_places = 0;  ///< Where rows may be missing.
};

struct SalvageReport {
  std::vector<SalvagedTable> tables;
  std::uint64_t lost_records =
      0;              ///< Results on their way that are gone; counted as dropped in their outbox.
  std::string aside;  ///< The damaged file's new name.
};

/// What `report` says, for people: "1,200 rows of 14 tables, …".
std::string describe(const SalvageReport& report);

/// `repair_store` for who holds the lock. A repair that is cut short leaves the damaged store in its place,
/// or the finished one as "….repaired", which `end_repair` puts there.
Result<SalvageReport> repair_locked_store(const std::string& path);
/// Ends a repair that was cut between its two renames. True: there was one.
Result<bool> end_repair(const std::string& path);

/// Repairs the store at `path`, which no daemon has open; the new file belongs to the old one's owner. The
/// new store has no identity yet: it gets a new id when a daemon begins with it. Errors: conflict (a daemon
/// has it; another version), not found, exhausted, io, corrupt (not even its list of tables can be read).
Result<SalvageReport> repair_store(const std::string& path);

}  // namespace leat::store
