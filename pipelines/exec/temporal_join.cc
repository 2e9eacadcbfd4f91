#include "pipelines/exec/temporal_join.h"

#include <algorithm>
#include <utility>

#include "pipelines/exec/failed_rows.h"

namespace leat::exec {
namespace {

constexpr std::int64_t kVersionEnds = 1;

RowStore make_store(const Schema& schema, char tag) {
  std::vector<Type> types;
  for (const Type::Field& field : schema.fields) types.push_back(field.type);
  return {std::move(types), tag};
}

}  // namespace

TemporalJoin::TemporalJoin(const plan::TemporalJoinNode& node, OperatorContext context)
    : context_(std::move(context)),
      fingerprint_(node.fingerprint),
      left_schema_(node.inputs[0]->schema),
      comes_alone_(plan::keeps_left(node.type)),
      time_columns_{node.special[0][0], node.special[1][0]},
      keys_(node),
      condition_(node),
      stores_{make_store(node.inputs[0]->schema, 'l'), make_store(node.inputs[1]->schema, 'r')},
      lifetimes_(node.state_ttl, 'k'),
      output_(node) {}

// ---- Rows in ---------------------------------------------------------------------------------------------

void TemporalJoin::enter(std::size_t side, const Timed& timed) {
  if (timed.key != JoinKeys::kNoKey) keys_.use(timed.key);
  if (side == 0) {
    waiting_.push_back(timed);
    std::push_heap(waiting_.begin(), waiting_.end(), std::greater<>());
    return;
  }
  if (versions_.size() <= timed.key) versions_.resize(timed.key + 1);
  std::vector<Timed>& versions = versions_[timed.key];
  const auto later = [](const Timed& a, const Timed& b) { return b > a; };
  versions.insert(std::upper_bound(versions.begin(), versions.end(), timed, later), timed);
}

void TemporalJoin::take_left(std::uint32_t row, const Batch& batch) {
  const Column& times = *batch.columns[time_columns_[0]];
  if (times.is_null(row) || (ids_[row] == JoinKeys::kNoKey && !comes_alone_)) {
    ++counters_.filtered;
    return;
  }
  const std::int64_t time = times.values<std::int64_t>()[row];
  if (batch.watermarks[row] >= time) return late_rows_.push_back(row);
  const RowStore::Handle kept =
      stores_[0].add(batch.columns, row, static_cast<std::int64_t>(batch.kind(row)));
  enter(0, {time, stores_[0].sequence(kept), kept, ids_[row]});
  touch(ids_[row]);
  ++counters_.applied;
}

void TemporalJoin::take_right(std::uint32_t row, const Batch& batch) {
  const Column& times = *batch.columns[time_columns_[1]];
  if (times.is_null(row) || ids_[row] == JoinKeys::kNoKey) {
    ++counters_.filtered;
    return;
  }
  ++counters_.applied;
  const RowKind kind = batch.kind(row);
  if (kind == RowKind::kUpdateBefore) return;
  const RowStore::Handle kept =
      stores_[1].add(batch.columns, row, kind == RowKind::kDelete ? kVersionEnds : 0);
  enter(1, {times.values<std::int64_t>()[row], stores_[1].sequence(kept), kept, ids_[row]});
  forget_versions(ids_[row], batch.watermarks[row]);
  touch(ids_[row]);
}

// ---- Versions --------------------------------------------------------------------------------------------

void TemporalJoin::pass_row(KeyId key, std::int64_t intake_time) {
  if (key == JoinKeys::kNoKey) return;
  const auto is_waited_for = [this](KeyId id) { return keys_.uses(id) > versions_[id].size(); };
  lifetimes_.pass_row(key, intake_time, is_waited_for, [this](KeyId expired) { forget_key(expired); });
}

void TemporalJoin::touch(KeyId key) {
  if (key < versions_.size() && !versions_[key].empty()) lifetimes_.touch(key);
}

void TemporalJoin::forget_key(KeyId key) {
  for (const Timed& version : versions_[key]) {
    forgotten_.push_back(version.row);
    keys_.release(key);
  }
  versions_[key].clear();
  lifetimes_.erase(key, keys_.map());
}

// All left rows up to the watermark have met their versions: of those that it has passed, only the latest is
// still somebody's.
void TemporalJoin::forget_versions(KeyId key, std::int64_t watermark) {
  std::vector<Timed>& versions = versions_[key];
  const auto passed = [&](const Timed& version) { return version.time <= watermark; };
  auto keep = std::ranges::find_if_not(versions, passed);
  if (keep != versions.begin() && stores_[1].mark(std::prev(keep)->row) != kVersionEnds) --keep;
  for (auto version = versions.begin(); version != keep; ++version) {
    forgotten_.push_back(version->row);
    keys_.release(key);
  }
  versions.erase(versions.begin(), keep);
  if (versions.empty()) lifetimes_.erase(key, keys_.map());
}

Status TemporalJoin::process(std::size_t input, const Batch& batch, Output& out) {
  Batch timed = batch;
  clock_.take(input, timed);
  counters_.rows_in += timed.size;
  if (timed.size > 0) ids_ = keys_.lookup(input, timed.columns, timed.size);
  for (std::uint32_t row = 0; row < timed.size; ++row) {
    collect_due(timed.watermarks[row], timed.intake_times[row]);
    pass_row(ids_[row], timed.intake_times[row]);
    if (input == 0)
      take_left(row, timed);
    else
      take_right(row, timed);
  }
  report_late(context_, left_schema_, timed, late_rows_, counters_);
  collect_due(timed.watermark_after, timed.size > 0 ? timed.intake_times.back() : 0);
  return flush(timed.watermark_after, out);
}

Status TemporalJoin::pass_time(std::int64_t now, Output& out) {
  collect_due(clock_.watermark(), now);
  LEAT_TRY(flush(due_.empty() ? clock_.watermark() : saturating_add(due_.back().left.time, -1), out));
  return out.advance(clock_.watermark(), now);
}

Status TemporalJoin::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  return clock_.advance(input, watermark) ? pass_time(now, out) : Status();
}

