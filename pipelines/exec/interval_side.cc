#include "pipelines/exec/interval_side.h"

#include <algorithm>

namespace leat::exec {
namespace {

constexpr std::size_t kCompactFrom = 16;

bool later(const IntervalSide::Timed& a, const IntervalSide::Timed& b) {
  return b < a;
}

}  // namespace

IntervalSide::Handle IntervalSide::add(std::span<const ColumnPtr> columns, std::size_t row, std::int64_t time,
                                       KeyId key) {
  const Handle handle = rows_.add(columns, row);
  enter(handle, time, key);
  return handle;
}

void IntervalSide::enter(Handle row, std::int64_t time, KeyId key) {
  const Timed timed{time, rows_.sequence(row), row, key};
  if (lists_.size() <= key) lists_.resize(key + 1);
  std::vector<Timed>& rows = lists_[key].rows;
  const std::size_t before = rows.capacity();
  const auto first = rows.begin() + static_cast<std::ptrdiff_t>(lists_[key].begin);
  rows.insert(std::upper_bound(first, rows.end(), timed), timed);
  list_bytes_ += (rows.capacity() - before) * sizeof(Timed);
  if (in_order_.empty() || in_order_.back() < timed) return in_order_.push_back(timed);
  behind_.push_back(timed);
  std::push_heap(behind_.begin(), behind_.end(), later);
}

std::span<const IntervalSide::Timed> IntervalSide::rows_of(KeyId key) const {
  if (key >= lists_.size()) return {};
  return std::span(lists_[key].rows).subspan(lists_[key].begin);
}

std::span<const IntervalSide::Timed> IntervalSide::rows_from(KeyId key, std::int64_t time) const {
  const std::span<const Timed> rows = rows_of(key);
  const auto first = std::ranges::lower_bound(rows, time, {}, &Timed::time);
  return rows.subspan(static_cast<std::size_t>(first - rows.begin()));
}

void IntervalSide::expire() {
  if (next_is_behind()) {
    leave_list(behind_.front().key);
    std::pop_heap(behind_.begin(), behind_.end(), later);
    behind_.pop_back();
  } else {
    leave_list(in_order_.front().key);
    in_order_.pop_front();
  }
}

// Rows of one key expire in the order of its list: only its front ever goes. A short list keeps its memory: a
// device that was just seen is seen again.
void IntervalSide::leave_list(KeyId key) {
  List& list = lists_[key];
  ++list.begin;
  if (list.begin == list.rows.size()) {
    list.rows.clear();
    list.begin = 0;
    if (list.rows.capacity() < kCompactFrom) return;
    list_bytes_ -= list.rows.capacity() * sizeof(Timed);
    list = {};
  } else if (list.begin >= kCompactFrom && 2 * list.begin >= list.rows.size()) {
    list.rows.erase(list.rows.begin(), list.rows.begin() + static_cast<std::ptrdiff_t>(list.begin));
    list.begin = 0;
  }
}

std::size_t IntervalSide::memory_bytes() const {
  return rows_.memory_bytes() + lists_.capacity() * sizeof(List) + list_bytes_ +
         (in_order_.size() + behind_.capacity()) * sizeof(Timed);
}

}  // namespace leat::exec
