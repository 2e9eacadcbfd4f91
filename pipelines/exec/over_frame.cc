#include "pipelines/exec/over_frame.h"

#include <algorithm>
#include <utility>

#include "pipelines/base/time.h"

namespace leat::exec {
namespace {

constexpr char kSumsTag = 'a';

std::vector<plan::AggregateCall> calls_at(const plan::OverNode& node, const std::vector<std::size_t>& calls,
                                          const std::vector<std::size_t>& places) {
  std::vector<plan::AggregateCall> chosen;
  for (const std::size_t place : places) chosen.push_back(node.calls[calls[place]].call);
  return chosen;
}

/// Places of the calls that a queue must serve, or of the others.
std::vector<std::size_t> places_of(const plan::OverNode& node, const std::vector<std::size_t>& calls,
                                   bool queued) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const plan::OverCall& call = node.calls[calls[i]];
    if ((call.frame.preceding && !call.call.function->retractable()) == queued) places.push_back(i);
  }
  return places;
}

std::vector<ColumnBuilder> builders_for(const std::vector<plan::AggregateCall>& calls) {
  std::vector<ColumnBuilder> builders;
  for (const plan::AggregateCall& call : calls) builders.emplace_back(call.function->result_type());
  return builders;
}

}  // namespace

void KeyRows::pop_front() {
  ++head_;
  ++base_;
  if (head_ < 16 || 2 * head_ < rows_.size()) return;
  rows_.erase(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(head_));
  head_ = 0;
}

OverFrameRunner::OverFrameRunner(const plan::OverNode& node, std::vector<std::size_t> calls,
                                 std::size_t number)
    : frame_(node.calls[calls[0]].frame),
      number_(number),
      calls_(std::move(calls)),
      summed_(places_of(node, calls_, false)),
      queued_(places_of(node, calls_, true)),
      sums_(calls_at(node, calls_, summed_), Accumulators::Input::kInsertOnly),
      queue_(calls_at(node, calls_, queued_), Accumulators::Input::kInsertOnly),
      sum_arena_(sums_),
      queue_arena_(queue_),
      sum_results_(builders_for(calls_at(node, calls_, summed_))),
      queue_results_(builders_for(calls_at(node, calls_, queued_))) {}

OverFrameRunner::~OverFrameRunner() = default;

std::vector<ColumnPtr> OverFrameRunner::run(const Batch& batch, std::span<const OverEvent> events,
                                            const OverRows& rows) {
  sums_.open(batch);
  queue_.open(batch);
  if (frame_.unit == plan::OverFrame::Unit::kRows)
    run_rows(batch, events, rows);
  else
    run_range(batch, events, rows);
  std::vector<ColumnPtr> results(calls_.size());
  for (std::size_t i = 0; i < summed_.size(); ++i) results[summed_[i]] = sum_results_[i].finish();
  for (std::size_t i = 0; i < queued_.size(); ++i) results[queued_[i]] = queue_results_[i].finish();
  return results;
}

void OverFrameRunner::run_rows(const Batch& batch, std::span<const OverEvent> events, const OverRows& rows) {
  for (const OverEvent& event : events) {
    Key& key = key_at(event.key);
    if (event.kind == OverEvent::Kind::kForget) {
      forget(key, event.key, event.number, rows.keys);
      continue;
    }
    if (frame_.preceding) {
      const auto before = static_cast<std::uint64_t>(*frame_.preceding);
      if (event.number > before) leave_until(key, event.number - before, rows.of_key[event.key], rows.log);
    }
    enter(key, event.key, batch, event.row);
    emit(key);
  }
}

