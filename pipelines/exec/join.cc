#include "pipelines/exec/join.h"

#include <algorithm>
#include <utility>

#include "pipelines/column/schema_types.h"
#include "pipelines/exec/keyed_state.h"

namespace leat::exec {
namespace {

using plan::JoinType;

// Pairs that are looked at together, and rows that are given out together: a few thousand, as in any batch.
constexpr std::size_t kRunPairs = 8192;
constexpr char kTimeTag = 't';

bool is_addition(RowKind kind) {
  return kind == RowKind::kInsert || kind == RowKind::kUpdateAfter;
}

bool has_no_right_columns(JoinType type) {
  return !plan::gives_right(type);
}

}  // namespace

Join::Join(const plan::JoinNode& node, OperatorContext context)
    : context_(std::move(context)),
      fingerprint_(node.fingerprint),
      type_(node.type),
      comes_alone_{plan::keeps_left(node.type), plan::keeps_right(node.type)},
      counts_{comes_alone_[0] || has_no_right_columns(node.type), comes_alone_[1]},
      ttls_{StateTtl(node.state_ttl[0]), StateTtl(node.state_ttl[1])},
      keys_(node),
      condition_(node),
      sides_{JoinSide(types_of(node.inputs[0]->schema), 'l', ttls_[0]),
             JoinSide(types_of(node.inputs[1]->schema), 'r', ttls_[1])},
      output_(node) {}

// ---- Output ----------------------------------------------------------------------------------------------

void Join::emit_match(const Candidate& candidate, RowKind kind, RowStore::Handle partner,
                      const Batch& batch) {
  output_.add(kind, candidate.row, partner, batch.watermarks[candidate.row],
              batch.intake_times[candidate.row]);
}

void Join::emit_alone(const Candidate& candidate, RowKind kind, const Batch& batch) {
  emit_match(candidate, kind, JoinOutput::kNoPartner, batch);
}

void Join::emit_partner(const Candidate& candidate, RowKind kind, RowStore::Handle partner,
                        const Batch& batch) {
  output_.add(kind, JoinOutput::kNoRow, partner, batch.watermarks[candidate.row],
              batch.intake_times[candidate.row]);
}

Status Join::flush(std::size_t side, const Batch& batch, std::int64_t watermark_after, Output& out) {
  counters_.rows_out += output_.size();
  return out.emit(
      output_.take({side, batch.columns, sides_[side].rows(), sides_[1 - side].rows()}, watermark_after));
}

// ---- Rows ------------------------------------------------------------------------------------------------

// The pairs of one row with what lives at its time, that of `ttl`, the other side's. False: it belongs into a
// run of its own, because the rows before it in this one may still write what seems to have expired.
bool Join::collect_pairs_of(const Candidate& candidate, InRun place, const StateTtl& ttl) {
  const JoinSide& other = sides_[1 - candidate.side];
  const std::size_t pairs_before = pairs_.size();
  for (auto partner = other.first(candidate.key); partner != JoinSide::kNone; partner = other.next(partner)) {
    if (!other.expired(partner, ttl)) {
      pairs_.add(candidate.row, partner);
    } else if (place == InRun::kFurther && counts_[1 - candidate.side]) {
      pairs_.shrink(pairs_before);
      return false;
    }
  }
  return true;
}

// Rows [begin, …) until there are enough pairs; one row is always taken whole.
std::uint32_t Join::collect_pairs(std::size_t side, std::uint32_t begin, const Batch& batch) {
  pairs_.clear();
  StateTtl ttl = ttls_[1 - side];
  std::uint32_t row = begin;
  for (; row < batch.size && pairs_.size() < kRunPairs; ++row) {
    ttl.pass(batch.intake_times[row]);
    if (ids_[row] == JoinKeys::kNoKey) continue;
    const InRun place = row == begin ? InRun::kFirst : InRun::kFurther;
    if (!collect_pairs_of({.side = side, .row = row, .key = ids_[row], .partners = {}}, place, ttl)) break;
  }
  return row;
}

void Join::count_match(const Candidate& candidate, RowStore::Handle partner, const Batch& batch) {
  const std::size_t other = 1 - candidate.side;
  if (!counts_[other]) return;
  const std::int64_t matches = sides_[other].rows().mark(partner);
  sides_[other].set_mark(partner, matches + 1);
  if (matches > 0) return;
  if (type_ == JoinType::kSemi)
    emit_partner(candidate, batch.kind(candidate.row), partner, batch);
  else
    emit_partner(candidate, RowKind::kDelete, partner, batch);
}

void Join::discount_match(const Candidate& candidate, RowStore::Handle partner, const Batch& batch) {
  const std::size_t other = 1 - candidate.side;
  if (!counts_[other]) return;
  const std::int64_t matches = sides_[other].rows().mark(partner);
  if (matches == 0) return;  // It came when the candidate was forgotten already.
  sides_[other].set_mark(partner, matches - 1);
  if (matches > 1) return;
  if (type_ == JoinType::kSemi)
    emit_partner(candidate, batch.kind(candidate.row), partner, batch);
  else
    emit_partner(candidate, RowKind::kInsert, partner, batch);
}

void Join::insert(const Candidate& candidate, const Batch& batch) {
  const bool matched = !candidate.partners.empty();
  const RowKind kind = batch.kind(candidate.row);
  if (has_no_right_columns(type_)) {
    const bool wanted = candidate.side == 0 && matched == (type_ == JoinType::kSemi);
    if (wanted) emit_alone(candidate, kind, batch);
    if (candidate.side == 1)
      for (const auto partner : candidate.partners) count_match(candidate, partner, batch);
  } else if (!matched) {
    if (comes_alone_[candidate.side]) emit_alone(candidate, RowKind::kInsert, batch);
  } else {
    const bool plain = comes_alone_[0] || comes_alone_[1];
    for (const auto partner : candidate.partners) count_match(candidate, partner, batch);
    for (const auto partner : candidate.partners)
      emit_match(candidate, plain ? RowKind::kInsert : kind, partner, batch);
  }
  if (candidate.key == JoinKeys::kNoKey) return;
  const auto matches = counts_[candidate.side] ? static_cast<std::int64_t>(candidate.partners.size()) : 0;
  sides_[candidate.side].add(batch.columns, candidate.row, candidate.key, matches);
  keys_.use(candidate.key);
}

void Join::retract(const Candidate& candidate, const Batch& batch) {
  if (candidate.key != JoinKeys::kNoKey) {
    JoinSide& side = sides_[candidate.side];
    const RowStore::Handle held = side.find(batch.columns, candidate.row, candidate.key);
    if (held != JoinSide::kNone) {
      side.erase(held);
      keys_.release(candidate.key);
    } else if (!ttls_[candidate.side].enabled()) {
      return;  // A row that never came: nothing was made of it.
    }
  }
  const bool matched = !candidate.partners.empty();
  const RowKind kind = batch.kind(candidate.row);
  if (has_no_right_columns(type_)) {
    const bool given = candidate.side == 0 && matched == (type_ == JoinType::kSemi);
    if (given) emit_alone(candidate, kind, batch);
    if (candidate.side == 1)
      for (const auto partner : candidate.partners) discount_match(candidate, partner, batch);
  } else if (!matched) {
    if (comes_alone_[candidate.side]) emit_alone(candidate, RowKind::kDelete, batch);
  } else {
    const RowKind broken = comes_alone_[candidate.side] ? RowKind::kDelete : kind;
    for (const auto partner : candidate.partners) emit_match(candidate, broken, partner, batch);
    for (const auto partner : candidate.partners) discount_match(candidate, partner, batch);
  }
}

void Join::apply(const Candidate& candidate, const Batch& batch) {
  if (is_addition(batch.kind(candidate.row)))
    insert(candidate, batch);
  else
    retract(candidate, batch);
}

Status Join::apply_run(std::size_t side, std::uint32_t begin, std::uint32_t end, const Batch& batch) {
  LEAT_ASSIGN(const std::vector<std::uint32_t> failed,
              condition_.select(context_, side, batch, sides_[1 - side].rows(), pairs_));
  std::size_t pair = 0;
  for (std::uint32_t row = begin; row < end; ++row) {
    const std::size_t first = pair;
    while (pair < pairs_.size() && pairs_.rows[pair] == row) ++pair;
    pass_time(batch.intake_times[row]);
    const bool lost = ids_[row] == JoinKeys::kNoKey && !comes_alone_[side];
    const bool dead = std::ranges::binary_search(failed, row);
    ++(dead ? counters_.dead : lost ? counters_.filtered : counters_.applied);
    apply({side, row, ids_[row], std::span(pairs_.partners).subspan(first, pair - first)}, batch);
  }
  return {};
}

void Join::pass_time(std::int64_t intake_time) {
  for (StateTtl& ttl : ttls_) ttl.pass(intake_time);
}

// Only between batches: the output refers to rows that are kept.
void Join::drop_expired() {
  for (JoinSide& side : sides_) {
    for (auto row = side.next_expired(); row != JoinSide::kNone; row = side.next_expired()) {
      keys_.release(side.key_of(row));
      side.erase(row);
    }
  }
}

Status Join::process(std::size_t input, const Batch& batch, Output& out) {
  Batch timed = batch;
  clock_.take(input, timed);
  counters_.rows_in += timed.size;
  drop_expired();
  if (timed.size > 0) ids_ = keys_.lookup(input, timed.columns, timed.size);
  for (std::uint32_t row = 0; row < timed.size;) {
    const std::uint32_t end = collect_pairs(input, row, timed);
    LEAT_TRY(apply_run(input, row, end, timed));
    row = end;
    LEAT_TRY(out.go_on());
    if (row < timed.size && output_.size() >= kRunPairs)
      LEAT_TRY(flush(input, timed, timed.watermarks[row - 1], out));
  }
  LEAT_TRY(flush(input, timed, timed.watermark_after, out));
  keys_.sweep();
  return {};
}

Status Join::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  if (!clock_.advance(input, watermark)) return {};
  return out.advance(clock_.watermark(), now);
}

