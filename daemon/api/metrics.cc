// Prometheus metrics, made from the same snapshots as the rest of the API: the equations of the accounting
// hold in them.
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <unordered_map>

#include "daemon/api/counters.h"
#include "daemon/api/routes.h"
#include "daemon/runtime/status.h"
#include "daemon/store/health.h"

namespace leat::api {
namespace {

constexpr double kMicros = 1e6;
constexpr double kMillis = 1e3;

using Labels = std::vector<prometheus::ClientMetric::Label>;

/// Families in the order in which they are first named.
class Families {
 public:
  void counter(const std::string& name, const std::string& help, Labels labels, std::uint64_t value) {
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    metric.counter.value = static_cast<double>(value);
    family(name, help, prometheus::MetricType::Counter).metric.push_back(std::move(metric));
  }
  void gauge(const std::string& name, const std::string& help, Labels labels, double value) {
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    metric.gauge.value = value;
    family(name, help, prometheus::MetricType::Gauge).metric.push_back(std::move(metric));
  }
  /// `rounds`, `bounds` and the sum of a histogram without labels of its own.
  void stalls(const std::string& name, const std::string& help, Labels labels, const loop::Stalls& stalls) {
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    for (std::size_t i = 0; i < stalls.rounds.size(); ++i) {
      metric.histogram.sample_count += stalls.rounds[i];
      if (i < loop::Stalls::kBounds.size())
        metric.histogram.bucket.push_back(
            {metric.histogram.sample_count, loop::Stalls::kBounds[i] / kMillis});
    }
    metric.histogram.bucket.push_back(
        {metric.histogram.sample_count, std::numeric_limits<double>::infinity()});
    metric.histogram.sample_sum = static_cast<double>(stalls.busy.count()) / kMicros;
    family(name, help, prometheus::MetricType::Histogram).metric.push_back(std::move(metric));
  }
  /// Every second bucket, to keep the page small.
  void latency(const std::string& name, const std::string& help, Labels labels,
               const exec::Latency& latency) {
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i + 1 < exec::Latency::kBuckets; ++i) {
      sum += latency.buckets()[i];
      if (i % 2 == 0)
        metric.histogram.bucket.push_back({sum, static_cast<double>(std::uint64_t{1} << i) / kMicros});
    }
    metric.histogram.sample_count = latency.count();
    metric.histogram.bucket.push_back({latency.count(), std::numeric_limits<double>::infinity()});
    metric.histogram.sample_sum = latency.sum_seconds();
    family(name, help, prometheus::MetricType::Histogram).metric.push_back(std::move(metric));
  }
  [[nodiscard]] std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  prometheus::MetricFamily& family(const std::string& name, const std::string& help,
                                   prometheus::MetricType type) {
    const auto [known, fresh] = index_.try_emplace(name, families_.size());
    if (fresh) families_.push_back({name, help, type, {}});
    return families_[known->second];
  }

