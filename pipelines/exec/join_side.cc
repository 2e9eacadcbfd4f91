#include "pipelines/exec/join_side.h"

#include <utility>

namespace leat::exec {

JoinSide::JoinSide(std::vector<Type> types, char tag, const StateTtl& ttl)
    : ttl_(ttl),
      rows_(std::move(types), tag, ttl.enabled() ? RowStore::Times::kWritten : RowStore::Times::kNone) {}

JoinSide::Handle JoinSide::add(std::span<const ColumnPtr> columns, std::size_t row, KeyId key,
                               std::int64_t mark) {
  const Handle handle = rows_.add(columns, row, mark);
  if (ttl_.enabled()) rows_.set_written(handle, ttl_.now());
  enter(handle, key);
  return handle;
}

void JoinSide::enter(Handle row, KeyId key) {
  if (links_.size() <= row) links_.resize(row + 1);
  if (lists_.size() <= key) lists_.resize(key + 1);
  List& list = lists_[key];
  links_[row] = {kNone, list.last, key};
  (list.last == kNone ? list.first : links_[list.last].next) = row;
  list.last = row;
  if (ttl_.enabled()) expiries_.add(row, rows_.written(row));
}

void JoinSide::set_mark(Handle row, std::int64_t mark) {
  rows_.set_mark(row, mark);
  if (ttl_.enabled()) rows_.set_written(row, ttl_.now());
}

void JoinSide::erase(Handle row) {
  const Link link = links_[row];
  List& list = lists_[link.key];
  (link.previous == kNone ? list.first : links_[link.previous].next) = link.next;
  (link.next == kNone ? list.last : links_[link.next].previous) = link.previous;
  rows_.erase(row);
}

JoinSide::Handle JoinSide::find(std::span<const ColumnPtr> columns, std::size_t row, KeyId key) const {
  Handle handle = first(key);
  const auto is_it = [&](Handle held) { return rows_.equals(held, columns, row) && !expired(held, ttl_); };
  while (handle != kNone && !is_it(handle)) handle = next(handle);
  return handle;
}

JoinSide::Handle JoinSide::next_expired() {
  const auto written_of = [this](Handle row) {
    return rows_.sequence(row) == 0 ? std::nullopt : std::optional(rows_.written(row));
  };
  return expiries_.next(ttl_, written_of).value_or(kNone);
}

std::size_t JoinSide::memory_bytes() const {
  return rows_.memory_bytes() + links_.capacity() * sizeof(Link) + lists_.capacity() * sizeof(List) +
         expiries_.memory_bytes();
}

}  // namespace leat::exec
