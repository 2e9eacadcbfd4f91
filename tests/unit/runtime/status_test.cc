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
