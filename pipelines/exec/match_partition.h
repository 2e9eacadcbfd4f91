// What MATCH_RECOGNIZE holds of one partition: its rows as far as they may still be read, and its partial
// matches in order of preference.
#pragma once

#include <cstdint>
#include <vector>

#include "pipelines/exec/match_paths.h"
#include "pipelines/exec/match_rows.h"
#include "pipelines/exec/row_expr.h"

namespace leat::exec {

/// Number of a row in its partition, in the order of ORDER BY; 0: no row.
using RowNumber = std::uint64_t;

struct MatchRow {
  std::int64_t time = 0;
  std::uint64_t truths = 0;  ///< Bit v: the row meets what variable v asks of the row itself.
  RowPlace place;
};

/// A partial match, or one that is complete and waits for a preferred one to fail.
struct MatchThread {
  RowNumber start = 0;
  RowNumber end = 0;  ///< Its last row if it is complete, else 0.
  std::int64_t start_time = 0;
  std::uint32_t position = 0;  ///< Of its last row.
  PathId path = 0;
  std::byte* aggregates = nullptr;  ///< Null: conditions have none, or it is complete.
};

/// The rows of a partition from `first` on, without gaps; what is no longer needed goes at the front.
class MatchWindow {
 public:
  /// `width`: cells of each row.
  RowCell* push(const MatchRow& row, std::size_t width) {
    rows_.push_back(row);
    cells_.resize(rows_.size() * width);
    return cells_.data() + (rows_.size() - 1) * width;
  }
  void pop_front(std::size_t width) {
    ++first_;
    if (++head_ * 2 < rows_.size()) return;
    rows_.erase(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(head_));
    cells_.erase(cells_.begin(), cells_.begin() + static_cast<std::ptrdiff_t>(head_ * width));
    head_ = 0;
  }
  /// The number of the next row; only while there is none.
  void restart(RowNumber first) { first_ = first; }

  [[nodiscard]] bool empty() const { return rows_.size() == head_; }
  [[nodiscard]] RowNumber first() const { return first_; }
  [[nodiscard]] RowNumber end() const { return first_ + rows_.size() - head_; }
  [[nodiscard]] bool has(RowNumber row) const { return row >= first_ && row < end(); }
  [[nodiscard]] MatchRow& row(RowNumber number) { return rows_[place(number)]; }
  [[nodiscard]] const MatchRow& row(RowNumber number) const { return rows_[place(number)]; }
  [[nodiscard]] const RowCell* cells(RowNumber number, std::size_t width) const {
    return cells_.data() + place(number) * width;
  }

 private:
  [[nodiscard]] std::size_t place(RowNumber number) const {
    return head_ + static_cast<std::size_t>(number - first_);
  }

  std::vector<MatchRow> rows_;
  std::vector<RowCell> cells_;
  std::size_t head_ = 0;
  RowNumber first_ = 1;
};

struct MatchPartition {
  MatchWindow rows;
  RowNumber next = 1;  ///< The first row that no partial match has seen.
  /// By the first row, then by preference.
  std::vector<MatchThread> threads;
  std::vector<RowNumber> slots;  ///< As many for each thread: the rows that conditions name.
  std::int64_t matches = 0;      ///< Reported so far; counted only for MATCH_NUMBER().
  bool saved = false;            ///< There is an entry of it in the store.
  bool dirty = false;            ///< Changed since the last save.
  bool touched = false;          ///< Rows came in this batch, …
  RowNumber unkept = 0;          ///< … the first of them.
  bool timed = false;            ///< It has a timer.

  [[nodiscard]] bool is_empty() const { return rows.empty() && threads.empty() && matches == 0; }
};

}  // namespace leat::exec
