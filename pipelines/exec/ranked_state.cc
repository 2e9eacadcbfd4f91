#include "pipelines/exec/ranked_state.h"

namespace leat::exec {

void RankedState::insert(KeyId partition, std::size_t place, const Batch& batch, std::size_t row) {
  held_ += rows_.size(partition) == 0 ? 1 : 0;
  lifetimes_.touch(partition);
  rows_.insert(partition, place, batch, row);
}

void RankedState::take_back(KeyId partition, std::size_t place) {
  rows_.erase(partition, place);
  if (rows_.size(partition) > 0) return lifetimes_.touch(partition);
  --held_;
  lifetimes_.erase(partition, rows_.keys());
}

void RankedState::forget(KeyId partition) {
  held_ -= rows_.size(partition) > 0 ? 1 : 0;
  rows_.clear(partition);
  lifetimes_.erase(partition, rows_.keys());
}

void RankedState::sweep() {
  lifetimes_.sweep(rows_.keys(), [this](KeyId partition) { return rows_.size(partition) > 0; });
}

void RankedState::save(StateChanges& changes) {
  rows_.save(fingerprint_, changes);
  lifetimes_.save(fingerprint_, rows_.keys(), changes);
}

Status RankedState::load(std::string_view key, std::string_view value) {
  if (lifetimes_.owns(key)) return lifetimes_.load(key, value, rows_.keys());
  if (rows_.owns(key)) return rows_.load(key, value);
  return fail(ErrorCode::kCorrupt, "the saved state of ranked rows is damaged");
}

void RankedState::loaded() {
  rows_.loaded();
  for (KeyId partition = 0; partition < rows_.partition_limit(); ++partition) {
    if (rows_.size(partition) == 0) continue;
    ++held_;
    lifetimes_.adopt(partition);
  }
}

}  // namespace leat::exec