  std::vector<prometheus::MetricFamily> families_;
  std::unordered_map<std::string, std::size_t> index_;
};

Labels with(Labels labels, const std::string& name, const std::string& value) {
  labels.push_back({name, value});
  return labels;
}

void add_source(Families& families, const Labels& pipeline, const runtime::SourceStatus& source) {
  const Labels labels = with(pipeline, "source", source.table.value);
  const runtime::SourceCounters& c = source.counters;
  families.counter("leat_source_received_total", "Messages received.", labels, c.received);
  families.counter("leat_source_decoded_total", "Messages decoded.", labels, c.decoded);
  families.counter("leat_source_empty_total", "Empty messages.", labels, c.empty);
  families.counter("leat_source_dead_total", "Messages that could not be decoded.", labels, c.dead);
  families.counter("leat_source_redelivered_total",
                   "Messages skipped because they were there already: what a broker or a sender sent again.",
                   labels, c.redelivered);
  families.counter("leat_source_dropped_total",
                   "Messages at QoS 0 dropped because the intake was full, those that a broker has deleted, "
                   "and those lost.",
                   labels, c.dropped);
  families.counter("leat_source_lost_total",
                   "Messages dropped because they had come in and cannot be read any more.", labels, c.lost);
  families.gauge("leat_source_journal_set_aside_files", "Damaged parts of the source's journal beside it.",
                 labels, static_cast<double>(source.set_aside_files));
  families.counter("leat_source_rows_total", "Rows decoded.", labels, c.rows);
  families.counter("leat_source_received_bytes_total", "Payload bytes received.", labels, c.received_bytes);
  families.gauge("leat_source_queued", "Messages that wait in the intake.", labels,
                 static_cast<double>(c.queued));
  families.gauge("leat_source_intake_bytes", "Bytes in the intake that are not committed yet.", labels,
                 static_cast<double>(source.intake_bytes));
  families.gauge("leat_source_disk_refuses", "1 while the disk refuses the source's journal.", labels,
                 source.health.disk.empty() ? 0 : 1);
  families.counter("leat_source_connects_total", "Connections that came about.", labels,
                   source.health.connects);
  families.counter("leat_source_losses_total", "Connections that broke.", labels, source.health.losses);
  families.counter("leat_source_sessions_lost_total",
                   "Connections at which the broker had forgotten the session that it was to keep.", labels,
                   source.health.sessions_lost);
  families.counter("leat_source_refused_total",
                   "Requests and connections that a source which listens has turned away.", labels,
                   source.health.refused);
  families.counter("leat_source_missed_total",
                   "Polls of a source that polls which gave no row, or not all of it.", labels,
                   source.health.missed);
  const bool connected = source.health.link == sources::SourceHealth::Link::kConnected;
  families.gauge("leat_source_connected", "1 while the source is connected.", labels, connected ? 1 : 0);
}

void add_operator(Families& families, const Labels& pipeline, const exec::Dataflow::OperatorInfo& info) {
  const Labels labels = with(pipeline, "operator", info.name);
  const exec::OperatorCounters& c = info.counters;
  families.counter("leat_operator_rows_in_total", "Rows taken.", labels, c.rows_in);
  families.counter("leat_operator_rows_passed_total", "Rows handed on.", labels, c.passed);
  families.counter("leat_operator_rows_filtered_total", "Rows refused by a predicate.", labels, c.filtered);
  families.counter("leat_operator_rows_late_total", "Rows behind the watermark.", labels, c.late);
  families.counter("leat_operator_rows_dead_total", "Rows that could not be computed.", labels, c.dead);
  families.counter("leat_operator_rows_applied_total", "Rows that reached a window, a state or a sink.",
                   labels, c.applied);
  families.counter("leat_operator_rows_out_total", "Rows given out.", labels, c.rows_out);
  families.counter("leat_operator_given_up_total",
                   "Partial matches given up for 'leat.match.max-partial-matches'.", labels, c.given_up);
  families.gauge("leat_operator_memory_bytes", "Bytes of state.", labels,
                 static_cast<double>(info.memory_bytes));
  families.gauge("leat_operator_keys", "Keys of state.", labels, static_cast<double>(info.keys));
  families.latency("leat_operator_batch_seconds",
                   "How long the operator took for a batch or a new watermark, without those behind it.",
                   labels, info.latency);
}

void add_delivery(Families& families, const Labels& labels, const runtime::SinkStatus& sink) {
  using State = runtime::DeliveryStatus::State;
  const runtime::DeliveryStatus& delivery = sink.delivery;
  families.counter("leat_delivery_attempts_total", "Attempts to deliver since the start.", labels,
                   delivery.attempts);
  families.counter("leat_delivery_retries_total", "Attempts that ended in another try.", labels,
                   delivery.retries);
  families.counter("leat_delivery_refusals_total", "Attempts that ended in a refusal.", labels,
                   delivery.refusals);
  for (const State state : {State::kIdle, State::kDelivering, State::kWaiting, State::kPaused,
                            State::kThrottled, State::kOffSchedule, State::kStopped})
    families.gauge("leat_delivery_state", "1 for the state that delivery is in.",
                   with(labels, "state", std::string(to_string(state))), delivery.state == state ? 1 : 0);
  families.gauge("leat_delivery_last_success_seconds", "Last delivery, in seconds since 1970; 0: none yet.",
                 labels, static_cast<double>(delivery.last_success) / kMicros);
  families.gauge("leat_delivery_next_try_seconds", "When it is tried again, in seconds since 1970; 0: now.",
                 labels, waits(delivery.state) ? static_cast<double>(delivery.waiting_until) / kMicros : 0);
  families.gauge("leat_delivery_rows_per_second", "Records delivered, over the last minute.", labels,
                 sink.rate.rows);
  families.gauge("leat_delivery_bytes_per_second", "Bytes delivered, over the last minute.", labels,
                 sink.rate.bytes);
  families.gauge("leat_outbox_max_bytes", "Bytes at which the outbox is full.", labels,
                 static_cast<double>(sink.options.buffer_max_bytes.bytes));
  families.gauge("leat_sink_held", "1 while the sink waits for somebody to speak.", labels,
                 delivery.hold == runtime::DeliveryStatus::Hold::kNone ? 0 : 1);
  families.counter("leat_sink_resent_shipments_total", "Undecided shipments that were sent again.", labels,
                   delivery.resent);
  families.counter("leat_sink_skipped_shipments_total", "Undecided shipments that were taken as delivered.",
                   labels, delivery.skipped);
}

void add_sink(Families& families, const Labels& labels, const runtime::SinkStatus& sink) {
  families.counter("leat_sink_rows_total", "Rows that reached the sink.", labels, sink.counters.rows);
  if (sink.outbox) add_delivery(families, labels, sink);
  if (!sink.local_table) return;
  families.counter("leat_table_emitted_total", "Changes for the local table.", labels, sink.counters.emitted);
  families.counter("leat_table_written_total", "Changes that are in the local table.", labels, sink.written);
  families.gauge("leat_table_waiting", "Changes that wait for a commit.", labels,
                 static_cast<double>(sink.counters.emitted - sink.written));
}

void add_pipeline(Families& families, const Labels& gateway, const runtime::PipelineStatus& status) {
  const Labels labels = with(gateway, "pipeline", status.name.value);
  families.gauge(
      "leat_pipeline_up", "1 while the pipeline runs or has finished.", labels,
      status.state == runtime::PipelineState::kRunning || status.state == runtime::PipelineState::kFinished);
  families.gauge("leat_pipeline_paused", "1 while it is paused, as somebody wanted.", labels,
                 status.state == runtime::PipelineState::kPaused);
  families.gauge("leat_pipeline_text_refused", "1 while a new text of it is refused: it runs the former one.",
                 labels, status.refused.empty() ? 0 : 1);
  families.counter("leat_pipeline_commits_total", "Commits.", labels, status.last_commit.value);
  families.counter("leat_pipeline_restarts_total", "Restarts after a failure.", labels, status.restarts);
  families.counter("leat_pipeline_dead_letters_total", "Dead letters written.", labels, status.dead_letters);
  families.gauge("leat_pipeline_last_commit_seconds", "How long the store took for the last commit.", labels,
                 static_cast<double>(status.last_commit_micros) / kMicros);
  families.gauge("leat_pipeline_commit_waits_seconds",
                 "How long the store has been at the commit under way; 0: none is.", labels,
                 static_cast<double>(status.commit_waits_micros) / kMicros);
  if (status.watermark != kMinWatermark && status.watermark != kMaxWatermark)
    families.gauge("leat_pipeline_watermark_seconds", "The watermark, in seconds since 1970.", labels,
                   static_cast<double>(status.watermark) / kMicros);
  for (const auto& source : status.sources) add_source(families, labels, source);
  for (const auto& info : status.operators) add_operator(families, labels, info);
  for (const auto& sink : status.sinks) add_sink(families, with(labels, "sink", sink.table.value), sink);
}

void add_outbox(Families& families, const Labels& gateway, const store::OutboxStatus& outbox) {
  const Labels labels = with(with(gateway, "pipeline", outbox.pipeline.value), "sink", outbox.sink.value);
  families.counter("leat_outbox_emitted_total", "Records put into the outbox.", labels, outbox.emitted);
  families.counter("leat_outbox_delivered_total", "Records delivered.", labels, outbox.delivered);
  families.counter("leat_outbox_rejected_total", "Records refused for good.", labels, outbox.rejected);
  families.counter("leat_outbox_dropped_total", "Records dropped, as a bound asks for.", labels,
                   outbox.dropped);
  const store::Dropped& by = outbox.dropped_by;
  for (const auto& [bound, records] :
       {std::pair("drop-oldest", by.oldest), std::pair("drop-newest", by.newest),
        std::pair("max-age", by.age), std::pair("store.max_bytes", by.file)})
    families.counter("leat_outbox_dropped_by_total", "Records dropped, by the bound that asked for it.",
                     with(labels, "by", bound), records);
  families.gauge("leat_outbox_waiting", "Records that wait.", labels, static_cast<double>(outbox.records));
  families.gauge("leat_outbox_bytes", "Bytes that wait.", labels, static_cast<double>(outbox.bytes));
  families.gauge("leat_outbox_blocks", "Blocks that wait.", labels, static_cast<double>(outbox.blocks));
  families.gauge("leat_outbox_oldest_seconds",
                 "Time of the oldest that waits, in seconds since 1970; 0: none.", labels,
                 static_cast<double>(outbox.oldest) / kMicros);
}

std::string store_text(const std::string& gateway_id, const store::StoreHealth& health) {
  Families families;
  const Labels gateway{{"gateway", gateway_id}};
  families.gauge("leat_store_well", "1 while the disk takes what the store writes, and its file is sound.",
                 gateway, health.problem.empty() && health.damage.empty() ? 1 : 0);
  families.gauge("leat_store_ballast", "0 while the disk is full and the room kept for that is in use.",
                 gateway, health.has_ballast ? 1 : 0);
  families.counter("leat_store_refused_total", "Requests that failed because of the disk.", gateway,
                   health.refused);
  families.gauge("leat_store_damaged_files", "Damaged databases set aside beside the store.", gateway,
                 static_cast<double>(health.damaged_files));
  families.gauge("leat_store_log_bytes",
                 "Size of the database's log; it grows while another process keeps reading the database.",
                 gateway, static_cast<double>(health.log_bytes));
  return families.text();
}

void add_clock(Families& families, const Labels& gateway, const loop::ClockStatus& clock) {
  using State = loop::ClockStatus::State;
  families.gauge("leat_clock_plausible", "0 while the system's clock has not been set since the start.",
                 gateway, clock.state == State::kImplausible ? 0 : 1);
  families.gauge("leat_clock_ahead_seconds",
                 "How far time has gone on without the system's clock, which was set back or stands still.",
                 gateway, static_cast<double>(clock.ahead.count()) / kMicros);
  families.counter("leat_clock_jumps_total", "Jumps of the system's clock by more than a second.",
                   with(gateway, "direction", "forward"), clock.jumps_forward);
  families.counter("leat_clock_jumps_total", "Jumps of the system's clock by more than a second.",
                   with(gateway, "direction", "back"), clock.jumps_back);
}

void add_dead_letters(Families& families, const Labels& gateway, const store::DeadLetterStatus& letters) {
  families.gauge("leat_dead_letters", "Dead letters that are there.", gateway,
                 static_cast<double>(letters.letters));
  families.gauge("leat_dead_letters_bytes", "Their bytes.", gateway, static_cast<double>(letters.bytes));
  families.counter("leat_dead_letters_written_total", "Dead letters ever written.", gateway, letters.written);
  families.counter("leat_dead_letters_pushed_out_total", "Dead letters lost to the bounds.", gateway,
                   letters.pushed_out);
  families.counter("leat_dead_letters_replayed_total", "Dead letters put back as fresh messages.", gateway,
                   letters.replayed);
  families.counter("leat_dead_letters_purged_total", "Dead letters thrown away.", gateway, letters.purged);
}

void add_stream(Families& families, const Labels& gateway, const store::StreamStatus& stream) {
  const Labels labels = with(gateway, "stream", stream.name);
  families.counter("leat_stream_rows_written_total", "Rows ever written into the stream.", labels,
                   stream.written);
  families.counter("leat_stream_rows_passed_total", "Rows that every reader has passed.", labels,
                   stream.passed);
  families.counter("leat_stream_rows_dropped_total", "Rows dropped by the stream's bounds.", labels,
                   stream.dropped);
  families.counter("leat_stream_rows_unread_total", "Rows that were written while nobody read the stream.",
                   labels, stream.unread);
  families.gauge("leat_stream_rows_waiting", "Rows that not every reader has passed.", labels,
                 static_cast<double>(stream.waiting));
  families.gauge("leat_stream_bytes_waiting", "Their bytes.", labels,
                 static_cast<double>(stream.waiting_bytes));
  families.gauge("leat_stream_readers", "Tables that read the stream.", labels,
                 static_cast<double>(stream.readers.size()));
}

void add_api(Families& families, const Labels& gateway, const Counters& api) {
  families.counter("leat_api_requests_total", "Requests to the API.", gateway, api.requests);
  families.gauge("leat_api_connections", "Connections to the API that are open.", gateway,
                 static_cast<double>(api.connections));
  for (std::size_t i = 0; i < kTurnedNames.size(); ++i)
    families.counter("leat_api_turned_away_total", "Requests and connections that the API has turned away.",
                     with(gateway, "why", std::string(kTurnedNames[i])), api.turned[i]);
}

}  // namespace

