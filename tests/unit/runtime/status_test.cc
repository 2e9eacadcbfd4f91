#include "daemon/runtime/status.h"

#include <doctest/doctest.h>

using namespace leat;
using namespace leat::runtime;

namespace {

/// A source of ten messages, a filter that refuses four rows, a sink that takes six.
PipelineStatus balanced() {
  PipelineStatus status;
  SourceStatus source;
  source.table = TableName{"readings"};
  source.counters = {
      .received = 15, .decoded = 10, .empty = 1, .dead = 1, .redelivered = 1, .dropped = 1, .queued = 1};
  status.sources.push_back(source);
  exec::Dataflow::OperatorInfo filter;
  filter.name = "filter 1";
  filter.counters = {.rows_in = 10, .passed = 6, .filtered = 4, .rows_out = 6};
  exec::Dataflow::OperatorInfo end;
  end.name = "sink out";
  end.inputs = {0};
  end.counters = {.rows_in = 6, .applied = 6};
  status.operators = {filter, end};
  SinkStatus sink;
  sink.table = TableName{"out"};
  sink.outbox = true;
  sink.counters = {.rows = 6, .dead = 1, .emitted = 5};
  status.sinks.push_back(sink);
  return status;
}

}  // namespace

TEST_CASE("a pipeline whose equations hold has no violations") {
  CHECK(accounting_violations(balanced()).empty());
}

TEST_CASE("what the disk refuses or is slow with is told with names and numbers") {
  PipelineStatus status = balanced();
  status.name = PipelineName{"fleet"};
  status.commit_waits_micros = kSlowCommitMicros - 1;
  CHECK(disk_troubles(status).empty());
  status.commit_waits_micros = 12'500'000;
  status.sources[0].health.disk = "readings.journal: write: Input/output error";
  CHECK(disk_troubles(status) ==
        std::vector<std::string>{
            "the disk refuses the journal of source 'readings' of pipeline 'fleet', nothing is acknowledged: "
            "readings.journal: write: Input/output error",
            "the disk has not taken a commit of pipeline 'fleet' for 12 s"});
}

TEST_CASE("a message that vanished is told with all its numbers") {
  PipelineStatus status = balanced();
  status.sources[0].counters.decoded = 9;
  REQUIRE(accounting_violations(status).size() == 1);
  CHECK(accounting_violations(status)[0].find("source readings: received 15") == 0);
}

TEST_CASE("rows lost inside an operator, between two, or before the outbox are each found") {
  PipelineStatus inside = balanced();
  inside.operators[0].counters.filtered = 3;
  CHECK(accounting_violations(inside).size() == 1);
  PipelineStatus between = balanced();
  between.operators[0].counters.rows_out = 7;
  CHECK(accounting_violations(between).size() == 1);
  PipelineStatus before = balanced();
  before.sinks[0].counters.emitted = 4;
  CHECK(accounting_violations(before).size() == 1);
}

TEST_CASE("an outage is one sentence: who, why, what waits since when, the next try, and the policy") {
  PipelineStatus status = balanced();
  status.name = PipelineName{"mill"};
  SinkStatus& sink = status.sinks[0];
  sink.delivery.state = DeliveryStatus::State::kWaiting;
  sink.delivery.last_error = "HTTP 503";
  sink.delivery.waiting_until = 7 * kMicrosPerSecond;
  sink.waiting = {.blocks = 2, .records = 12, .bytes = 3'400, .oldest = 1};
  CHECK(
      outages(status, 3 * kMicrosPerHour) ==
      std::vector<std::string>{
          "sink 'out' of pipeline 'mill' is waiting: HTTP 503; 12 records (3400 bytes) wait, the oldest for "
          "2 h; next try 1970-01-01T00:00:07Z; full at 256 mb: block"});
}

TEST_CASE("trouble that a sink's check has found is an outage, though nothing waits") {
  PipelineStatus status = balanced();
  status.name = PipelineName{"mill"};
  status.sinks[0].delivery.trouble = "the birth was not taken: not authorized";
  CHECK(outages(status, 0) ==
        std::vector<std::string>{
            "sink 'out' of pipeline 'mill' is in trouble: the birth was not taken: not authorized"});
}

TEST_CASE("a sink that waits for its rate or its hours is no outage") {
  PipelineStatus status = balanced();
  for (const auto state : {DeliveryStatus::State::kIdle, DeliveryStatus::State::kThrottled,
                           DeliveryStatus::State::kOffSchedule}) {
    status.sinks[0].delivery.state = state;
    CHECK(outages(status, 0).empty());
  }
}

TEST_CASE("the rate is that of the last minute") {
  Throughput throughput;
  for (int second = 0; second < 100; ++second) throughput.add(10, 1'000, second * kMicrosPerSecond);
  CHECK(throughput.at(100 * kMicrosPerSecond).rows == doctest::Approx(10.0));
  CHECK(throughput.at(100 * kMicrosPerSecond).bytes == doctest::Approx(1'000.0));
  CHECK(throughput.at(200 * kMicrosPerSecond).rows == 0);
}
