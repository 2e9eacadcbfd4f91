// The pump: from the intakes through the dataflow, a few milliseconds at a time.
#include <fmt/format.h>

#include <limits>

#include "daemon/log/log.h"
#include "daemon/runtime/delivery_report.h"
#include "daemon/runtime/pipeline_parts.h"

namespace leat::runtime {
namespace {

/// How long one turn may hold the loop: neighbours, timers and the API wait meanwhile.
constexpr std::int64_t kTurnMicros = 5'000;
/// Encoded records above this call for a commit before its time; above the second the engine waits for it.
constexpr std::uint64_t kCommitBytes = 4 << 20;
constexpr std::uint64_t kStallBytes = 8 << 20;
/// The same for the number of dead letters; their bytes count with those of the records.
constexpr std::size_t kCommitDeadLetters = 1'000;
constexpr std::size_t kStallDeadLetters = 10'000;

constexpr std::int64_t kNoTime = std::numeric_limits<std::int64_t>::min();

void log_news(const PipelineName& pipeline, const std::string& table, const News& news) {
  const std::initializer_list<log::Field> fields = {
      {"pipeline", pipeline.value}, {"table", table}, {"detail", news.detail}};
  if (news.weight == News::Weight::kTrouble) return log::warn(news.message, fields);
  log::info(news.message, fields);
}

}  // namespace

std::uint64_t Pipeline::pending_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& target : targets_)
    if (target->writer) bytes += target->writer->pending_bytes();
  for (const store::DeadLetter& letter : dead_letters_) bytes += letter.payload.size();
  return bytes;
}

/// What waits in the stream has reached its bound, or the file has, and the writer is to wait.
bool Pipeline::stream_is_full(const SinkWriter& writer) const {
  const auto& stream = writer.stream();
  if (!stream || stream->on_full != plan::OnFull::kBlock) return false;
  const std::uint64_t waiting = context_.store->streams().waiting_bytes(stream->name);
  return waiting >= stream->max_bytes || (waiting > 0 && context_.store->file_full());
}

bool Pipeline::blocked() {
  std::string reason;
  if (in_flight_failed_) reason = "the store does not take the commit";
  for (const auto& target : targets_)
    if (target->delivery && target->delivery->full())
      reason =
          context_.store->file_full()
              ? fmt::format("the store has reached 'store.max_bytes', and '{}' blocks", target->node->table)
              : fmt::format("the outbox of '{}' is full", target->node->table);
  for (const auto& target : targets_)
    if (target->writer && stream_is_full(*target->writer))
      reason =
          context_.store->file_full()
              ? fmt::format("the store has reached 'store.max_bytes', and '{}' blocks", target->node->table)
              : fmt::format("the stream '{}' is full: a pipeline that reads it is behind, or does not run",
                            target->writer->stream()->name);
  const bool behind = pending_bytes() > kStallBytes || dead_letters_.size() > kStallDeadLetters;
  if (in_flight_ && (context_.lock_step || behind)) reason = "the store is behind with a commit";
  if (reason != waiting_for_ && !reason.empty())
    log::warn("pipeline waits", {{"pipeline", name_.value}, {"for", reason}});
  waiting_for_ = reason;
  if (state_ == PipelineState::kRunning || state_ == PipelineState::kStalled)
    state_ = reason.empty() ? PipelineState::kRunning : PipelineState::kStalled;
  return !reason.empty();
}

void Pipeline::pump() {
  if (state_ != PipelineState::kRunning && state_ != PipelineState::kStalled) return;
  const bool overdue = drain_deadline_ != 0 && context_.clock->monotonic() >= drain_deadline_;
  Step last = Step::kIdle;
  const bool waits = blocked();
  for (const std::int64_t begin = context_.clock->monotonic(); !waits && !overdue;) {
    const Result<Step> done = step();
    if (!done) return fail_with(done.error());
    last = *done;
    if (events_.batch_done) events_.batch_done();
    if (last == Step::kIdle || context_.lock_step || context_.clock->monotonic() - begin > kTurnMicros) break;
  }
  if (last == Step::kWorked) wake_->send();
  if (context_.lock_step && !waits) commit();
  if (pending_bytes() > kCommitBytes || dead_letters_.size() > kCommitDeadLetters) commit();
  if (replays_.wants_commit()) commit();
  if (draining_ && (last == Step::kIdle || overdue)) commit();
  if (context_.clock->monotonic() - published_at_ > 2 * kMicrosPerSecond / 10) publish();
}

Result<Pipeline::Step> Pipeline::step() {
  if (replays_.waiting()) return step_replay();
  return merge_ ? step_merged() : step_arrivals();
}

