// How a store's file fares: what the readiness and the metrics of the daemon show of its disk. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/store/store.h"

namespace leat::store {

struct StoreHealth {
  /// What the disk last refused, with what to do; empty: it takes everything.
  std::string problem;
  /// Damage that was seen since the start, with what to do; empty: none.
  std::string damage;
  std::uint64_t refused = 0;        ///< Requests that failed for the disk's sake since the start.
  std::uint64_t damaged_files = 0;  ///< Databases set aside, as they lay beside the store at its start.
  std::uint64_t log_bytes = 0;      ///< Of the log's file; it grows while another process reads the database.
  bool has_ballast = true;          ///< False: the disk is full, its room is given to what frees more.
};

/// A store that can tell. Never waits for the disk.
class TellsHealth {
 public:
  virtual ~TellsHealth() = default;
  [[nodiscard]] virtual StoreHealth health() const = 0;
};

/// A store that cannot tell (in a test, say) is well.
StoreHealth health_of(const Store& store);

}  // namespace leat::store
