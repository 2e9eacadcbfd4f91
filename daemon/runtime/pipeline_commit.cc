// Commits, counters and the published status.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "daemon/log/log.h"
#include "daemon/runtime/pipeline_parts.h"
#include "pipelines/base/fault_point.h"
#include "sources/clients/local_stream.h"
#include "sources/stream/stream_source.h"

namespace leat::runtime {
namespace {

constexpr Micros kCommitRetry{kMicrosPerSecond};

class Changes final : public exec::StateChanges {
 public:
  explicit Changes(std::vector<exec::StateChange>& changes) : changes_(changes) {}
  void put(std::string_view node, std::string_view key, std::string_view value) override {
    changes_.push_back({std::string(node), std::string(key), false, std::string(value)});
  }
  void erase(std::string_view node, std::string_view key) override {
    changes_.push_back({std::string(node), std::string(key), true, {}});
  }

 private:
  std::vector<exec::StateChange>& changes_;
};

/// Operators forget what has changed once they have told it.
class Nowhere final : public exec::StateChanges {
 public:
  void put(std::string_view, std::string_view, std::string_view) override {}
  void erase(std::string_view, std::string_view) override {}
};

// Grammar of a pipeline's counters in a commit:
//   counters  := 0x02 (version), varint dead letters,
//                varint inputs, (string table, 9 varints: SourceReader::Saved in its order)…,
//                varint operators, (string name, varint in, passed, filtered, late, dead, applied, out)…,
//                varint targets, (string table, varint rows, dead, emitted)…
// Version 1 had 7 varints per input: neither `received` nor `lost`.
constexpr std::uint8_t kCountersVersion = 2;

using SavedSource = SourceReader::Saved;
constexpr std::uint64_t SavedSource::*kSourceCounters[] = {
    &SavedSource::decoded,        &SavedSource::empty,       &SavedSource::dead,
    &SavedSource::rows,           &SavedSource::redelivered, &SavedSource::dropped,
    &SavedSource::received_bytes, &SavedSource::received,    &SavedSource::lost};
constexpr std::size_t kFirstSourceCounters = 7;

void write_source(const SavedSource& saved, ByteWriter& out) {
  for (const auto counter : kSourceCounters) out.varint(saved.*counter);
}

SavedSource read_source(ByteReader& in, std::uint8_t version) {
  SavedSource saved;
  const std::size_t count = version == 1 ? kFirstSourceCounters : std::size(kSourceCounters);
  for (std::size_t i = 0; i < count; ++i) saved.*kSourceCounters[i] = in.varint();
  return saved;
}

void write_operator(const exec::Dataflow::OperatorInfo& info, ByteWriter& out) {
  const exec::OperatorCounters& c = info.counters;
  out.string(info.name);
  for (const std::uint64_t value : {c.rows_in, c.passed, c.filtered, c.late, c.dead, c.applied, c.rows_out})
    out.varint(value);
}

exec::OperatorCounters read_operator(ByteReader& in) {
  exec::OperatorCounters c;
  for (std::uint64_t* value : {&c.rows_in, &c.passed, &c.filtered, &c.late, &c.dead, &c.applied, &c.rows_out})
    *value = in.varint();
  return c;
}

}  // namespace

std::string Pipeline::encode_counters() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(kCountersVersion);
  out.varint(dead_letter_count_);
  out.varint(inputs_.size());
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    out.string(plan_.scans[i]->table);
    write_source(inputs_[i]->reader->saved_counters(), out);
  }
  const auto operators = dataflow_->operators();
  out.varint(operators.size());
  for (const auto& info : operators) write_operator(info, out);
  out.varint(targets_.size());
  for (const auto& target : targets_) {
    out.string(target->node->table);
    for (const std::uint64_t value :
         {target->counters().rows, target->counters().dead, target->counters().emitted})
      out.varint(value);
  }
  return bytes;
}