/// One after the other all pieces of what has been read.
Status Pipeline::take_pieces(std::size_t index, Batch first) {
  SourceReader& reader = *inputs_[index]->reader;
  for (std::optional<Batch> piece = std::move(first); piece; piece = reader.read_piece())
    if (piece->size > 0) LEAT_TRY(take_batch(index, *std::move(piece)));
  reader.processed(dead_letters_);
  return {};
}

Status Pipeline::take_batch(std::size_t index, Batch batch) {
  LEAT_ASSIGN(exec::Prepared prepared, dataflow_->prepare(index, std::move(batch)));
  show_rows(inputs_[index]->tap, prepared.batch);
  const std::size_t rows = prepared.batch.size;
  const std::size_t skipped = inputs_[index]->reader->take_skipped(rows);
  return dataflow_->push(index, slice(prepared.batch, skipped, rows - skipped));
}

Status Pipeline::finish_input(std::size_t index) {
  inputs_[index]->finished = true;
  const auto finished = [](const auto& input) { return input->finished; };
  const bool last = std::all_of(inputs_.begin(), inputs_.end(), finished);
  if (last && context_.replay) LEAT_TRY(finish_replay());
  if (!context_.replay || context_.replay->end == Replay::End::kFlush)
    LEAT_TRY(dataflow_->finish(index, context_.clock->wall()));
  if (last) begin_drain();
  return {};
}

/// False once a LIMIT has all its rows. Under `leat serve` an unbounded source is read on: others may ask
/// what it receives, and nobody waits for the end.
bool Pipeline::wants_more(std::size_t index) const {
  const bool may_end = plan_.scans[index]->bounded || context_.results != nullptr;
  return !may_end || dataflow_->wants_rows(index);
}

/// Nobody wants what it has left.
Status Pipeline::dismiss(std::size_t index) {
  inputs_[index]->reader->begin_stop();
  return finish_input(index);
}

/// The splits of the source are known to the dataflow before their rows are.
Status Pipeline::tell_splits(std::size_t index) {
  const auto changes = inputs_[index]->reader->take_split_changes();
  return changes ? dataflow_->change_splits(index, *changes, context_.clock->wall()) : Status();
}

Result<Pipeline::Step> Pipeline::step_arrivals() {
  Step step = Step::kIdle;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i]->finished) continue;
    if (!wants_more(i)) {
      LEAT_TRY(dismiss(i));
      continue;
    }
    LEAT_ASSIGN(std::optional<Batch> batch,
                inputs_[i]->reader->read(context_.batch_bytes, SourceReader::Extent::kPiece));
    LEAT_TRY(tell_splits(i));
    if (batch) {
      LEAT_TRY(take_pieces(i, *std::move(batch)));
      step = Step::kWorked;
    }
    if (inputs_[i]->reader->ended()) LEAT_TRY(finish_input(i));
  }
  return step;
}

/// Computes the columns of a message's rows and keeps them until their turn comes.
Status Pipeline::hold(std::size_t index, Batch batch) {
  Input& input = *inputs_[index];
  dead_target_ = &input.dead;
  auto prepared = dataflow_->prepare(index, std::move(batch));
  dead_target_ = &dead_letters_;
  if (!prepared) return tl::unexpected<Error>(std::move(prepared).error());
  show_rows(input.tap, prepared->batch);
  input.next = input.reader->take_skipped(prepared->batch.size);
  input.held = *std::move(prepared);
  if (input.next == input.held->batch.size) let_go(index);
  return {};
}

/// All rows of what the input held are through.
void Pipeline::let_go(std::size_t index) {
  Input& input = *inputs_[index];
  input.held.reset();
  input.next = 0;
  input.reader->processed(dead_letters_);
  std::move(input.dead.begin(), input.dead.end(), std::back_inserter(dead_letters_));
  input.dead.clear();
}

/// True when the input holds a row or has ended; false when it must be waited for. One message at a time: a
/// commit keeps how many of its rows are done.
Result<bool> Pipeline::fill(std::size_t index) {
  constexpr std::size_t kOneMessage = 1;
  Input& input = *inputs_[index];
  while (!input.finished && !input.held) {
    if (!wants_more(index)) {
      LEAT_TRY(dismiss(index));
      break;
    }
    LEAT_ASSIGN(std::optional<Batch> batch, input.reader->read(kOneMessage));
    LEAT_TRY(tell_splits(index));
    if (!batch && !input.reader->ended()) return false;
    if (batch) LEAT_TRY(hold(index, *std::move(batch)));
    if (!input.held && input.reader->ended()) LEAT_TRY(finish_input(index));
  }
  return true;
}