// All rows of a run come in before the first of them is given out.
void OverFrameRunner::run_range(const Batch& batch, std::span<const OverEvent> events, const OverRows& rows) {
  for (std::size_t begin = 0; begin < events.size();) {
    if (events[begin].kind == OverEvent::Kind::kForget) {
      forget(key_at(events[begin].key), events[begin].key, events[begin].number, rows.keys);
      ++begin;
      continue;
    }
    std::size_t end = begin;
    for (; end < events.size() && events[end].kind == OverEvent::Kind::kRow &&
           events[end].run == events[begin].run;
         ++end) {
      const OverEvent& event = events[end];
      Key& key = key_at(event.key);
      if (frame_.preceding) {
        const KeyRows& of_key = rows.of_key[event.key];
        const std::int64_t oldest = saturating_add(event.time, -*frame_.preceding);
        std::uint64_t target = std::max(key.begin, of_key.begin());
        while (target < event.number && of_key[target].time < oldest) ++target;
        leave_until(key, target, of_key, rows.log);
      }
      enter(key, event.key, batch, event.row);
    }
    for (; begin < end; ++begin) emit(keys_[events[begin].key]);
  }
}

OverFrameRunner::Key& OverFrameRunner::key_at(KeyId key) {
  if (key >= keys_.size()) keys_.resize(key + 1);
  return keys_[key];
}

void OverFrameRunner::enter(Key& key, KeyId id, const Batch& batch, std::uint32_t row) {
  if (!summed_.empty()) {
    if (key.sums == nullptr) key.sums = sum_arena_.take();
    sums_.apply_one(batch, row, key.sums);
    constexpr std::uint64_t kRowsBetweenMeasures = 16;
    if (!key.dirty || key.end % kRowsBetweenMeasures == 0) measure(key);
    if (!key.dirty) dirty_.push_back(id);
    key.dirty = true;
  }
  if (!queued_.empty()) {
    if (key.back == nullptr) key.back = queue_arena_.take();
    queue_.apply_one(batch, row, key.back);
  }
  ++key.end;
}

/// Not for each row: it costs a look at each state, and states that own much grow slowly.
void OverFrameRunner::measure(Key& key) {
  const std::size_t bytes = sums_.heap_bytes(key.sums);
  heap_bytes_ += bytes - key.heap_bytes;
  key.heap_bytes = bytes;
}

void OverFrameRunner::leave_until(Key& key, std::uint64_t target, const KeyRows& rows, const RowLog& log) {
  if (target <= key.begin) return;
  if (!summed_.empty()) {
    for (std::uint64_t number = key.begin; number < target; ++number) {
      const RowLog::Ref ref = rows[number].ref;
      std::byte* state = key.sums;
      sums_.take_back(log.batch(ref), std::span(&ref.row, 1), std::span(&state, 1));
    }
  }
  if (queued_.empty()) {
    key.begin = target;
    return;
  }
  for (; key.begin < target && !key.front.empty(); ++key.begin) {
    queue_arena_.release(key.front.back());
    key.front.pop_back();
  }
  if (key.begin == target) return;
  key.begin = target;
  turn_queue(key, rows, log);
}

/// The front is empty: the rows that are left go over to it, the last one first.
void OverFrameRunner::turn_queue(Key& key, const KeyRows& rows, const RowLog& log) {
  if (key.back != nullptr) queue_arena_.release(std::exchange(key.back, nullptr));
  for (std::uint64_t number = key.end; number > key.begin; --number) {
    const RowLog::Ref ref = rows[number - 1].ref;
    std::byte* const made = queue_arena_.take();
    std::byte* state = made;
    queue_.apply(log.batch(ref), std::span(&ref.row, 1), std::span(&state, 1));
    if (!key.front.empty()) queue_.merge(made, key.front.back());
    key.front.push_back(made);
  }
}

void OverFrameRunner::emit(const Key& key) {
  if (!summed_.empty()) sums_.append_results(key.sums, sum_results_);
  if (queued_.empty()) return;
  if (key.front.empty()) {
    queue_.append_results(key.back, queue_results_);
    return;
  }
  std::byte* const merged = queue_arena_.take();
  queue_.merge(merged, key.front.back());
  if (key.back != nullptr) queue_.merge(merged, key.back);
  queue_.append_results(merged, queue_results_);
  queue_arena_.release(merged);
}

