#include <doctest/doctest.h>

#include "daemon/api/counters.h"
#include "daemon/api/routes.h"

using namespace leat;
using namespace leat::api;

namespace {

runtime::PipelineStatus pipeline(const std::string& name) {
  runtime::PipelineStatus status;
  status.name = {name};
  status.state = runtime::PipelineState::kRunning;
  runtime::SourceStatus source;
  source.table = {"readings"};
  source.health.link = sources::SourceHealth::Link::kConnected;
  source.counters.received = 7;
  status.sources.push_back(source);
  return status;
}

std::string text(std::vector<runtime::PipelineStatus> pipelines,
                 std::vector<store::OutboxStatus> outbox = {}) {
  return metrics_text({"mill-1", std::move(pipelines), std::move(outbox), {}});
}

bool has(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("a counter carries gateway, pipeline and source") {
  const std::string metrics = text({pipeline("line3")});
  CHECK(has(metrics, "# TYPE leat_source_received_total counter"));
  CHECK(has(metrics, R"(leat_source_received_total{gateway="mill-1",pipeline="line3",source="readings"} 7)"));
  CHECK(has(metrics, R"(leat_source_connected{gateway="mill-1",pipeline="line3",source="readings"} 1)"));
}

TEST_CASE("how long operators take is a histogram of seconds") {
  runtime::PipelineStatus status = pipeline("line3");
  exec::Dataflow::OperatorInfo info;
  info.name = "scan readings";
  for (const std::int64_t nanos : {500, 3'000, 3'000, 90'000'000}) info.latency.add(nanos);
  status.operators.push_back(info);
  const std::string metrics = text({status});
  const std::string labels = R"({gateway="mill-1",pipeline="line3",operator="scan readings")";
  CHECK(has(metrics, "leat_operator_batch_seconds_bucket" + labels + R"(,le="1e-06"} 1)"));
  CHECK(has(metrics, "leat_operator_batch_seconds_bucket" + labels + R"(,le="4e-06"} 3)"));
  CHECK(has(metrics, "leat_operator_batch_seconds_bucket" + labels + R"(,le="+Inf"} 4)"));
  CHECK(has(metrics, "leat_operator_batch_seconds_count" + labels + "} 4"));
}

TEST_CASE("a metric is described once, however many pipelines have it") {
  const std::string metrics = text({pipeline("a"), pipeline("b")});
  CHECK(count(metrics, "# TYPE leat_source_received_total ") == 1);
  CHECK(count(metrics, "leat_source_received_total{") == 2);
}

TEST_CASE("a pipeline that has failed is down, one that is through is not") {
  runtime::PipelineStatus failed = pipeline("a");
  failed.state = runtime::PipelineState::kFailed;
  runtime::PipelineStatus finished = pipeline("b");
  finished.state = runtime::PipelineState::kFinished;
  const std::string metrics = text({failed, finished});
  CHECK(has(metrics, R"(leat_pipeline_up{gateway="mill-1",pipeline="a"} 0)"));
  CHECK(has(metrics, R"(leat_pipeline_up{gateway="mill-1",pipeline="b"} 1)"));
}

TEST_CASE("a watermark that is not there yet is no metric") {
  runtime::PipelineStatus status = pipeline("a");
  CHECK(text({status}).find("watermark") == std::string::npos);
  status.watermark = 1'500'000;
  CHECK(has(text({status}), R"(leat_pipeline_watermark_seconds{gateway="mill-1",pipeline="a"} 1.5)"));
}

TEST_CASE("the outbox is counted per sink") {
  store::OutboxStatus sink;
  sink.pipeline = {"a"};
  sink.sink = {"windows"};
  sink.emitted = 5;
  sink.records = 2;
  const std::string metrics = text({}, {sink});
  CHECK(has(metrics, R"(leat_outbox_emitted_total{gateway="mill-1",pipeline="a",sink="windows"} 5)"));
  CHECK(has(metrics, R"(leat_outbox_waiting{gateway="mill-1",pipeline="a",sink="windows"} 2)"));
}

TEST_CASE("drops are counted by the bound that asked for them") {
  store::OutboxStatus sink;
  sink.pipeline = {"a"};
  sink.sink = {"windows"};
  sink.dropped = 6;
  sink.dropped_by = {.oldest = 1, .newest = 0, .age = 2, .file = 3};
  const std::string metrics = text({}, {sink});
  const std::string labels =
      R"(leat_outbox_dropped_by_total{gateway="mill-1",pipeline="a",sink="windows",by=)";
  CHECK(has(metrics, labels + R"("drop-oldest"} 1)"));
  CHECK(has(metrics, labels + R"("drop-newest"} 0)"));
  CHECK(has(metrics, labels + R"("max-age"} 2)"));
  CHECK(has(metrics, labels + R"("store.max_bytes"} 3)"));
}

TEST_CASE("a sink's delivery shows its state, and when it tries next while it waits") {
  runtime::PipelineStatus status = pipeline("a");
  runtime::SinkStatus sink;
  sink.table = {"windows"};
  sink.outbox = true;
  sink.delivery.state = runtime::DeliveryStatus::State::kPaused;
  sink.delivery.waiting_until = 2'500'000;
  sink.delivery.retries = 4;
  status.sinks.push_back(sink);
  const std::string metrics = text({status});
  const std::string labels = R"({gateway="mill-1",pipeline="a",sink="windows")";
  CHECK(has(metrics, "leat_delivery_state" + labels + R"(,state="paused"} 1)"));
  CHECK(has(metrics, "leat_delivery_state" + labels + R"(,state="idle"} 0)"));
  CHECK(has(metrics, "leat_delivery_retries_total" + labels + "} 4"));
  CHECK(has(metrics, "leat_delivery_next_try_seconds" + labels + "} 2.5"));
}

TEST_CASE("dead letters show where they have gone") {
  const std::string metrics = metrics_text({"mill-1", {}, {}, store::DeadLetterStatus{3, 500, 10, 4, 2, 1}});
  CHECK(has(metrics, R"(leat_dead_letters{gateway="mill-1"} 3)"));
  CHECK(has(metrics, R"(leat_dead_letters_written_total{gateway="mill-1"} 10)"));
  CHECK(has(metrics, R"(leat_dead_letters_pushed_out_total{gateway="mill-1"} 4)"));
  CHECK(has(metrics, R"(leat_dead_letters_replayed_total{gateway="mill-1"} 2)"));
  CHECK(has(metrics, R"(leat_dead_letters_purged_total{gateway="mill-1"} 1)"));
}

TEST_CASE("the clock shows what is thought of it") {
  loop::ClockStatus clock;
  clock.state = loop::ClockStatus::State::kHeld;
  clock.ahead = Micros(kMicrosPerDay);
  clock.jumps_back = 1;
  MetricsSource source{.gateway_id = "mill-1"};
  source.clock = clock;
  const std::string metrics = metrics_text(source);
  CHECK(has(metrics, R"(leat_clock_plausible{gateway="mill-1"} 1)"));
  CHECK(has(metrics, R"(leat_clock_ahead_seconds{gateway="mill-1"} 86400)"));
  CHECK(has(metrics, R"(leat_clock_jumps_total{gateway="mill-1",direction="back"} 1)"));
}

TEST_CASE("the loop's rounds are a histogram whose buckets add up") {
  MetricsSource source{.gateway_id = "mill-1"};
  source.stalls.rounds = {5, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1};
  source.stalls.busy = Micros(2'500'000);
  source.stalls.longest = Micros(2'000'000);
  const std::string metrics = metrics_text(source);
  CHECK(has(metrics, R"(leat_loop_busy_seconds_bucket{gateway="mill-1",le="0.001"} 5)"));
  CHECK(has(metrics, R"(leat_loop_busy_seconds_bucket{gateway="mill-1",le="0.005"} 7)"));
  CHECK(has(metrics, R"(leat_loop_busy_seconds_bucket{gateway="mill-1",le="+Inf"} 8)"));
  CHECK(has(metrics, R"(leat_loop_busy_seconds_sum{gateway="mill-1"} 2.5)"));
  CHECK(has(metrics, R"(leat_loop_longest_seconds{gateway="mill-1"} 2)"));
}

TEST_CASE("the API counts its requests, and whom it has turned away") {
  Counters counters;
  counters.requests = 7;
  counters.turn(Turned::kToken);
  MetricsSource source{.gateway_id = "mill-1"};
  source.api = &counters;
  const std::string metrics = metrics_text(source);
  CHECK(has(metrics, R"(leat_api_requests_total{gateway="mill-1"} 7)"));
  CHECK(has(metrics, R"(leat_api_turned_away_total{gateway="mill-1",why="token"} 1)"));
  CHECK(has(metrics, R"(leat_api_turned_away_total{gateway="mill-1",why="slow"} 0)"));
}