Status TemporalJoin::set_activity(std::size_t input, InputActivity activity, std::int64_t now, Output& out) {
  return clock_.set_activity(input, activity) ? pass_time(now, out) : Status();
}

// ---- Rows out --------------------------------------------------------------------------------------------

RowStore::Handle TemporalJoin::version_at(KeyId key, std::int64_t time) const {
  if (key >= versions_.size()) return RowStore::kNone;
  const std::vector<Timed>& versions = versions_[key];
  const auto behind = std::ranges::upper_bound(versions, time, {}, &Timed::time);
  if (behind == versions.begin()) return RowStore::kNone;
  const RowStore::Handle version = std::prev(behind)->row;
  return stores_[1].mark(version) == kVersionEnds ? RowStore::kNone : version;
}

void TemporalJoin::collect_due(std::int64_t watermark, std::int64_t intake_time) {
  while (!waiting_.empty() && waiting_.front().time <= watermark) {
    const Timed left = waiting_.front();
    std::pop_heap(waiting_.begin(), waiting_.end(), std::greater<>());
    waiting_.pop_back();
    due_.push_back({left, version_at(left.key, left.time), intake_time});
    if (left.key != JoinKeys::kNoKey) keys_.release(left.key);
  }
}

void TemporalJoin::emit(const Batch& lefts, const JoinPairs& pairs) {
  std::size_t pair = 0;
  for (std::uint32_t row = 0; row < lefts.size; ++row) {
    const bool matched = pair < pairs.size() && pairs.rows[pair] == row;
    const RowStore::Handle version = matched ? pairs.partners[pair++] : JoinOutput::kNoPartner;
    if (!matched && !comes_alone_) continue;
    output_.add(lefts.kind(row), row, version, lefts.watermarks[row], lefts.intake_times[row]);
  }
}

Status TemporalJoin::flush(std::int64_t watermark, Output& out) {
  Batch lefts;
  lefts.size = due_.size();
  JoinPairs pairs;
  std::vector<RowStore::Handle> rows;
  for (std::uint32_t i = 0; i < due_.size(); ++i) {
    rows.push_back(due_[i].left.row);
    if (due_[i].version != RowStore::kNone) pairs.add(i, due_[i].version);
    lefts.kinds.push_back(static_cast<RowKind>(stores_[0].mark(due_[i].left.row)));
    // As for every fired row (fired_rows.h): the watermark just before the one that lets it go.
    lefts.watermarks.push_back(saturating_add(due_[i].left.time, -1));
    lefts.intake_times.push_back(due_[i].intake_time);
  }
  lefts.columns = stores_[0].gather(rows);
  LEAT_ASSIGN(const std::vector<std::uint32_t> failed,
              condition_.select(context_, 0, lefts, stores_[1], pairs));
  counters_.applied -= failed.size();
  counters_.dead += failed.size();
  emit(lefts, pairs);
  counters_.rows_out += output_.size();
  LEAT_TRY(out.emit(output_.take({0, lefts.columns, stores_[0], stores_[1]}, watermark)));
  for (const RowStore::Handle row : rows) stores_[0].erase(row);
  for (const RowStore::Handle row : forgotten_) stores_[1].erase(row);
  due_.clear();
  forgotten_.clear();
  keys_.sweep();
  return {};
}

// ---- State -----------------------------------------------------------------------------------------------

void TemporalJoin::save(StateChanges& changes) {
  for (RowStore& store : stores_) store.save(fingerprint_, changes);
  lifetimes_.save(fingerprint_, keys_.map(), changes);
}

Status TemporalJoin::load(std::string_view key, std::string_view value) {
  for (RowStore& store : stores_)
    if (store.owns(key)) return store.load(key, value).map([](RowStore::Handle) {});
  if (lifetimes_.owns(key)) return lifetimes_.load(key, value, keys_.map());
  return fail(ErrorCode::kCorrupt, "an entry of the join's state belongs to neither side");
}

Status TemporalJoin::loaded() {
  for (std::size_t side = 0; side < stores_.size(); ++side) {
    const std::vector<RowStore::Handle> rows = stores_[side].in_sequence();
    const std::vector<ColumnPtr> columns = stores_[side].gather(rows);
    const std::span<const KeyId> ids = keys_.lookup(side, columns, rows.size());
    const auto times = columns[time_columns_[side]]->values<std::int64_t>();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      // Rows that wait may be without a key, versions never are.
      if (columns[time_columns_[side]]->is_null(i) || (side == 1 && ids[i] == JoinKeys::kNoKey))
        return fail(ErrorCode::kCorrupt, "a saved row of a temporal join has no time or no key");
      enter(side, {times[i], stores_[side].sequence(rows[i]), rows[i], ids[i]});
    }
  }
  for (KeyId key = 0; key < versions_.size(); ++key)
    if (!versions_[key].empty()) lifetimes_.adopt(key);
  return {};
}

std::size_t TemporalJoin::memory_bytes() const {
  return stores_[0].memory_bytes() + stores_[1].memory_bytes() + keys_.memory_bytes() +
         (waiting_.capacity() + stores_[1].size()) * sizeof(Timed) +
         versions_.capacity() * sizeof(std::vector<Timed>) + lifetimes_.memory_bytes();
}

}  // namespace leat::exec