void OverFrameRunner::drop_queue(Key& key) {
  for (std::byte* const state : key.front) queue_arena_.release(state);
  key.front.clear();
  if (key.back != nullptr) queue_arena_.release(std::exchange(key.back, nullptr));
}

void OverFrameRunner::forget(Key& key, KeyId id, std::uint64_t next, const KeyMap& keys) {
  drop_queue(key);
  if (key.sums != nullptr) {
    const std::string entry = entry_key(id, keys);
    sums_.unsave_parts(key.sums, entry, erased_);
    if (key.saved) erased_.add(entry);
    sum_arena_.release(std::exchange(key.sums, nullptr));
    heap_bytes_ -= std::exchange(key.heap_bytes, 0);
  }
  key.saved = false;
  key.begin = key.end = next;
}

// ---- State -----------------------------------------------------------------------------------------------

std::string OverFrameRunner::entry_key(KeyId id, const KeyMap& keys) const {
  std::string key(1, kSumsTag);
  ByteWriter writer(key);
  writer.varint(number_);
  keys.write(id, writer);
  return key;
}

void OverFrameRunner::save(std::string_view node, const KeyMap& keys, StateChanges& changes) {
  erased_.drain([&](const std::string& key) { changes.erase(node, key); });
  EntryBuffer value;
  for (const KeyId id : dirty_) {
    Key& key = keys_[id];
    key.dirty = false;
    if (key.sums == nullptr) continue;
    const std::string entry = entry_key(id, keys);
    sums_.save(key.sums, value.begin());
    changes.put(node, entry, value.bytes());
    sums_.save_parts(key.sums, {node, entry}, changes);
    key.saved = true;
  }
  dirty_.clear();
}

Status OverFrameRunner::load(ByteReader& entry, std::string_view value, KeyMap& keys) {
  LEAT_ASSIGN(const KeyId id, keys.read(entry));
  Key& key = key_at(id);
  if (summed_.empty()) return fail(ErrorCode::kCorrupt, "a saved frame of OVER has no sums");
  if (key.sums == nullptr) key.sums = sum_arena_.take();
  if (!entry.at_end()) return sums_.load_part(key.sums, entry, value);
  ByteReader reader(value);
  key.saved = true;
  return sums_.load(key.sums, reader);
}

// The rows that the last row's frame covered are still there; a queue has not been turned yet.
Status OverFrameRunner::loaded(const OverRows& rows) {
  for (Key& key : keys_)
    if (key.sums != nullptr) measure(key);
  if (!frame_.preceding) return {};
  for (KeyId id = 0; id < rows.of_key.size(); ++id) {
    const KeyRows& of_key = rows.of_key[id];
    if (of_key.begin() == of_key.end()) continue;
    Key& key = key_at(id);
    if (!summed_.empty() && key.sums == nullptr)
      return fail(ErrorCode::kCorrupt, "saved rows of OVER have lost their sums");
    key.begin = of_key.begin();
    key.end = of_key.end();
    if (frame_.unit == plan::OverFrame::Unit::kRows) {
      const auto covered = static_cast<std::uint64_t>(*frame_.preceding) + 1;
      if (key.end - key.begin > covered) key.begin = key.end - covered;
    } else {
      const std::int64_t oldest = saturating_add(of_key[key.end - 1].time, -*frame_.preceding);
      while (of_key[key.begin].time < oldest) ++key.begin;
    }
    for (std::uint64_t number = key.begin; number < key.end && !queued_.empty(); ++number) {
      const RowLog::Ref ref = of_key[number].ref;
      if (key.back == nullptr) key.back = queue_arena_.take();
      std::byte* state = key.back;
      queue_.apply(rows.log.batch(ref), std::span(&ref.row, 1), std::span(&state, 1));
    }
  }
  return {};
}

std::size_t OverFrameRunner::memory_bytes() const {
  return sum_arena_.memory_bytes() + heap_bytes_ + queue_arena_.memory_bytes() +
         keys_.capacity() * sizeof(Key);
}

}  // namespace leat::exec
