#include "pipelines/exec/window_join.h"

#include <algorithm>
#include <utility>

#include "pipelines/exec/failed_rows.h"

namespace leat::exec {
namespace {

using plan::JoinType;

// Pairs that are looked at together, and rows that are given out together: a few thousand, as in any batch.
constexpr std::size_t kRunPairs = 8192;

RowStore make_store(const Schema& schema, char tag) {
  std::vector<Type> types;
  for (const Type::Field& field : schema.fields) types.push_back(field.type);
  return {std::move(types), tag};
}

}  // namespace

Result<std::unique_ptr<WindowJoin>> WindowJoin::make(const plan::WindowJoinNode& node,
                                                     OperatorContext context) {
  LEAT_ASSIGN(WindowClock clock, WindowClock::make(node.window));
  return std::unique_ptr<WindowJoin>(new WindowJoin(node, std::move(context), std::move(clock)));
}

WindowJoin::WindowJoin(const plan::WindowJoinNode& node, OperatorContext context, WindowClock clock)
    : context_(std::move(context)),
      fingerprint_(node.fingerprint),
      schemas_{node.inputs[0]->schema, node.inputs[1]->schema},
      type_(node.type),
      end_columns_{node.special[0][0], node.special[1][0]},
      window_clock_(std::move(clock)),
      keys_(node),
      condition_(node),
      stores_{make_store(schemas_[0], 'l'), make_store(schemas_[1], 'r')},
      output_(node) {}

// ---- Rows in ---------------------------------------------------------------------------------------------

void WindowJoin::take_row(std::size_t side, std::uint32_t row, const Batch& batch) {
  const Column& ends = *batch.columns[end_columns_[side]];
  if (ends.is_null(row)) {
    ++counters_.filtered;
    return;
  }
  const std::int64_t end = ends.values<std::int64_t>()[row];
  if (batch.watermarks[row] >= window_clock_.fires_at(end)) return late_rows_.push_back(row);
  windows_[end][side].push_back(stores_[side].add(batch.columns, row));
  ++counters_.applied;
}

Status WindowJoin::process(std::size_t input, const Batch& batch, Output& out) {
  Batch timed = batch;
  clock_.take(input, timed);
  counters_.rows_in += timed.size;
  for (std::uint32_t row = 0; row < timed.size; ++row) {
    LEAT_TRY(fire_until(timed.watermarks[row], timed.intake_times[row], out));
    take_row(input, row, timed);
  }
  report_late(context_, schemas_[input], timed, late_rows_, counters_);
  LEAT_TRY(fire_until(timed.watermark_after, timed.size > 0 ? timed.intake_times.back() : 0, out));
  return out.emit(only_time(timed.watermark_after));
}

Status WindowJoin::pass_time(std::int64_t now, Output& out) {
  LEAT_TRY(fire_until(clock_.watermark(), now, out));
  return out.advance(clock_.watermark(), now);
}

Status WindowJoin::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  return clock_.advance(input, watermark) ? pass_time(now, out) : Status();
}

Status WindowJoin::set_activity(std::size_t input, InputActivity activity, std::int64_t now, Output& out) {
  return clock_.set_activity(input, activity) ? pass_time(now, out) : Status();
}

// ---- Windows out -----------------------------------------------------------------------------------------

Status WindowJoin::fire_until(std::int64_t watermark, std::int64_t intake_time, Output& out) {
  while (!windows_.empty()) {
    const auto first = windows_.begin();
    const std::int64_t fires_at = window_clock_.fires_at(first->first);
    if (fires_at > watermark) break;
    // As for every fired row (fired_rows.h): the watermark just before the one that fires it.
    LEAT_TRY(fire(first->second, saturating_add(fires_at, -1), intake_time, out));
    for (std::size_t side = 0; side < stores_.size(); ++side)
      for (const RowStore::Handle row : first->second[side]) stores_[side].erase(row);
    windows_.erase(first);
  }
  return {};
}

WindowJoin::ByKey WindowJoin::rights_by_key(const Rows& rows) {
  const std::vector<ColumnPtr> rights = stores_[1].gather(rows[1]);
  ByKey by_key;
  const std::span<const KeyId> ids = keys_.lookup(1, rights, rows[1].size());
  for (std::size_t i = 0; i < rows[1].size(); ++i) {
    if (ids[i] == JoinKeys::kNoKey) continue;
    if (by_key.size() <= ids[i]) by_key.resize(ids[i] + 1);
    by_key[ids[i]].push_back(rows[1][i]);
  }
  return by_key;
}

