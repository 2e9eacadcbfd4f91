#include "pipelines/exec/lookup_cache.h"

#include <algorithm>

#include "pipelines/column/schema_types.h"

namespace leat::exec {
namespace {

std::uint64_t weight_of(std::size_t rows) {
  return std::max<std::uint64_t>(rows, 1);
}

}  // namespace

LookupCache::LookupCache(const plan::LookupJoinNode& node, LookupCaching caching)
    : caching_(caching), keys_(node), rows_(types_of(node.table().schema), 'c') {}

bool LookupCache::knows(KeyId key) {
  if (key >= entries_.size() || !entries_[key].known) return false;
  recent_.splice(recent_.begin(), recent_, entries_[key].place);
  return true;
}

void LookupCache::add(std::span<const KeyId> asked, const LookupTable::Matches& matches) {
  std::size_t match = 0;
  for (std::uint32_t i = 0; i < asked.size(); ++i) {
    const KeyId key = asked[i];
    if (entries_.size() <= key) entries_.resize(key + 1);
    Entry& entry = entries_[key];
    for (; match < matches.keys.size() && matches.keys[match] == i; ++match)
      entry.rows.push_back(rows_.add(matches.columns, match));
    entry.known = true;
    entry.place = recent_.insert(recent_.begin(), key);
    weight_ += weight_of(entry.rows.size());
    keys_.use(key);
  }
}

void LookupCache::forget(KeyId key) {
  Entry& entry = entries_[key];
  for (const RowStore::Handle row : entry.rows) rows_.erase(row);
  weight_ -= weight_of(entry.rows.size());
  recent_.erase(entry.place);
  entry = {};
  keys_.release(key);
}

bool LookupCache::over() const {
  return !recent_.empty() && weight_ > caching_.max_rows;
}

void LookupCache::shrink() {
  if (!caching_.enabled) return clear();
  if (!caching_.missing_keys)
    for (auto key = recent_.begin(); key != recent_.end();) {
      const KeyId each = *key++;
      if (entries_[each].rows.empty()) forget(each);
    }
  while (over()) forget(recent_.back());
  rows_.forget_changes();
  keys_.sweep();
}

void LookupCache::clear() {
  while (!recent_.empty()) forget(recent_.back());
  rows_.forget_changes();
  keys_.sweep();
}

std::size_t LookupCache::memory_bytes() const {
  return rows_.memory_bytes() + keys_.memory_bytes() + entries_.capacity() * sizeof(Entry) +
         recent_.size() * (sizeof(KeyId) + 2 * sizeof(void*)) + rows_.size() * sizeof(RowStore::Handle);
}

}  // namespace leat::exec