void Pipeline::restore_counters(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t version = bytes.empty() ? kCountersVersion : in.u8();
  const bool known = !bytes.empty() && version >= 1 && version <= kCountersVersion;
  if (known) dead_letter_count_ = in.varint();
  std::map<std::string, SavedSource, std::less<>> sources;
  for (std::uint64_t n = known ? in.varint() : 0; n > 0 && in.ok(); --n) {
    const std::string table(in.string());
    sources[table] = read_source(in, version);
  }
  // Those without saved counters, too: what waits in their journals has been received.
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    inputs_[i]->reader->restore_counters(sources[plan_.scans[i]->table]);
  received_ = received_for_good();
  if (!known) return;
  restore_operators(in);
  for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    const std::string_view table = in.string();
    SinkCounters counters;
    for (std::uint64_t* value : {&counters.rows, &counters.dead, &counters.emitted}) *value = in.varint();
    for (auto& target : targets_)
      if (target->node->table == table) target->restore(counters);
  }
}

/// What an operator took is what its inputs gave: where the operators are others than before, all count anew.
void Pipeline::restore_operators(ByteReader& in) {
  std::map<std::string, exec::OperatorCounters> saved;
  for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    std::string name(in.string());
    saved.emplace(std::move(name), read_operator(in));
  }
  const std::vector<exec::Dataflow::OperatorInfo> operators = dataflow_->operators();
  const bool same = saved.size() == operators.size() && std::ranges::all_of(operators, [&](const auto& each) {
                      return saved.contains(each.name);
                    });
  if (!same) return;
  for (const auto& [name, counters] : saved) dataflow_->restore_counters(name, counters);
}

void Pipeline::add_positions(store::Commit& commit) const {
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    if (std::string position = inputs_[i]->reader->position(inputs_[i]->next); position != positions_[i])
      commit.positions.push_back({TableName{plan_.scans[i]->table}, std::move(position)});
}

/// Streams whose position is in the commit.
void Pipeline::add_passed(store::Commit& commit) const {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const plan::ScanNode& scan = *plan_.scans[i];
    const auto moved = [&](const store::SourcePosition& each) { return each.source.value == scan.table; };
    if (scan.connector != "stream" || std::ranges::none_of(commit.positions, moved)) continue;
    const auto block = sources::stream_position(inputs_[i]->reader->source_position());
    if (block && *block > 0)
      commit.passed.push_back(
          {{scan.table}, sources::local_stream(scan.table, scan.options, scan.physical).name, *block});
  }
}

std::uint64_t Pipeline::received_for_good() const {
  std::uint64_t received = 0;
  for (const auto& input : inputs_) received += input->reader->received_for_good();
  return received;
}

void Pipeline::save_state(store::Commit& commit) {
  commit.state = std::exchange(stale_, {});
  Changes kept(commit.state);
  Nowhere forgotten;
  const bool keeps = context_.state == PipelineContext::State::kCommitted;
  exec::StateChanges& changes = keeps ? static_cast<exec::StateChanges&>(kept) : forgotten;
  dataflow_->save(changes);
  for (const auto& input : inputs_) input->reader->save(changes);
}

std::shared_ptr<store::Commit> Pipeline::make_commit() {
  auto made = std::make_shared<store::Commit>();
  made->pipeline = name_;
  made->number = last_commit_.next();
  made->time = context_.clock->wall();
  save_state(*made);
  add_positions(*made);
  add_passed(*made);
  for (auto& target : targets_) {
    if (!target->writer) continue;
    for (auto& block : target->writer->take_blocks(made->time)) made->blocks.push_back(std::move(block));
    if (auto rows = target->writer->take_rows()) made->tables.push_back(*std::move(rows));
    if (target->writer->stream())
      for (auto& block : target->writer->take_stream()) made->streams.push_back(std::move(block));
  }
  made->dead_letters = std::exchange(dead_letters_, {});
  made->replayed = replays_.take_done();
  const std::uint64_t received = received_for_good();
  const bool nothing = received == received_ && made->state.empty() && made->positions.empty() &&
                       made->blocks.empty() && made->tables.empty() && made->streams.empty() &&
                       made->dead_letters.empty() && made->replayed.empty();
  if (nothing) return nullptr;
  dead_letter_count_ += made->dead_letters.size();
  made->counters = encode_counters();
  received_ = received;
  for (const store::SourcePosition& position : made->positions)
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      if (plan_.scans[i]->table == position.source.value) positions_[i] = position.position;
  return made;
}

void Pipeline::commit() {
  if (in_flight_ || (state_ != PipelineState::kRunning && state_ != PipelineState::kStalled)) return;
  auto made = make_commit();
  if (made) return hand_over(std::move(made));
  replays_.committed();
  publish();
  if (draining_) wait_for_drain();
}