std::string metrics_text(const MetricsSource& source) {
  Families families;
  const Labels gateway{{"gateway", source.gateway_id}};
  for (const auto& status : source.pipelines) add_pipeline(families, gateway, status);
  for (const store::OutboxStatus& sink : source.outbox) add_outbox(families, gateway, sink);
  for (const store::StreamStatus& stream : source.streams) add_stream(families, gateway, stream);
  add_clock(families, gateway, source.clock);
  families.stalls("leat_loop_busy_seconds",
                  "How long the loop was busy before it looked at what had happened.", gateway,
                  source.stalls);
  families.gauge("leat_loop_longest_seconds", "The longest of these since the start.", gateway,
                 static_cast<double>(source.stalls.longest.count()) / kMicros);
  families.gauge("leat_configuration_refused",
                 "1 while the configuration that the last reload found is refused: what was in force stays.",
                 gateway, source.refused_configuration.empty() ? 0 : 1);
  if (source.dead_letters) add_dead_letters(families, gateway, *source.dead_letters);
  if (source.api != nullptr) add_api(families, gateway, *source.api);
  return families.text();
}

Response metrics(const ApiContext& context, const Request&) {
  MetricsSource source{.gateway_id = context.gateway_id,
                       .pipelines = context.host->statuses(),
                       .outbox = {},
                       .dead_letters = {},
                       .clock = context.clock->status()};
  source.api = context.counters;
  if (context.refused_configuration) source.refused_configuration = context.refused_configuration();
  if (context.stalls != nullptr) source.stalls = context.stalls->stalls();
  if (auto outbox = context.store->outbox_status()) source.outbox = *std::move(outbox);
  if (auto streams = context.store->streams().list()) source.streams = *std::move(streams);
  if (const auto letters = context.store->dead_letter_status()) source.dead_letters = *letters;
  return {200, metrics_text(source) + store_text(context.gateway_id, store::health_of(*context.store)),
          "text/plain; version=0.0.4; charset=utf-8"};
}

}  // namespace leat::api
