// One input of an interval join: the rows whose range of time has not passed, found by key and time.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "pipelines/base/time.h"
#include "pipelines/exec/key_map.h"
#include "pipelines/exec/row_store.h"

namespace leat::exec {

class IntervalSide {
 public:
  using Handle = RowStore::Handle;
  struct Timed {
    std::int64_t time = 0;
    std::uint64_t sequence = 0;
    Handle row = 0;
    KeyId key = 0;
    friend bool operator<(const Timed& a, const Timed& b) {
      return a.time != b.time ? a.time < b.time : a.sequence < b.sequence;
    }
  };

  /// A row of time t meets rows of the other side with times from t + `from` to t + `to`, and is kept until
  /// the watermark has passed the latter.
  IntervalSide(std::vector<Type> types, char tag, std::int64_t from, std::int64_t to)
      : rows_(std::move(types), tag), from_(from), to_(to) {}

  [[nodiscard]] std::int64_t first_met(std::int64_t time) const { return saturating_add(time, from_); }
  [[nodiscard]] std::int64_t last_met(std::int64_t time) const { return saturating_add(time, to_); }

  /// Keeps row `row` of `columns`.
  Handle add(std::span<const ColumnPtr> columns, std::size_t row, std::int64_t time, KeyId key);
  /// Takes a row that `load` has read back into the index.
  void enter(Handle row, std::int64_t time, KeyId key);

  /// The rows of `key`, by time, then by arrival.
  [[nodiscard]] std::span<const Timed> rows_of(KeyId key) const;
  /// The first of them with a time of at least `time`.
  [[nodiscard]] std::span<const Timed> rows_from(KeyId key, std::int64_t time) const;

  /// True if the range of some row has passed; `expiring` is then the first of these, by time and arrival.
  [[nodiscard]] bool has_expired(std::int64_t watermark) const {
    return (!in_order_.empty() || !behind_.empty()) && last_met(expiring().time) < watermark;
  }
  [[nodiscard]] const Timed& expiring() const {
    return next_is_behind() ? behind_.front() : in_order_.front();
  }
  /// Takes the expiring row out of the index. Its cells stay until it is erased from `rows`.
  void expire();

  RowStore& rows() { return rows_; }
  [[nodiscard]] const RowStore& rows() const { return rows_; }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct List {
    std::vector<Timed> rows;
    std::size_t begin = 0;  // Those before it have expired.
  };

  [[nodiscard]] bool next_is_behind() const {
    return in_order_.empty() || (!behind_.empty() && behind_.front() < in_order_.front());
  }
  void leave_list(KeyId key);

  RowStore rows_;
  std::int64_t from_;
  std::int64_t to_;
  std::vector<List> lists_;  // By key.
  // What expires next. Most rows come in the order of their times and cost no search.
  std::deque<Timed> in_order_;
  std::vector<Timed> behind_;  // Rows that came behind later ones: a heap, the earliest in front.
  std::size_t list_bytes_ = 0;
};

}  // namespace leat::exec
