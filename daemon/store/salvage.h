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

/// Repairs the store at `path`, which no daemon has open. The new store has no identity yet: it gets a new id
/// when a daemon begins with it. Errors: conflict (a daemon has it; another version), not found, exhausted,
/// io, corrupt (not even its list of tables can be read).
Result<SalvageReport> repair_store(const std::string& path);

}  // namespace leat::store
