#include "pipelines/exec/join_side.h"

namespace leat::exec {

JoinSide::Handle JoinSide::add(std::span<const ColumnPtr> columns, std::size_t row, KeyId key,
                               std::int64_t mark) {
  const Handle handle = rows_.add(columns, row, mark);
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
  while (handle != kNone && !rows_.equals(handle, columns, row)) handle = next(handle);
  return handle;
}

std::size_t JoinSide::memory_bytes() const {
  return rows_.memory_bytes() + links_.capacity() * sizeof(Link) + lists_.capacity() * sizeof(List);
}

}  // namespace leat::exec
