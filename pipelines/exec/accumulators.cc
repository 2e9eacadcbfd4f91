#include "pipelines/exec/accumulators.h"

#include <algorithm>
#include <new>

#include "pipelines/exec/changelog_rows.h"

namespace leat::exec {
namespace {

constexpr std::size_t kStateAlignment = 16;
constexpr std::size_t kFirstPieces = 16;
constexpr std::size_t kMostPieces = 4096;

constexpr std::size_t aligned(std::size_t bytes) {
  return (bytes + kStateAlignment - 1) / kStateAlignment * kStateAlignment;
}

std::int64_t& row_count(std::byte* state) {
  return *reinterpret_cast<std::int64_t*>(state);
}
std::int64_t row_count(const std::byte* state) {
  return *reinterpret_cast<const std::int64_t*>(state);
}

bool is_true(const Column& condition, std::size_t row) {
  return !condition.is_null(row) && condition.values<std::uint8_t>()[row] != 0;
}

// Completes the names of one call's parts.
class NamedParts : public functions::PartChanges {
 public:
  NamedParts(std::string_view group_key, std::size_t call) : key_(group_key) {
    ByteWriter(key_).varint(call);
    prefix_ = key_.size();
  }

 protected:
  // Valid until the next call.
  const std::string& key_of(std::string_view part) {
    key_.resize(prefix_);
    return key_.append(part);
  }

 private:
  std::string key_;
  std::size_t prefix_ = 0;
};

class SavedParts final : public NamedParts {
 public:
  SavedParts(const GroupEntry& entry, std::size_t call, StateChanges& changes)
      : NamedParts(entry.key, call), node_(entry.node), changes_(changes) {}
  void put(std::string_view part, std::string_view value) override {
    changes_.put(node_, key_of(part), value);
  }
  void erase(std::string_view part) override { changes_.erase(node_, key_of(part)); }

 private:
  std::string_view node_;
  StateChanges& changes_;
};

class UnsavedParts final : public NamedParts {
 public:
  UnsavedParts(std::string_view group_key, std::size_t call, ErasedEntries& erased)
      : NamedParts(group_key, call), erased_(erased) {}
  // Nothing is put while a group goes.
  void put(std::string_view part, std::string_view value) override {
    (void)part;
    (void)value;
  }
  void erase(std::string_view part) override { erased_.add(key_of(part)); }

 private:
  ErasedEntries& erased_;
};

}  // namespace

Accumulators::Accumulators(const std::vector<plan::AggregateCall>& calls, Input input)
    : counts_rows_(input == Input::kChangelog) {
  size_ = counts_rows_ ? kStateAlignment : 0;
  for (const plan::AggregateCall& call : calls) {
    calls_.push_back({call.function, size_, call.arguments, call.filter, {}});
    size_ += aligned(call.function->state_size());
    has_parts_ = has_parts_ || call.function->has_parts();
  }
  size_ = std::max(size_, kStateAlignment);
}

void Accumulators::init(std::byte* state) const {
  if (counts_rows_) row_count(state) = 0;
  for (const Call& call : calls_) call.function->init(state + call.offset);
}

void Accumulators::destroy(std::byte* state) const {
  for (const Call& call : calls_) call.function->destroy(state + call.offset);
}

void Accumulators::merge(std::byte* into, const std::byte* from) const {
  if (counts_rows_) row_count(into) += row_count(from);
  for (const Call& call : calls_) call.function->merge(into + call.offset, from + call.offset);
}

void Accumulators::apply(const Batch& batch, std::span<const std::uint32_t> rows,
                         std::span<std::byte*> states) {
  if (batch.kinds.empty()) return apply_signed(batch, rows, states, Sign::kAdd);
  std::size_t begin = 0;
  while (begin < rows.size()) {
    const bool back = takes_back(batch.kinds[rows[begin]]);
    std::size_t end = begin + 1;
    while (end < rows.size() && takes_back(batch.kinds[rows[end]]) == back) ++end;
    apply_signed(batch, rows.subspan(begin, end - begin), states.subspan(begin, end - begin),
                 back ? Sign::kTakeBack : Sign::kAdd);
    begin = end;
  }
}

void Accumulators::apply_signed(const Batch& batch, std::span<const std::uint32_t> rows,
                                std::span<std::byte*> states, Sign sign) {
  if (rows.empty()) return;
  if (counts_rows_)
    for (std::byte* const state : states) row_count(state) += sign == Sign::kAdd ? 1 : -1;
  std::size_t offset = 0;
  for (const Call& call : calls_) {
    if (const std::size_t step = call.offset - offset; step > 0)
      for (std::byte*& state : states) state += step;
    offset = call.offset;
    apply_call(call, batch, rows, states, sign);
  }
}

void Accumulators::apply_call(const Call& call, const Batch& batch, std::span<const std::uint32_t> rows,
                              std::span<std::byte*> states, Sign sign) {
  arguments_.clear();
  for (const std::size_t argument : call.arguments) arguments_.push_back(batch.columns[argument]);
  if (call.filter) {
    keep_filtered(*batch.columns[*call.filter], rows, states);
    rows = filtered_rows_;
    states = filtered_states_;
    if (rows.empty()) return;
  }
  if (sign == Sign::kAdd)
    call.function->update(arguments_, rows, states.data());
  else
    call.function->retract(arguments_, rows, states.data());
}

void Accumulators::open(const Batch& batch) {
  for (Call& call : calls_) {
    call.opened.clear();
    for (const std::size_t argument : call.arguments) call.opened.push_back(batch.columns[argument]);
  }
}

void Accumulators::apply_one(const Batch& batch, std::uint32_t row, std::byte* state) const {
  const bool back = takes_back(batch.kind(row));
  if (counts_rows_) row_count(state) += back ? -1 : 1;
  for (const Call& call : calls_) {
    if (call.filter && !is_true(*batch.columns[*call.filter], row)) continue;
    std::byte* const at = state + call.offset;
    if (back)
      call.function->retract(call.opened, {&row, 1}, &at);
    else
      call.function->update(call.opened, {&row, 1}, &at);
  }
}

void Accumulators::keep_filtered(const Column& filter, std::span<const std::uint32_t> rows,
                                 std::span<std::byte*> states) {
  filtered_rows_.clear();
  filtered_states_.clear();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!is_true(filter, rows[i])) continue;
    filtered_rows_.push_back(rows[i]);
    filtered_states_.push_back(states[i]);
  }
}

