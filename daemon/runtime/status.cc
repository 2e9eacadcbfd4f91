#include "daemon/runtime/status.h"

#include <fmt/format.h>

#include "daemon/runtime/delivery_report.h"

namespace leat::runtime {
namespace {

void check_source(const SourceStatus& source, std::vector<std::string>& violations) {
  const SourceCounters& c = source.counters;
  const std::uint64_t sum = c.decoded + c.empty + c.dead + c.redelivered + c.dropped + c.queued;
  if (c.received == sum) return;
  violations.push_back(fmt::format(
      "source {}: received {} ≠ decoded {} + empty {} + dead {} + redelivered {} + dropped {} + queued {}",
      source.table.value, c.received, c.decoded, c.empty, c.dead, c.redelivered, c.dropped, c.queued));
}

void check_operator(const PipelineStatus& status, std::size_t index, std::vector<std::string>& violations) {
  const auto& info = status.operators[index];
  const exec::OperatorCounters& c = info.counters;
  if (c.rows_in != c.passed + c.filtered + c.late + c.dead + c.applied)
    violations.push_back(
        fmt::format("{}: rows in {} ≠ passed {} + filtered {} + late {} + dead {} + applied {}", info.name,
                    c.rows_in, c.passed, c.filtered, c.late, c.dead, c.applied));
  if (info.inputs.empty()) return;
  std::uint64_t given = 0;
  for (const std::size_t input : info.inputs) given += status.operators[input].counters.rows_out;
  if (given != c.rows_in)
    violations.push_back(fmt::format("{}: its inputs gave {} rows, it took {}", info.name, given, c.rows_in));
}

}  // namespace

std::string_view to_string(PipelineState state) {
  switch (state) {
    case PipelineState::kStarting:
      return "starting";
    case PipelineState::kRunning:
      return "running";
    case PipelineState::kStalled:
      return "stalled";
    case PipelineState::kFinished:
      return "finished";
    case PipelineState::kFailed:
      return "failed";
    case PipelineState::kPaused:
      return "paused";
    case PipelineState::kStopped:
      return "stopped";
  }
  return "unknown";
}

bool is_up(PipelineState state) {
  return state == PipelineState::kStarting || state == PipelineState::kRunning ||
         state == PipelineState::kStalled || state == PipelineState::kFinished;
}

std::vector<std::string> outages(const PipelineStatus& status, std::int64_t now) {
  using State = DeliveryStatus::State;
  std::vector<std::string> sentences;
  for (const SourceStatus& source : status.sources) {
    const bool out = source.health.is_out();
    if (!out && source.health.trouble.empty()) continue;
    sentences.push_back(fmt::format("source '{}' of pipeline '{}' is {}: {}", source.table.value,
                                    status.name.value, out ? to_string(source.health.link) : "read in part",
                                    out ? source.health.detail : source.health.trouble));
  }
  for (const SinkStatus& sink : status.sinks) {
    const bool refused = sink.delivery.state == State::kWaiting || sink.delivery.state == State::kPaused;
    if (!refused && !sink.delivery.trouble.empty())
      sentences.push_back(fmt::format("sink '{}' of pipeline '{}' is in trouble: {}", sink.table.value,
                                      status.name.value, sink.delivery.trouble));
    if (!sink.outbox || !refused) continue;
    sentences.push_back(fmt::format("sink '{}' of pipeline '{}' is {}: {}; {}", sink.table.value,
                                    status.name.value, to_string(sink.delivery.state),
                                    reason_of(sink.delivery, sink.options),
                                    describe_backlog(sink.delivery, sink.waiting, sink.options, now)));
  }
  return sentences;
}

std::vector<std::string> disk_troubles(const PipelineStatus& status) {
  std::vector<std::string> sentences;
  for (const SourceStatus& source : status.sources)
    if (!source.health.disk.empty())
      sentences.push_back(fmt::format(
          "the disk refuses the journal of source '{}' of pipeline '{}', nothing is acknowledged: {}",
          source.table.value, status.name.value, source.health.disk));
  if (status.commit_waits_micros >= kSlowCommitMicros)
    sentences.push_back(fmt::format("the disk has not taken a commit of pipeline '{}' for {} s",
                                    status.name.value, status.commit_waits_micros / kMicrosPerSecond));
  return sentences;
}

std::vector<std::string> journal_damages(const PipelineStatus& status) {
  std::vector<std::string> sentences;
  for (const SourceStatus& source : status.sources)
    if (source.counters.lost > 0 || source.set_aside_files > 0)
      sentences.push_back(
          fmt::format("source '{}' of pipeline '{}' has lost {} messages that it had taken in, as far as is "
                      "known; damaged "
                      "parts of its journal are in {} files beside it",
                      source.table.value, status.name.value, source.counters.lost, source.set_aside_files));
  return sentences;
}

std::vector<std::string> accounting_violations(const PipelineStatus& status) {
  std::vector<std::string> violations;
  for (const SourceStatus& source : status.sources) check_source(source, violations);
  for (std::size_t i = 0; i < status.operators.size(); ++i) check_operator(status, i, violations);
  for (const SinkStatus& sink : status.sinks) {
    const SinkCounters& c = sink.counters;
    if (sink.written > c.emitted)
      violations.push_back(
          fmt::format("sink {}: written {} > emitted {}", sink.table.value, sink.written, c.emitted));
    if ((sink.outbox || sink.local_table || sink.stream) && c.rows != c.emitted + c.dead)
      violations.push_back(fmt::format("sink {}: rows {} ≠ emitted {} + dead {}", sink.table.value, c.rows,
                                       c.emitted, c.dead));
  }
  return violations;
}

}  // namespace leat::runtime