void Pipeline::hand_over(std::shared_ptr<const store::Commit> commit) {
  LEAT_FAULT_POINT("commit.collected");
  in_flight_ = std::move(commit);
  commit_started_ = context_.clock->monotonic();
  // The answer comes on the storage thread; only the loop may look at the pipeline, and only while there is
  // one.
  context_.store->commit(in_flight_, [loop = context_.loop, alive = std::weak_ptr<int>(alive_), this,
                                      handed = in_flight_](Result<void> outcome) {
    loop->post([alive, this, handed, outcome = std::move(outcome)] {
      if (!alive.expired()) committed(handed, outcome);
    });
  });
  LEAT_FAULT_POINT("commit.handed-over");
}

void Pipeline::committed(const std::shared_ptr<const store::Commit>& commit, const Result<void>& outcome) {
  if (!outcome) {
    if (!in_flight_failed_)
      log::error("the store does not take a commit, trying again",
                 {{"pipeline", name_.value}, {"error", outcome.error().message}});
    in_flight_failed_ = true;
    const bool overdue = drain_deadline_ != 0 && context_.clock->monotonic() >= drain_deadline_;
    if (overdue) return end_with(pausing_ ? PipelineState::kPaused : PipelineState::kStopped);
    return retry_timer_.start(kCommitRetry);
  }
  LEAT_FAULT_POINT("commit.answered");
  if (std::exchange(in_flight_failed_, false))
    log::info("the store takes commits again", {{"pipeline", name_.value}});
  in_flight_.reset();
  last_commit_ = commit->number;
  last_commit_time_ = commit->time;
  last_commit_micros_ = context_.clock->monotonic() - commit_started_;
  for (auto& target : targets_) target->count_written(*commit);
  for (const store::SourcePosition& position : commit->positions)
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      if (plan_.scans[i]->table == position.source.value) inputs_[i]->reader->committed(position.position);
  LEAT_FAULT_POINT("commit.sources-told");
  replays_.committed();
  publish();
  const std::weak_ptr<int> alive = alive_;
  if (const auto told = events_.committed; told) told();
  if (!alive.expired()) pump();
}

SinkStatus Pipeline::status_of(const Target& target) const {
  SinkStatus sink{TableName{target.node->table}, target.node->connector, target.counters()};
  sink.outbox = target.delivery != nullptr;
  sink.local_table = target.writer && target.writer->table();
  sink.stream = target.writer && target.writer->stream();
  sink.written = target.written;
  if (!sink.outbox) return sink;
  sink.delivery = target.delivery->status();
  sink.options = target.delivery->options();
  sink.waiting = context_.store->outbox_level(name_, sink.table);
  sink.rate = sink.delivery.throughput.at(context_.clock->monotonic());
  return sink;
}

PipelineStatus Pipeline::status_now() const {
  PipelineStatus status{.name = name_,
                        .file = file_,
                        .state = state_,
                        .error = error_,
                        .error_code = error_code_,
                        .waiting_for = waiting_for_};
  status.watermark = dataflow_->watermark();
  for (const auto& input : inputs_) status.sources.push_back(input->reader->status());
  status.operators = dataflow_->operators();
  for (const auto& target : targets_) status.sinks.push_back(status_of(*target));
  status.last_commit = last_commit_;
  status.last_commit_time = last_commit_time_;
  status.last_commit_micros = last_commit_micros_;
  if (in_flight_) status.commit_waits_micros = context_.clock->monotonic() - commit_started_;
  status.dead_letters = dead_letter_count_ + dead_letters_.size();
  // What a far side refuses is written by the delivery, not by a commit.
  for (const SinkStatus& sink : status.sinks) status.dead_letters += sink.waiting.rejected;
  return status;
}

void Pipeline::publish() {
  auto snapshot = std::make_shared<const PipelineStatus>(status_now());
  published_at_ = context_.clock->monotonic();
  const std::scoped_lock lock(published_mutex_);
  published_ = std::move(snapshot);
}

PipelineStatus Pipeline::status() const {
  const std::scoped_lock lock(published_mutex_);
  return *published_;
}

}  // namespace leat::runtime