/// Rows [begin, end) of what the input holds.
Status Pipeline::push_run(std::size_t index, std::size_t begin, std::size_t end) {
  exec::Prepared& held = *inputs_[index]->held;
  const auto push = [&](std::size_t from, std::size_t to) {
    Batch run = slice(held.batch, from, to - from);
    if (context_.replay) dataflow_->restamp(index, run);
    return dataflow_->push(index, std::move(run));
  };
  if (!context_.replay) return push(begin, end);
  return event_clock_.replay(held.rowtimes, begin, end, held.batch.intake_times, push,
                             [this](std::int64_t now) { return replay_to(now); });
}

/// The replay's clock goes on: no source has anything but the row that comes at this moment.
Status Pipeline::replay_to(std::int64_t moment) {
  const std::vector<exec::SourceStatus> quiet(inputs_.size(), {.quiet = true, .drained = true});
  return dataflow_->tick(moment, moment, quiet);
}

/// The last row is through.
Status Pipeline::finish_replay() {
  if (!context_.replay->until) return {};
  return event_clock_.pass_to(*context_.replay->until, [this](std::int64_t now) { return replay_to(now); });
}

/// Bounded inputs are merged by row time, then by their order in the file: pushes the longest run of rows
/// that come before every other input's next row.
Result<Pipeline::Step> Pipeline::step_merged() {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    LEAT_ASSIGN(const bool ready, fill(i));
    if (!ready) return Step::kIdle;
  }
  const auto time_of = [](const Input& input, std::size_t row) {
    return input.held->rowtimes.empty() ? kNoTime : input.held->rowtimes[row];
  };
  constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  std::pair<std::int64_t, std::size_t> first{0, kNone};
  std::pair<std::int64_t, std::size_t> second{0, kNone};
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (!inputs_[i]->held) continue;
    const std::pair<std::int64_t, std::size_t> head{time_of(*inputs_[i], inputs_[i]->next), i};
    if (first.second == kNone || head < first)
      second = std::exchange(first, head);
    else if (second.second == kNone || head < second)
      second = head;
  }
  if (first.second == kNone) return Step::kIdle;
  Input& input = *inputs_[first.second];
  const std::size_t size = input.held->batch.size;
  std::size_t end = input.next + 1;
  while (end < size && (second.second == kNone || std::pair{time_of(input, end), first.second} < second))
    ++end;
  LEAT_TRY(push_run(first.second, input.next, end));
  input.next = end;
  if (end < size) return Step::kWorked;
  let_go(first.second);
  if (input.reader->ended()) LEAT_TRY(finish_input(first.second));
  return Step::kWorked;
}

void Pipeline::tick() {
  if (state_ == PipelineState::kFailed || state_ == PipelineState::kPaused) {
    tell_of_deliveries();
    return publish();
  }
  std::vector<exec::SourceStatus> sources;
  for (auto& input : inputs_) {
    // A pipeline that waits for its outbox or the store is not idle, and the time it waits does not count.
    const bool running = state_ == PipelineState::kRunning && !input->held;
    sources.push_back({.quiet = running && input->reader->quiet(),
                       .drained = running && (input->finished || input->reader->drained())});
  }
  tell_news();
  tick_taps();
  if (!draining_) {
    const Status ticked = dataflow_->tick(context_.clock->wall(), context_.clock->monotonic(), sources);
    if (!ticked) return fail_with(ticked.error());
  }
  pump();
}

void Pipeline::tell_news() {
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    for (const News& news : inputs_[i]->link_log.look(inputs_[i]->reader->health()))
      log_news(name_, plan_.scans[i]->table, news);
  const std::int64_t waits = in_flight_ ? context_.clock->monotonic() - commit_started_ : 0;
  const bool slow = waits >= kSlowCommitMicros && !in_flight_failed_;
  if (std::exchange(told_slow_, slow) != slow && slow)
    log::warn("the disk is slow: a commit is not taken yet",
              {{"pipeline", name_.value}, {"seconds", std::to_string(waits / kMicrosPerSecond)}});
  tell_of_deliveries();
}

void Pipeline::tell_of_deliveries() {
  for (auto& target : targets_) {
    if (!target->delivery) continue;
    const DeliveryStatus status = target->delivery->status();
    auto news = target->delivery_log.look(status);
    if (!news) continue;
    const auto level = context_.store->outbox_level(name_, TableName{target->node->table});
    if (!news->detail.empty()) news->detail += "; ";
    news->detail += describe_backlog(status, level, target->delivery->options(), context_.clock->wall());
    log_news(name_, target->node->table, *news);
  }
}

}  // namespace leat::runtime
