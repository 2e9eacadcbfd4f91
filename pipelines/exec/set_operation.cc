#include "pipelines/exec/set_operation.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "pipelines/column/schema_types.h"

namespace leat::exec {
namespace {

constexpr char kRowTag = 'r';
constexpr char kTimeTag = 't';
constexpr std::size_t kFewRows = 1024;

Status corrupt_entry() {
  return fail(ErrorCode::kCorrupt, "a state entry of a set operation is damaged");
}

}  // namespace

SetOperation::SetOperation(const plan::SetOperationNode& node)
    : fingerprint_(node.fingerprint),
      op_(node.op),
      columns_(node.schema.size()),
      rows_(types_of(node.schema)),
      ttl_(node.state_ttl) {
  std::iota(columns_.begin(), columns_.end(), 0);
}

// ---- Rows in ---------------------------------------------------------------------------------------------

Status SetOperation::process(std::size_t input, const Batch& batch, Output& out) {
  Batch timed = batch;
  clock_.take(input, timed);
  if (timed.size > 0) {
    counters_.rows_in += timed.size;
    rows_.lookup(timed.columns, timed.size, ids_);
    if (counted_.size() < rows_.id_limit()) {
      counted_.resize(rows_.id_limit());
      uses_.resize(rows_.id_limit());
    }
    for (std::uint32_t row = 0; row < timed.size; ++row) apply_row(input, timed, row, ids_[row]);
    sweep();
  }
  Batch changes = changes_.take(timed, columns_, UnchangedRows::kEmit);
  counters_.rows_out += changes.size;
  return out.emit(std::move(changes));
}

void SetOperation::apply_row(std::size_t input, const Batch& batch, std::uint32_t row, KeyId id) {
  if (ttl_.enabled()) {
    ttl_.pass(batch.intake_times[row]);
    drop_expired();
    if (uses_[id] != 0 && ttl_.expired(counted_[id].written)) drop(id);
  }
  const bool back = takes_back(batch.kind(row));
  if (back && counted_[id].times[input] == 0) {
    ++counters_.filtered;
    return;
  }
  ++counters_.applied;
  const std::uint64_t before = multiplicity(counted_[id]);
  if (uses_[id] == 0) hold(id);
  Counted& counted = counted_[id];
  if (back)
    --counted.times[input];
  else
    ++counted.times[input];
  counted.written = ttl_.now();
  if (!std::exchange(counted.dirty, true)) dirty_.push_back(id);
  const std::uint64_t after = multiplicity(counted);
  if (after != before) changes_.close_change(after > before ? RowKind::kInsert : RowKind::kDelete, row);
  if (counted.times[0] + counted.times[1] == 0) drop(id);
}

std::uint64_t SetOperation::multiplicity(const Counted& counted) const {
  const auto [left, right] = counted.times;
  switch (op_) {
    case plan::SetOperator::kIntersect:
      return left > 0 && right > 0 ? 1 : 0;
    case plan::SetOperator::kIntersectAll:
      return std::min(left, right);
    case plan::SetOperator::kExcept:
      return left > 0 && right == 0 ? 1 : 0;
    case plan::SetOperator::kExceptAll:
      return left > right ? left - right : 0;
  }
  return 0;
}

void SetOperation::hold(KeyId id) {
  uses_[id] = 1;
  ++held_;
  if (ttl_.enabled()) expiries_.add(id, ttl_.now());
}

void SetOperation::drop(KeyId id) {
  if (counted_[id].saved) {
    std::string entry;
    ByteWriter writer(entry);
    write_key(id, writer);
    erased_.add(std::move(entry));
  }
  counted_[id] = {};
  uses_[id] = 0;
  --held_;
}

void SetOperation::drop_expired() {
  const auto written_of = [this](KeyId id) {
    return uses_[id] == 0 ? std::nullopt : std::optional(counted_[id].written);
  };
  while (const std::optional<KeyId> id = expiries_.next(ttl_, written_of)) drop(*id);
}

// Forgets rows that are not held when there are many.
void SetOperation::sweep() {
  if (rows_.size() - held_ > std::max(kFewRows, held_)) rows_.sweep(uses_);
}

// ---- Time ------------------------------------------------------------------------------------------------

Status SetOperation::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  if (!clock_.advance(input, watermark)) return {};
  return out.advance(clock_.watermark(), now);
}

Status SetOperation::set_activity(std::size_t input, InputActivity activity, std::int64_t now, Output& out) {
  if (!clock_.set_activity(input, activity)) return {};
  return out.advance(clock_.watermark(), now);
}

// ---- State -----------------------------------------------------------------------------------------------

void SetOperation::write_key(KeyId id, ByteWriter& out) const {
  out.u8(kRowTag);
  rows_.write(id, out);
}

void SetOperation::save(StateChanges& changes) {
  erased_.drain([&](const std::string& key) { changes.erase(fingerprint_, key); });
  EntryBuffer key;
  EntryBuffer value;
  for (const KeyId id : dirty_) {
    Counted& counted = counted_[id];
    if (!std::exchange(counted.dirty, false)) continue;  // Dropped, or written already.
    counted.saved = true;
    write_key(id, key.begin());
    ByteWriter& writer = value.begin();
    writer.zigzag(counted.written);
    for (const std::uint64_t times : counted.times) writer.varint(times);
    changes.put(fingerprint_, key.bytes(), value.bytes());
  }
  dirty_.clear();
  if (!ttl_.enabled() || saved_now_ == ttl_.now()) return;
  saved_now_ = ttl_.now();
  value.begin().zigzag(saved_now_);
  changes.put(fingerprint_, {&kTimeTag, 1}, value.bytes());
}

Status SetOperation::load(std::string_view key, std::string_view value) {
  ByteReader key_reader(key);
  ByteReader reader(value);
  const char tag = static_cast<char>(key_reader.u8());
  if (tag == kTimeTag) {
    ttl_.pass(reader.zigzag());
    saved_now_ = ttl_.now();
    return reader.ok() ? Status() : corrupt_entry();
  }
  if (tag != kRowTag) return corrupt_entry();
  LEAT_ASSIGN(const KeyId id, rows_.read(key_reader));
  if (counted_.size() < rows_.id_limit()) {
    counted_.resize(rows_.id_limit());
    uses_.resize(rows_.id_limit());
  }
  Counted& counted = counted_[id];
  counted.written = reader.zigzag();
  for (std::uint64_t& times : counted.times) times = reader.varint();
  counted.saved = true;
  uses_[id] = 1;
  ++held_;
  if (ttl_.enabled()) expiries_.add(id, counted.written);
  return reader.ok() && counted.times[0] + counted.times[1] > 0 ? Status() : corrupt_entry();
}

std::size_t SetOperation::memory_bytes() const {
  return rows_.memory_bytes() + counted_.capacity() * (sizeof(Counted) + sizeof(std::uint32_t)) +
         dirty_.capacity() * sizeof(KeyId) + erased_.memory_bytes() + expiries_.memory_bytes();
}

}  // namespace leat::exec