/// What becomes of the left rows [begin, end), whose pairs these are.
void WindowJoin::emit(const Batch& lefts, std::uint32_t begin, std::uint32_t end, const JoinPairs& pairs) {
  const std::int64_t watermark = lefts.watermark_after;
  const std::int64_t intake_time = lefts.intake_times[0];
  std::size_t pair = 0;
  for (std::uint32_t row = begin; row < end; ++row) {
    const std::size_t first = pair;
    while (pair < pairs.size() && pairs.rows[pair] == row) {
      if (plan::gives_right(type_))
        output_.add(RowKind::kInsert, row, pairs.partners[pair], watermark, intake_time);
      stores_[1].set_mark(pairs.partners[pair++], 1);
    }
    const bool matched = pair > first;
    if (matched ? type_ == JoinType::kSemi : plan::keeps_left(type_))
      output_.add(RowKind::kInsert, row, JoinOutput::kNoPartner, watermark, intake_time);
  }
}

void WindowJoin::emit_unmatched(const Batch& lefts, const Rows& rows) {
  if (!plan::keeps_right(type_)) return;
  for (const RowStore::Handle row : rows[1])
    if (stores_[1].mark(row) == 0)
      output_.add(RowKind::kInsert, JoinOutput::kNoRow, row, lefts.watermark_after, lefts.intake_times[0]);
}

Status WindowJoin::flush(const Batch& lefts, Output& out) {
  counters_.rows_out += output_.size();
  if (output_.size() == 0) return {};
  return out.emit(output_.take({0, lefts.columns, stores_[0], stores_[1]}, lefts.watermark_after));
}

/// The pairs of a window may be far more than its rows: they are made and given out a few thousand at a time.
Status WindowJoin::fire(const Rows& rows, std::int64_t watermark, std::int64_t intake_time, Output& out) {
  Batch lefts;
  lefts.size = rows[0].size();
  lefts.columns = stores_[0].gather(rows[0]);
  lefts.watermarks.assign(std::max<std::size_t>(lefts.size, 1), watermark);
  lefts.intake_times.assign(std::max<std::size_t>(lefts.size, 1), intake_time);
  lefts.watermark_after = watermark;
  const ByKey by_key = rights_by_key(rows);
  const std::span<const KeyId> ids = keys_.lookup(0, lefts.columns, lefts.size);
  for (std::uint32_t begin = 0, end = 0; begin < lefts.size; begin = end) {
    JoinPairs pairs;
    for (; end < lefts.size && pairs.size() < kRunPairs; ++end)
      if (ids[end] != JoinKeys::kNoKey && ids[end] < by_key.size())
        for (const RowStore::Handle partner : by_key[ids[end]]) pairs.add(end, partner);
    LEAT_ASSIGN(const std::vector<std::uint32_t> failed,
                condition_.select(context_, 0, lefts, stores_[1], pairs));
    counters_.applied -= failed.size();
    counters_.dead += failed.size();
    emit(lefts, begin, end, pairs);
    LEAT_TRY(out.go_on());
    if (output_.size() >= kRunPairs) LEAT_TRY(flush(lefts, out));
  }
  emit_unmatched(lefts, rows);
  keys_.sweep();
  return flush(lefts, out);
}

// ---- State -----------------------------------------------------------------------------------------------

void WindowJoin::save(StateChanges& changes) {
  for (RowStore& store : stores_) store.save(fingerprint_, changes);
}

Status WindowJoin::load(std::string_view key, std::string_view value) {
  for (RowStore& store : stores_)
    if (store.owns(key)) return store.load(key, value).map([](RowStore::Handle) {});
  return fail(ErrorCode::kCorrupt, "an entry of the join's state belongs to neither side");
}

Status WindowJoin::loaded() {
  for (std::size_t side = 0; side < stores_.size(); ++side) {
    const std::vector<RowStore::Handle> rows = stores_[side].in_sequence();
    const ColumnPtr ends = stores_[side].gather_column(end_columns_[side], rows);
    for (std::size_t i = 0; i < rows.size(); ++i)
      windows_[ends->values<std::int64_t>()[i]][side].push_back(rows[i]);
  }
  return {};
}

std::size_t WindowJoin::memory_bytes() const {
  const std::size_t handles = (stores_[0].size() + stores_[1].size()) * sizeof(RowStore::Handle);
  return stores_[0].memory_bytes() + stores_[1].memory_bytes() + keys_.memory_bytes() + handles;
}

}  // namespace leat::exec
