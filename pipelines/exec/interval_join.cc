#include "pipelines/exec/interval_join.h"

#include <algorithm>
#include <utility>

#include "pipelines/column/schema_types.h"
#include "pipelines/exec/failed_rows.h"

namespace leat::exec {
namespace {

using plan::JoinType;

// Pairs that are looked at together: a few thousand, as rows of a batch.
constexpr std::size_t kRunPairs = 8192;

IntervalSide make_side(const plan::IntervalJoinNode& node, std::size_t side) {
  const std::int64_t lower = node.lower.count();
  const std::int64_t upper = node.upper.count();
  const std::vector<Type> types = types_of(node.inputs[side]->schema);
  return side == 0 ? IntervalSide(types, 'l', -upper, -lower) : IntervalSide(types, 'r', lower, upper);
}

}  // namespace

IntervalJoin::IntervalJoin(const plan::IntervalJoinNode& node, OperatorContext context)
    : context_(std::move(context)),
      fingerprint_(node.fingerprint),
      schemas_{node.inputs[0]->schema, node.inputs[1]->schema},
      type_(node.type),
      time_columns_{node.special[0][0], node.special[1][0]},
      comes_alone_{plan::keeps_left(node.type), plan::keeps_right(node.type)},
      delay_(std::max<std::int64_t>({-node.lower.count(), node.upper.count(), 0}) + 1),
      keys_(node),
      condition_(node),
      sides_{make_side(node, 0), make_side(node, 1)},
      output_(node) {}

std::int64_t IntervalJoin::held_back(std::int64_t watermark) const {
  return watermark == kMaxWatermark ? kMaxWatermark : saturating_add(watermark, -delay_);
}

// ---- Rows ------------------------------------------------------------------------------------------------

// Rows [begin, …) until there are enough pairs; one row is always taken whole. What has expired at a row, it
// does not meet.
std::uint32_t IntervalJoin::collect_pairs(std::size_t side, std::uint32_t begin, const Batch& batch) {
  pairs_.clear();
  const IntervalSide& own = sides_[side];
  const IntervalSide& other = sides_[1 - side];
  const Column& times = *batch.columns[time_columns_[side]];
  std::uint32_t row = begin;
  for (; row < batch.size && pairs_.size() < kRunPairs; ++row) {
    if (ids_[row] == JoinKeys::kNoKey || times.is_null(row)) continue;
    const std::int64_t last = own.last_met(times_[row]);
    for (const IntervalSide::Timed& partner : other.rows_from(ids_[row], own.first_met(times_[row]))) {
      if (partner.time > last) break;
      if (other.last_met(partner.time) >= batch.watermarks[row]) pairs_.add(row, partner.row);
    }
  }
  return row;
}

void IntervalJoin::match(std::size_t side, std::uint32_t row, RowStore::Handle partner, const Batch& batch) {
  const std::size_t other = 1 - side;
  const std::int64_t watermark = held_back(batch.watermarks[row]);
  const bool first = sides_[other].rows().mark(partner) == 0;
  sides_[other].rows().set_mark(partner, 1);
  if (plan::gives_right(type_)) {
    output_.add(RowKind::kInsert, row, partner, watermark, batch.intake_times[row]);
  } else if (type_ == JoinType::kSemi && other == 0 && first) {
    output_.add(RowKind::kInsert, JoinOutput::kNoRow, partner, watermark, batch.intake_times[row]);
  }
}

void IntervalJoin::keep(std::size_t side, std::uint32_t row, std::int64_t time, bool matched,
                        const Batch& batch) {
  const RowStore::Handle kept = sides_[side].add(batch.columns, row, time, ids_[row]);
  if (matched) sides_[side].rows().set_mark(kept, 1);
  keys_.use(ids_[row]);
}

IntervalJoin::Fate IntervalJoin::apply(std::size_t side, std::uint32_t row,
                                       std::span<const RowStore::Handle> partners, const Batch& batch) {
  const std::int64_t watermark = held_back(batch.watermarks[row]);
  const bool known = ids_[row] != JoinKeys::kNoKey && !batch.columns[time_columns_[side]]->is_null(row);
  const bool matched = !partners.empty();
  for (const RowStore::Handle partner : partners) match(side, row, partner, batch);
  const bool alone = side == 0 && type_ == JoinType::kSemi && matched;
  if (alone) output_.add(RowKind::kInsert, row, JoinOutput::kNoPartner, watermark, batch.intake_times[row]);
  if (known && batch.watermarks[row] < sides_[side].last_met(times_[row]) &&
      sides_[side].first_met(times_[row]) <= sides_[side].last_met(times_[row])) {
    keep(side, row, times_[row], matched, batch);
    return Fate::kApplied;
  }
  if (!matched && comes_alone_[side])
    output_.add(RowKind::kInsert, row, JoinOutput::kNoPartner, watermark, batch.intake_times[row]);
  if (matched || comes_alone_[side]) return Fate::kApplied;
  return known && batch.watermarks[row] >= times_[row] ? Fate::kLate : Fate::kFiltered;
}

Status IntervalJoin::apply_run(std::size_t side, std::uint32_t begin, std::uint32_t end, const Batch& batch) {
  LEAT_ASSIGN(const std::vector<std::uint32_t> failed,
              condition_.select(context_, side, batch, sides_[1 - side].rows(), pairs_));
  std::size_t pair = 0;
  for (std::uint32_t row = begin; row < end; ++row) {
    const std::size_t first = pair;
    while (pair < pairs_.size() && pairs_.rows[pair] == row) ++pair;
    expire_until(batch.watermarks[row], side, batch.intake_times[row]);
    const Fate fate = apply(side, row, std::span(pairs_.partners).subspan(first, pair - first), batch);
    if (std::ranges::binary_search(failed, row))
      ++counters_.dead;
    else if (fate == Fate::kLate)
      late_rows_.push_back(row);
    else
      ++(fate == Fate::kApplied ? counters_.applied : counters_.filtered);
  }
  return {};
}

Status IntervalJoin::process(std::size_t input, const Batch& batch, Output& out) {
  Batch timed = batch;
  clock_.take(input, timed);
  counters_.rows_in += timed.size;
  if (timed.size > 0) {
    ids_ = keys_.lookup(input, timed.columns, timed.size);
    times_ = timed.columns[time_columns_[input]]->values<std::int64_t>();
  }
  for (std::uint32_t row = 0; row < timed.size;) {
    const std::uint32_t end = collect_pairs(input, row, timed);
    LEAT_TRY(apply_run(input, row, end, timed));
    row = end;
    LEAT_TRY(out.go_on());
    if (output_.size() >= kRunPairs)
      LEAT_TRY(flush(input, timed.columns, held_back(timed.watermarks[row - 1]), out));
  }
  report_late(context_, schemas_[input], timed, late_rows_, counters_);
  expire_until(timed.watermark_after, input, timed.size > 0 ? timed.intake_times.back() : 0);
  LEAT_TRY(flush(input, timed.columns, held_back(timed.watermark_after), out));
  keys_.sweep();
  return {};
}

// ---- Time ------------------------------------------------------------------------------------------------

// The row's watermark is the last one at which it was still waiting. `side` is the one whose batch is at
// hand.
void IntervalJoin::expire_one(std::size_t expiring, std::size_t side, std::int64_t intake_time) {
  IntervalSide& own = sides_[expiring];
  const IntervalSide::Timed row = own.expiring();
  own.expire();
  keys_.release(row.key);
  expired_[expiring].push_back(row.row);
  if (!comes_alone_[expiring] || own.rows().mark(row.row) != 0) return;
  const std::int64_t watermark = held_back(own.last_met(row.time));
  if (expiring == side)
    output_.add_kept(RowKind::kInsert, row.row, JoinOutput::kNoPartner, watermark, intake_time);
  else
    output_.add(RowKind::kInsert, JoinOutput::kNoRow, row.row, watermark, intake_time);
}

// Both sides' rows in the order in which their ranges end, the left one's first.
void IntervalJoin::expire_until(std::int64_t watermark, std::size_t side, std::int64_t intake_time) {
  while (true) {
    const bool left = sides_[0].has_expired(watermark);
    const bool right = sides_[1].has_expired(watermark);
    if (!left && !right) return;
    const bool right_first = right && (!left || sides_[1].last_met(sides_[1].expiring().time) <
                                                    sides_[0].last_met(sides_[0].expiring().time));
    expire_one(right_first ? 1 : 0, side, intake_time);
  }
}

Status IntervalJoin::flush(std::size_t side, std::span<const ColumnPtr> columns, std::int64_t watermark,
                           Output& out) {
  counters_.rows_out += output_.size();
  const Status emitted =
      out.emit(output_.take({side, columns, sides_[side].rows(), sides_[1 - side].rows()}, watermark));
  for (std::size_t s = 0; s < sides_.size(); ++s) {
    for (const RowStore::Handle row : expired_[s]) sides_[s].rows().erase(row);
    expired_[s].clear();
  }
  return emitted;
}

Status IntervalJoin::pass_time(std::int64_t now, Output& out) {
  expire_until(clock_.watermark(), 0, now);
  if (output_.size() > 0) LEAT_TRY(flush(0, {}, output_.last_watermark(), out));
  LEAT_TRY(flush(0, {}, held_back(clock_.watermark()), out));
  keys_.sweep();
  return out.advance(held_back(clock_.watermark()), now);
}

Status IntervalJoin::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  return clock_.advance(input, watermark) ? pass_time(now, out) : Status();
}

