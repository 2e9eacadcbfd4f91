#include "daemon/store/file_bound.h"

#include <string>

namespace leat::store {

void FileBound::set_yield(const PipelineName& pipeline, const TableName& sink,
                          std::optional<Store::DropOrder> order) {
  const std::lock_guard lock(mutex_);
  if (order)
    yields_[{pipeline, sink}] = *order;
  else
    yields_.erase({pipeline, sink});
}

Result<std::uint64_t> FileBound::measure(Connection& connection) {
  if (max_bytes_ == 0) return 0;
  LEAT_ASSIGN(const std::string pages, connection.value("PRAGMA page_count"));
  LEAT_ASSIGN(const std::string free_pages, connection.value("PRAGMA freelist_count"));
  LEAT_ASSIGN(const std::string page_bytes, connection.value("PRAGMA page_size"));
  const std::uint64_t used = (std::stoull(pages) - std::stoull(free_pages)) * std::stoull(page_bytes);
  full_ = used >= max_bytes_;
  return used > max_bytes_ ? used - max_bytes_ : 0;
}

std::vector<Outbox::Yielding> FileBound::yielding() {
  std::vector<Outbox::Yielding> sinks;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, order] : yields_) sinks.push_back({key.first, key.second, order});
  return sinks;
}

Status FileBound::keep(Connection& connection, Outbox& outbox, const Changed& changed) {
  const std::vector<Outbox::Yielding> sinks = yielding();
  for (;;) {
    LEAT_ASSIGN(const std::uint64_t above, measure(connection));
    if (above == 0) return {};
    LEAT_ASSIGN(const auto yielded, outbox.yield_some(sinks, above));
    if (!yielded) return {};  // Those that block wait, until what they have is delivered.
    changed(sinks[yielded->from].pipeline, sinks[yielded->from].sink);
  }
}

}  // namespace leat::store
