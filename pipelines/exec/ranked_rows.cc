#include "pipelines/exec/ranked_rows.h"

#include <algorithm>

#include "pipelines/column/schema_types.h"

namespace leat::exec {
RankedRows::RankedRows(const Schema& input, std::vector<std::size_t> partition_by,
                       std::vector<plan::SortKey> order, Ties ties)
    : partition_by_(std::move(partition_by)),
      ties_(ties),
      writer_(std::move(order)),
      keys_(types_at(input, partition_by_)),
      rows_(types_of(input), 'r') {}

void RankedRows::look_up(const Batch& batch, std::vector<KeyId>& ids) {
  key_columns_.clear();
  for (const std::size_t column : partition_by_) key_columns_.push_back(batch.columns[column]);
  keys_.lookup(key_columns_, batch.size, ids);
  if (partitions_.size() < keys_.id_limit()) partitions_.resize(keys_.id_limit());
}

std::size_t RankedRows::place_of_key(KeyId partition, const std::string& key) const {
  const std::vector<Handle>& rows = partitions_[partition];
  const auto less = [this](const Handle handle, const std::string& k) { return sort_keys_[handle] < k; };
  const auto greater = [this](const std::string& k, const Handle handle) { return k < sort_keys_[handle]; };
  const auto place = ties_ == Ties::kFirstArrival ? std::upper_bound(rows.begin(), rows.end(), key, greater)
                                                  : std::lower_bound(rows.begin(), rows.end(), key, less);
  return static_cast<std::size_t>(place - rows.begin());
}

std::size_t RankedRows::place_of(KeyId partition, const Batch& batch, std::size_t row) {
  writer_.write(batch.columns, row, scratch_);
  return place_of_key(partition, scratch_);
}

void RankedRows::remember(Handle handle, std::string key) {
  if (sort_keys_.size() <= handle) sort_keys_.resize(handle + 1);
  sort_key_bytes_ += key.size();
  sort_keys_[handle] = std::move(key);
}

void RankedRows::insert(KeyId partition, std::size_t place, const Batch& batch, std::size_t row) {
  const Handle handle = rows_.add(batch.columns, row);
  writer_.write(batch.columns, row, scratch_);
  remember(handle, scratch_);
  std::vector<Handle>& rows = partitions_[partition];
  rows.insert(rows.begin() + static_cast<std::ptrdiff_t>(place), handle);
}

std::size_t RankedRows::find(KeyId partition, const Batch& batch, std::size_t row) {
  writer_.write(batch.columns, row, scratch_);
  const std::vector<Handle>& rows = partitions_[partition];
  const auto less = [this](const Handle handle, const std::string& k) { return sort_keys_[handle] < k; };
  const auto first = std::lower_bound(rows.begin(), rows.end(), scratch_, less);
  for (auto place = first; place != rows.end() && sort_keys_[*place] == scratch_; ++place)
    if (rows_.equals(*place, batch.columns, row)) return static_cast<std::size_t>(place - rows.begin());
  return rows.size();
}

std::size_t RankedRows::first_equal(KeyId partition, std::size_t place) const {
  const std::vector<Handle>& rows = partitions_[partition];
  while (place > 0 && equal(rows[place - 1], rows[place])) --place;
  return place;
}

void RankedRows::erase(KeyId partition, std::size_t place) {
  std::vector<Handle>& rows = partitions_[partition];
  const Handle handle = rows[place];
  rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(place));
  sort_key_bytes_ -= sort_keys_[handle].size();
  sort_keys_[handle] = {};
  rows_.erase(handle);
}

void RankedRows::clear(KeyId partition) {
  while (!partitions_[partition].empty()) erase(partition, partitions_[partition].size() - 1);
  partitions_[partition] = {};
}

Status RankedRows::load(std::string_view key, std::string_view value) {
  return rows_.load(key, value).map([](Handle) {});
}

void RankedRows::place_loaded(KeyId partition, Handle handle, std::string key) {
  const std::size_t place = place_of_key(partition, key);
  remember(handle, std::move(key));
  std::vector<Handle>& rows = partitions_[partition];
  rows.insert(rows.begin() + static_cast<std::ptrdiff_t>(place), handle);
}

void RankedRows::loaded() {
  constexpr std::size_t kRowsAtOnce = 4096;
  const std::vector<Handle> all = rows_.in_sequence();
  std::vector<KeyId> ids;
  for (std::size_t begin = 0; begin < all.size(); begin += kRowsAtOnce) {
    const auto some = std::span(all).subspan(begin, std::min(kRowsAtOnce, all.size() - begin));
    Batch batch;
    batch.size = some.size();
    batch.columns = rows_.gather(some);
    look_up(batch, ids);
    for (std::size_t row = 0; row < some.size(); ++row) {
      std::string key;
      writer_.write(batch.columns, row, key);
      place_loaded(ids[row], some[row], std::move(key));
    }
  }
}

std::size_t RankedRows::memory_bytes() const {
  std::size_t bytes = keys_.memory_bytes() + rows_.memory_bytes() + sort_key_bytes_ +
                      sort_keys_.capacity() * sizeof(std::string);
  return bytes + partitions_.capacity() * sizeof(partitions_[0]) + rows_.size() * sizeof(Handle);
}

}  // namespace leat::exec