Status IntervalJoin::set_activity(std::size_t input, InputActivity activity, std::int64_t now, Output& out) {
  return clock_.set_activity(input, activity) ? pass_time(now, out) : Status();
}

// ---- State -----------------------------------------------------------------------------------------------

void IntervalJoin::save(StateChanges& changes) {
  for (IntervalSide& side : sides_) side.rows().save(fingerprint_, changes);
}

Status IntervalJoin::load(std::string_view key, std::string_view value) {
  for (IntervalSide& side : sides_)
    if (side.rows().owns(key)) return side.rows().load(key, value).map([](RowStore::Handle) {});
  return fail(ErrorCode::kCorrupt, "an entry of the join's state belongs to neither side");
}

Status IntervalJoin::loaded() {
  for (std::size_t side = 0; side < sides_.size(); ++side) {
    const std::vector<RowStore::Handle> rows = sides_[side].rows().in_sequence();
    const std::vector<ColumnPtr> columns = sides_[side].rows().gather(rows);
    LEAT_ASSIGN(const std::span<const KeyId> ids, keys_.lookup_kept(side, columns, rows.size()));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (columns[time_columns_[side]]->is_null(i))
        return fail(ErrorCode::kCorrupt, "a saved row of an interval join has no time");
      sides_[side].enter(rows[i], columns[time_columns_[side]]->values<std::int64_t>()[i], ids[i]);
      keys_.use(ids[i]);
    }
  }
  return {};
}

std::size_t IntervalJoin::memory_bytes() const {
  return sides_[0].memory_bytes() + sides_[1].memory_bytes() + keys_.memory_bytes();
}

}  // namespace leat::exec