bool Accumulators::alive(const std::byte* state) const {
  return !counts_rows_ || row_count(state) > 0;
}

void Accumulators::append_results(const std::byte* state, std::span<ColumnBuilder> out) const {
  for (std::size_t i = 0; i < calls_.size(); ++i)
    calls_[i].function->result(state + calls_[i].offset, out[i]);
}

void Accumulators::save(const std::byte* state, ByteWriter& out) const {
  if (counts_rows_) out.zigzag(row_count(state));
  for (const Call& call : calls_) call.function->save(state + call.offset, out);
}

Status Accumulators::load(std::byte* state, ByteReader& in) const {
  if (counts_rows_) row_count(state) = in.zigzag();
  for (const Call& call : calls_) LEAT_TRY(call.function->load(state + call.offset, in));
  if (!in.ok()) return fail(ErrorCode::kCorrupt, "saved aggregates end too early");
  return {};
}

void Accumulators::save_parts(std::byte* state, const GroupEntry& entry, StateChanges& changes) const {
  if (!has_parts_) return;
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    if (!calls_[i].function->has_parts()) continue;
    SavedParts parts(entry, i, changes);
    calls_[i].function->save_parts(state + calls_[i].offset, parts);
  }
}

Status Accumulators::load_part(std::byte* state, ByteReader& part, std::string_view value) const {
  const std::uint64_t number = part.varint();
  if (!part.ok() || number >= calls_.size())
    return fail(ErrorCode::kCorrupt, "a saved part of an aggregate belongs to no call");
  const Call& call = calls_[static_cast<std::size_t>(number)];
  return call.function->load_part(state + call.offset, part.rest(), value);
}

void Accumulators::unsave_parts(std::byte* state, std::string_view group_key, ErasedEntries& erased) const {
  if (!has_parts_) return;
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    if (!calls_[i].function->has_parts()) continue;
    UnsavedParts parts(group_key, i, erased);
    calls_[i].function->unsave_parts(state + calls_[i].offset, parts);
  }
}

std::size_t Accumulators::heap_bytes(const std::byte* state) const {
  std::size_t bytes = 0;
  for (const Call& call : calls_) bytes += call.function->heap_bytes(state + call.offset);
  return bytes;
}

void StateArena::Release::operator()(std::byte* memory) const {
  ::operator delete (memory, std::align_val_t{kStateAlignment});
}

// The states still held must be destroyed; `free_` tells them from the others.
StateArena::~StateArena() {
  if (in_use_ == 0) return;
  std::sort(free_.begin(), free_.end());
  for (const Chunk& chunk : chunks_)
    for (std::size_t i = 0; i < chunk.pieces; ++i) {
      std::byte* const piece = chunk.memory.get() + i * layout_.size();
      if (!std::binary_search(free_.begin(), free_.end(), piece)) layout_.destroy(piece);
    }
}

std::byte* StateArena::take() {
  if (free_.empty()) add_chunk();
  std::byte* const piece = free_.back();
  free_.pop_back();
  layout_.init(piece);
  ++in_use_;
  return piece;
}

void StateArena::release(std::byte* piece) {
  layout_.destroy(piece);
  free_.push_back(piece);
  --in_use_;
}

void StateArena::add_chunk() {
  const std::size_t pieces = std::clamp(in_use_, kFirstPieces, kMostPieces);
  const std::size_t bytes = pieces * layout_.size();
  auto* const memory = static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kStateAlignment}));
  chunks_.push_back({std::unique_ptr<std::byte, Release>(memory), pieces});
  for (std::size_t i = pieces; i > 0; --i) free_.push_back(memory + (i - 1) * layout_.size());
  bytes_ += bytes;
}

}  // namespace leat::exec
