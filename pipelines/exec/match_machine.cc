#include "pipelines/exec/match_machine.h"

#include <algorithm>
#include <limits>

namespace leat::exec {

using plan::MatchReference;

namespace {
std::uint64_t reach(const plan::MatchReferences& refers, std::int64_t sign) {
  std::int64_t most = 0;
  for (const MatchReference& reference : refers.references) most = std::max(most, sign * reference.physical);
  return static_cast<std::uint64_t>(most);
}
}  // namespace

MatchMachine::MatchMachine(const plan::MatchNode& node, MatchRows& rows)
    : node_(node),
      rows_(rows),
      aggregates_(node.conditions),
      conditions_(node, rows, paths_, aggregates_),
      lookahead_(std::max(reach(node.conditions, 1), reach(node.measured, 1))),
      lookback_(std::max(reach(node.conditions, -1), reach(node.measured, -1))) {
  for (const plan::MatchStep& step : node.automaton.start)
    start_variables_ |= plan::VariableSet{1} << node.automaton.positions[step.position].variable;
  across_starts_ =
      node.skip == plan::MatchNode::Skip::kPastLastRow && !node.within && conditions_.forget_start();
  no_slots_.resize(conditions_.slot_count());
  scratch_slots_.resize(conditions_.slot_count());
}

void MatchMachine::push(MatchPartition& partition, const MatchRow& row) {
  RowCell* const cells = partition.rows.push(row, conditions_.cell_count());
  if (conditions_.cell_count() > 0) conditions_.read_cells(rows_.cells(row.place), cells);
}

// ---- One row ---------------------------------------------------------------------------------------------

void MatchMachine::step(MatchPartition& partition, std::int64_t intake_time, std::string& error) {
  const RowNumber number = partition.next++;
  row_ = &partition.rows.row(number);
  error_ = &error;
  candidate_ = {.partition = &partition, .row = number, .intake_time = intake_time};
  next_.clear();
  next_slots_.clear();
  complete_start_ = 0;
  any_waits_ = false;
  for (std::size_t i = 0; i < partition.threads.size(); ++i) offer(partition, i);
  begin(partition);
  thread_count_ += next_.size();
  thread_count_ -= partition.threads.size();
  partition.threads.swap(next_);
  partition.slots.swap(next_slots_);
  bound(partition);
}

void MatchMachine::offer(MatchPartition& partition, std::size_t index) {
  const MatchThread& thread = partition.threads[index];
  if (thread.start == complete_start_) return release(thread);
  if (thread.end != 0) {
    any_waits_ = true;
    complete_start_ = thread.start;
    next_.push_back(thread);
    next_slots_.insert(next_slots_.end(), no_slots_.begin(), no_slots_.end());
    return;
  }
  const RowNumber* const slots = partition.slots.data() + index * conditions_.slot_count();
  candidate_.slots = slots;
  candidate_.path = thread.path;
  candidate_.start = thread.start;
  before_ = thread.aggregates;
  find_ways(node_.automaton.positions[thread.position].next);
  follow_ways(&thread, slots);
}

void MatchMachine::begin(MatchPartition& partition) {
  if (!may_begin(row_->truths)) return;
  (void)partition;
  candidate_.slots = no_slots_.data();
  candidate_.path.reset();
  candidate_.start = candidate_.row;
  before_ = nullptr;
  find_ways(node_.automaton.start);
  follow_ways(nullptr, no_slots_.data());
}

/// The positions that the row can go to, the preferred one first.
void MatchMachine::find_ways(const std::vector<plan::MatchStep>& steps) {
  known_ = true_ = 0;
  ways_.clear();
  for (const plan::MatchStep& step : steps)
    if (satisfies(node_.automaton.positions[step.position].variable) && !refused(step.refused))
      ways_.push_back(step.position);
}

bool MatchMachine::refused(plan::VariableSet variables) {
  for (std::uint32_t v = 0; variables != 0; ++v, variables >>= 1)
    if ((variables & 1) != 0 && satisfies(v)) return true;
  return false;
}

bool MatchMachine::satisfies(std::uint32_t variable) {
  const plan::VariableSet bit = plan::VariableSet{1} << variable;
  if ((row_->truths & bit) == 0) return false;
  if (!conditions_.looks_back(variable)) return true;
  if ((known_ & bit) != 0) return (true_ & bit) != 0;
  candidate_.variable = variable;
  candidate_.aggregates = aggregates_with_row(variable);
  known_ |= bit;
  if (conditions_.hold(candidate_, *error_)) true_ |= bit;
  if (with_row_ != nullptr) aggregates_.release(std::exchange(with_row_, nullptr));
  return (true_ & bit) != 0;
}

std::byte* MatchMachine::aggregates_with_row(std::uint32_t variable) {
  if (aggregates_.empty()) return nullptr;
  with_row_ = before_ != nullptr ? aggregates_.copy(before_) : aggregates_.take();
  aggregates_.add(with_row_, rows_.cells(row_->place), variable);
  return with_row_;
}

/// Turns a partial match (or none) into one for each of the ways; the last one inherits what it holds.
void MatchMachine::follow_ways(const MatchThread* from, const RowNumber* slots) {
  bool inherited = false;
  for (std::size_t i = 0; i < ways_.size(); ++i) {
    const std::uint32_t position = ways_[i];
    const std::uint32_t variable = node_.automaton.positions[position].variable;
    MatchThread thread{.start = candidate_.start,
                       .start_time = from != nullptr ? from->start_time : row_->time,
                       .position = position};
    inherited = i + 1 == ways_.size();
    if (from == nullptr)
      thread.path = paths_.begin(position);
    else
      thread.path = inherited ? paths_.extend(from->path, position) : paths_.branch(from->path, position);
    if (!aggregates_.empty()) {
      const std::byte* const before = from != nullptr ? from->aggregates : nullptr;
      if (inherited && from != nullptr)
        thread.aggregates = from->aggregates;
      else
        thread.aggregates = before != nullptr ? aggregates_.copy(before) : aggregates_.take();
      aggregates_.add(thread.aggregates, rows_.cells(row_->place), variable);
    }
    std::copy_n(slots, scratch_slots_.size(), scratch_slots_.begin());
    if (!scratch_slots_.empty()) conditions_.add(scratch_slots_.data(), candidate_.row, variable);
    append(thread, scratch_slots_.data());
    if (complete_start_ == thread.start) break;
  }
  if (from != nullptr && !inherited) release(*from);
}

/// Adds a partial match to the next list, and behind it, if its row may be the last one, the complete match;
/// where the first end wins, that one alone.
void MatchMachine::append(MatchThread thread, const RowNumber* slots) {
  const plan::MatchPosition& position = node_.automaton.positions[thread.position];
  MatchThread complete = thread;
  if (position.accepts) {
    complete.end = candidate_.row;
    complete.aggregates = nullptr;
    paths_.watch(complete.path);
  }
  const bool wins = position.accepts && node_.automaton.first_end_wins;
  if (wins) drop_newest(thread.start);
  if (wins || position.next.empty() || is_pointless(thread, slots)) {
    release(thread);
  } else {
    next_.push_back(thread);
    next_slots_.insert(next_slots_.end(), slots, slots + scratch_slots_.size());
  }
  if (!position.accepts) return;
  next_.push_back(complete);
  next_slots_.insert(next_slots_.end(), no_slots_.begin(), no_slots_.end());
  complete_start_ = thread.start;
  any_waits_ = true;
}

/// Takes the partial matches of one first row, the newest one, from the next list.
void MatchMachine::drop_newest(RowNumber start) {
  while (!next_.empty() && next_.back().start == start) {
    release(next_.back());
    next_.pop_back();
  }
  next_slots_.resize(next_.size() * conditions_.slot_count());
}

// Behind a complete match that waits, an earlier partial match may be skipped over and this one not.
bool MatchMachine::is_pointless(const MatchThread& thread, const RowNumber* slots) const {
  if (!conditions_.forget_path()) return false;
  const bool across = across_starts_ && !any_waits_;
  const std::size_t width = scratch_slots_.size();
  for (std::size_t i = next_.size(); i-- > 0;) {
    const MatchThread& other = next_[i];
    if (!across && other.start != thread.start) return false;
    if (other.end == 0 && other.position == thread.position &&
        std::equal(slots, slots + width, next_slots_.data() + i * width))
      return true;
  }
  return false;
}

// ---- Ends ------------------------------------------------------------------------------------------------

void MatchMachine::release(const MatchThread& thread) {
  if (thread.end != 0)
    paths_.unwatch(thread.path);
  else
    paths_.release(thread.path);
  if (thread.aggregates != nullptr) aggregates_.release(thread.aggregates);
}

void MatchMachine::erase(MatchPartition& partition, std::size_t first, std::size_t count) {
  const auto at = [](auto& list, std::size_t index) {
    return list.begin() + static_cast<std::ptrdiff_t>(index);
  };
  const std::size_t width = conditions_.slot_count();
  partition.threads.erase(at(partition.threads, first), at(partition.threads, first + count));
  partition.slots.erase(at(partition.slots, first * width), at(partition.slots, (first + count) * width));
  thread_count_ -= count;
}

void MatchMachine::time_out(MatchPartition& partition, std::int64_t time) {
  if (!node_.within) return;
  std::size_t i = 0;
  while (i < partition.threads.size()) {
    const MatchThread& thread = partition.threads[i];
    if (time - thread.start_time < node_.within->count()) return;
    if (thread.end != 0) {
      ++i;
      continue;
    }
    release(thread);
    erase(partition, i, 1);
  }
}

void MatchMachine::end_all(MatchPartition& partition) {
  for (std::size_t i = partition.threads.size(); i-- > 0;) {
    if (partition.threads[i].end != 0) continue;
    release(partition.threads[i]);
    erase(partition, i, 1);
  }
}

// The newest ones go: the older ones are nearer to their end, and mostly make the newer ones void.
void MatchMachine::bound(MatchPartition& partition) {
  for (std::size_t i = partition.threads.size();
       i-- > 0 && partition.threads.size() > node_.max_partial_matches;) {
    if (partition.threads[i].end != 0) continue;
    release(partition.threads[i]);
    erase(partition, i, 1);
    ++given_up_;
  }
}

std::optional<MatchThread> MatchMachine::take_match(MatchPartition& partition) {
  if (partition.threads.empty() || partition.threads[0].end == 0) return std::nullopt;
  const MatchThread match = partition.threads[0];
  erase(partition, 0, 1);
  return match;
}

void MatchMachine::skip_to(MatchPartition& partition, RowNumber resume, RowNumber match_start) {
  std::size_t count = 0;
  for (; count < partition.threads.size(); ++count) {
    const MatchThread& thread = partition.threads[count];
    if (thread.start >= resume && thread.start != match_start) break;
    release(thread);
  }
  erase(partition, 0, count);
}

void MatchMachine::drop_rows(MatchPartition& partition) {
  RowNumber needed = partition.threads.empty() ? partition.next : partition.threads[0].start;
  needed -= std::min(needed, lookback_);
  while (!partition.rows.empty() && partition.rows.first() < needed) {
    rows_.drop(partition.rows.row(partition.rows.first()).place);
    partition.rows.pop_front(conditions_.cell_count());
  }
}

// ---- State -----------------------------------------------------------------------------------------------

void MatchMachine::restore(MatchPartition& partition, MatchThread thread, const std::vector<PathRun>& runs) {
  thread.path = paths_.restore(runs);
  thread.start_time = partition.rows.row(thread.start).time;
  std::fill(scratch_slots_.begin(), scratch_slots_.end(), 0);
  if (!aggregates_.empty() && thread.end == 0) thread.aggregates = aggregates_.take();
  RowNumber number = thread.start;
  for (const PathRun& run : runs) {
    const std::uint32_t variable = node_.automaton.positions[run.position].variable;
    for (std::uint64_t i = 0; i < run.count && thread.end == 0; ++i, ++number) {
      if (!scratch_slots_.empty()) conditions_.add(scratch_slots_.data(), number, variable);
      if (thread.aggregates != nullptr)
        aggregates_.add(thread.aggregates, rows_.cells(partition.rows.row(number).place), variable);
    }
  }
  if (thread.end != 0) {
    paths_.watch(thread.path);
    paths_.release(thread.path);
  }
  partition.threads.push_back(thread);
  partition.slots.insert(partition.slots.end(), scratch_slots_.begin(), scratch_slots_.end());
  ++thread_count_;
}

std::size_t MatchMachine::memory_bytes() const {
  const std::size_t thread_bytes = sizeof(MatchThread) + conditions_.slot_count() * sizeof(RowNumber);
  return thread_count_ * thread_bytes + paths_.memory_bytes() + aggregates_.memory_bytes();
}

}  // namespace leat::exec
