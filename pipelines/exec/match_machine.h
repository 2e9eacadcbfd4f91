// Runs the automaton of a pattern over the rows of partitions. The partial matches of a partition stand in
// one list, by their first row and then by preference: the list's head is reported as soon as it is complete,
// and what is complete further behind waits until all before it has failed.
//
// A new partial match that an older one makes pointless is not begun: where both stand at the same position
// and have equal slots, they complete or fail together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/exec/match_aggregates.h"
#include "pipelines/exec/match_conditions.h"
#include "pipelines/exec/match_partition.h"
#include "pipelines/plan/match_node.h"

namespace leat::exec {

class MatchMachine {
 public:
  /// Both outlive it.
  MatchMachine(const plan::MatchNode& node, MatchRows& rows);

  /// True if the row may begin a match: one that may not is of no interest to a partition without partial
  /// matches.
  [[nodiscard]] bool may_begin(std::uint64_t truths) const { return (truths & start_variables_) != 0; }
  /// Puts the next row into the partition.
  void push(MatchPartition& partition, const MatchRow& row);
  /// Offers the row `partition.next` to all partial matches, and begins new ones. `error` is set if a
  /// condition fails for the row; it then counts as not TRUE.
  void step(MatchPartition& partition, std::int64_t intake_time, std::string& error);
  /// Ends partial matches that no row at `time` or later can join.
  void time_out(MatchPartition& partition, std::int64_t time);
  /// The input has ended: nothing can join any more.
  void end_all(MatchPartition& partition);

  /// The list's head, if it is complete; the caller gives its path back by `forget`.
  std::optional<MatchThread> take_match(MatchPartition& partition);
  void forget(const MatchThread& match) { paths_.unwatch(match.path); }
  /// The search goes on at row `resume`: earlier partial matches are pointless, and so are others of the
  /// match's own first row.
  void skip_to(MatchPartition& partition, RowNumber resume, RowNumber match_start);
  /// Drops rows that nobody can read any more.
  void drop_rows(MatchPartition& partition);

  /// A partial match that was saved; the partition has its rows. Slots and aggregates are computed anew.
  void restore(MatchPartition& partition, MatchThread thread, const std::vector<PathRun>& runs);

  [[nodiscard]] const MatchPaths& paths() const { return paths_; }
  /// Rows behind the current one that conditions or measures read.
  [[nodiscard]] std::uint64_t lookahead() const { return lookahead_; }
  [[nodiscard]] std::uint64_t lookback() const { return lookback_; }
  /// Partial matches given up for 'leat.match.max-partial-matches'.
  [[nodiscard]] std::uint64_t given_up() const { return given_up_; }
  void set_given_up(std::uint64_t count) { given_up_ = count; }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  void offer(MatchPartition& partition, std::size_t index);
  void begin(MatchPartition& partition);
  [[nodiscard]] bool satisfies(std::uint32_t variable);
  [[nodiscard]] bool refused(plan::VariableSet variables);
  void find_ways(const std::vector<plan::MatchStep>& steps);
  void follow_ways(const MatchThread* from, const RowNumber* slots);
  void append(MatchThread thread, const RowNumber* slots);
  void drop_newest(RowNumber start);
  [[nodiscard]] bool is_pointless(const MatchThread& thread, const RowNumber* slots) const;
  std::byte* aggregates_with_row(std::uint32_t variable);
  void release(const MatchThread& thread);
  void bound(MatchPartition& partition);
  void erase(MatchPartition& partition, std::size_t first, std::size_t count);

  const plan::MatchNode& node_;
  MatchRows& rows_;
  MatchPaths paths_;
  MatchAggregates aggregates_;
  MatchConditions conditions_;
  plan::VariableSet start_variables_ = 0;
  std::uint64_t lookahead_ = 0;
  std::uint64_t lookback_ = 0;
  std::uint64_t given_up_ = 0;
  std::size_t thread_count_ = 0;
  bool across_starts_ = false;  // Pointless partial matches may be found among those of earlier rows.

  // The row that is offered, and to whom.
  const MatchRow* row_ = nullptr;
  MatchCandidate candidate_;
  const std::byte* before_ = nullptr;  // The partial match's aggregates.
  std::byte* with_row_ = nullptr;      // … with the row, as the variable that is asked for.
  plan::VariableSet known_ = 0;
  plan::VariableSet true_ = 0;
  std::vector<std::uint32_t> ways_;
  std::string* error_ = nullptr;
  // The next list.
  std::vector<MatchThread> next_;
  std::vector<RowNumber> next_slots_;
  RowNumber complete_start_ = 0;  // What follows with this first row is less preferred than a complete match.
  bool any_waits_ = false;
  std::vector<RowNumber> no_slots_;
  std::vector<RowNumber> scratch_slots_;
};

}  // namespace leat::exec
