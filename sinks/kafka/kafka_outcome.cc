#include "sinks/kafka/kafka_outcome.h"

#include <fmt/format.h>

#include <algorithm>

namespace leat::sinks {

namespace {

using clients::judge_kafka_error;
using clients::KafkaFault;

/// The first failure of this kind; null: none.
const FailedRecord* first_of(const std::vector<FailedRecord>& failed, KafkaFault fault) {
  const auto found = std::find_if(failed.begin(), failed.end(), [&](const FailedRecord& record) {
    return judge_kafka_error(record.code) == fault;
  });
  return found == failed.end() ? nullptr : &*found;
}

Delivery retry(const ProduceReport& report) {
  const FailedRecord* human = first_of(report.failed, KafkaFault::kHumanNeeded);
  const FailedRecord* transient = first_of(report.failed, KafkaFault::kTransient);
  const bool paused = human != nullptr || judge_kafka_error(report.event_code) == KafkaFault::kHumanNeeded;
  std::string reason = fmt::format("kafka: {}", clients::kafka_error_text((human ? human : transient)->code));
  if (!report.event_reason.empty()) reason += fmt::format(" ({})", report.event_reason);
  return Retry{std::move(reason), std::nullopt, paused};
}

Delivery rejected(const std::vector<FailedRecord>& failed) {
  Rejected outcome{fmt::format("kafka: {}", clients::kafka_error_text(failed.front().code)), {}};
  const auto by_broker = std::count_if(failed.begin(), failed.end(),
                                       [](const FailedRecord& record) { return !record.found_locally; });
  if (by_broker > 1) return outcome;
  for (const FailedRecord& record : failed) outcome.records.push_back(record.index);
  return outcome;
}

}  // namespace

Delivery outcome_of(const ProduceReport& report) {
  if (report.failed.empty()) return Delivered{};
  const bool all_refused = std::all_of(
      report.failed.begin(), report.failed.end(),
      [](const FailedRecord& record) { return judge_kafka_error(record.code) == KafkaFault::kRecord; });
  return all_refused ? rejected(report.failed) : retry(report);
}

}  // namespace leat::sinks