Status Join::set_activity(std::size_t input, InputActivity activity, std::int64_t now, Output& out) {
  if (!clock_.set_activity(input, activity)) return {};
  return out.advance(clock_.watermark(), now);
}

// ---- State -----------------------------------------------------------------------------------------------

void Join::save(StateChanges& changes) {
  for (JoinSide& side : sides_) side.rows().save(fingerprint_, changes);
  const bool expires = ttls_[0].enabled() || ttls_[1].enabled();
  if (!expires || saved_now_ == ttls_[0].now()) return;
  saved_now_ = ttls_[0].now();
  EntryBuffer time;
  time.begin().zigzag(saved_now_);
  changes.put(fingerprint_, {&kTimeTag, 1}, time.bytes());
}

Status Join::load_time(std::string_view value) {
  ByteReader reader(value);
  pass_time(reader.zigzag());
  saved_now_ = ttls_[0].now();
  if (!reader.ok()) return fail(ErrorCode::kCorrupt, "the time of the join's state is damaged");
  return {};
}

Status Join::load(std::string_view key, std::string_view value) {
  for (JoinSide& side : sides_)
    if (side.rows().owns(key)) return side.rows().load(key, value).map([](RowStore::Handle) {});
  if (key == std::string_view(&kTimeTag, 1)) return load_time(value);
  return fail(ErrorCode::kCorrupt, "an entry of the join's state belongs to neither side");
}

Status Join::loaded() {
  for (std::size_t side = 0; side < sides_.size(); ++side) {
    const std::vector<RowStore::Handle> rows = sides_[side].rows().in_sequence();
    const std::vector<ColumnPtr> columns = sides_[side].rows().gather(rows);
    LEAT_ASSIGN(const std::span<const KeyId> ids, keys_.lookup_kept(side, columns, rows.size()));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      sides_[side].enter(rows[i], ids[i]);
      keys_.use(ids[i]);
    }
  }
  return {};
}

std::size_t Join::memory_bytes() const {
  return sides_[0].memory_bytes() + sides_[1].memory_bytes() + keys_.memory_bytes();
}

}  // namespace leat::exec
