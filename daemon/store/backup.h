// A copy of a store in one file, made while a daemon writes, and the check of a file. Both only read the
// store; any process may, at any time.
#pragma once

#include <string>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::store {

/// What a look at a whole store has found.
struct StoreReport {
  std::vector<std::string> damage;  ///< SQLite's findings, the first some; empty: it is sound.
  int schema = 0;
  std::uint64_t bytes = 0;
  std::uint64_t pipelines = 0;
  std::uint64_t state_entries = 0;
  std::uint64_t waiting_records = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t damaged_files = 0;  ///< Set aside beside it.
};

/// Reads every page. Errors: not found, conflict (another version, another program's), io.
Result<StoreReport> check_store(const std::string& path);

/// Copies the store as of one commit to `target`, a file that is not there yet, checks the copy, and syncs
/// it. The copy has no identity: a store that is begun with it gets a new id, so that receivers do not take
/// what it sends again for what the lost one sent. Errors: not found, conflict (`target` exists), corrupt
/// (`path` is damaged), exhausted, io.
Status back_up_store(const std::string& path, const std::string& target);

}  // namespace leat::store
