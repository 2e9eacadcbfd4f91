// The bound of the whole file (StoreOptions::max_bytes): who gives something up when it is met, and whether
// it is. What `Store::set_yield` promises, `keep` does.
//
// `keep` and `measure` on the storage thread, the others on any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/store/outbox.h"
#include "daemon/store/sqlite.h"
#include "daemon/store/store.h"

namespace leat::store {

class FileBound {
 public:
  /// `max_bytes` 0: no bound.
  explicit FileBound(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}

  void set_yield(const PipelineName& pipeline, const TableName& sink, std::optional<Store::DropOrder> order);
  [[nodiscard]] bool full() const { return full_; }

  /// How far the file is above the bound; afterwards `full` is as of now. Free pages inside of the file are
  /// used before it grows, and do not count. Errors: io.
  Result<std::uint64_t> measure(Connection& connection);
  /// Drops blocks until the file is within the bound or nobody has anything to give; `changed` is called for
  /// each sink that gave.
  using Changed = std::function<void(const PipelineName& pipeline, const TableName& sink)>;
  Status keep(Connection& connection, Outbox& outbox, const Changed& changed);

 private:
  std::vector<Outbox::Yielding> yielding();

  const std::uint64_t max_bytes_;
  std::atomic<bool> full_ = false;
  std::mutex mutex_;  // Guards yields_.
  std::map<std::pair<PipelineName, TableName>, Store::DropOrder> yields_;
};

}  // namespace leat::store
