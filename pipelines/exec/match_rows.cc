#include "pipelines/exec/match_rows.h"

namespace leat::exec {

void MatchRows::end() {
  batch_ = nullptr;
  if (decoded_.empty()) return;
  decoded_.clear();
  places_.clear();
}

MatchRows::Cells MatchRows::cells(RowPlace place) {
  if (!place.stored) return {batch_, place.index};
  const auto known = places_.find(place.index);
  if (known != places_.end()) return known->second;
  const RowStore::Handle handle = place.index;
  preload({&handle, 1});
  return places_.at(handle);
}

void MatchRows::preload(std::span<const RowStore::Handle> rows) {
  if (rows.empty()) return;
  const std::vector<ColumnPtr>& columns = decoded_.emplace_back(store_.gather(rows));
  for (std::uint32_t i = 0; i < rows.size(); ++i) places_.insert_or_assign(rows[i], Cells{&columns, i});
}

RowPlace MatchRows::keep(RowPlace place, std::int64_t mark) {
  if (!place.stored) return {store_.add(*batch_, place.index, mark), true};
  store_.set_mark(place.index, mark);
  return place;
}

void MatchRows::drop(RowPlace place) {
  if (!place.stored) return;
  store_.erase(place.index);
  if (!places_.empty()) places_.erase(place.index);
}

}  // namespace leat::exec
