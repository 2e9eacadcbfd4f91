#include "pipelines/plan/common_options.h"

#include "pipelines/plan/catalog.h"

namespace leat::plan {

const OptionTable<WatermarkOptions>& watermark_options() {
  using O = WatermarkOptions;
  static const OptionTable<O> table{
      option("scan.watermark.idle-timeout", &O::idle_timeout, Necessity::kOptional,
             "A source without rows for so long is idle: the other sources' watermarks go on without it, and "
             "when all are idle time passes by the clock. Default: 'table.exec.source.idle-timeout'."),
      option("scan.watermark.partition-by", &O::partition_by, Necessity::kOptional,
             "A column of the table: each of its values has a watermark of its own, and the least of the "
             "active ones counts. Needs an idle time-out."),
      option("scan.watermark.max-ahead", &O::max_ahead, Necessity::kOptional,
             "A row whose time is further ahead of the gateway's clock than that becomes a dead letter and "
             "does not move the watermark."),
  };
  return table;
}

const OptionTable<DeliveryOptions>& delivery_options() {
  using O = DeliveryOptions;
  static const OptionTable<O> table{
      option("sink.buffer.max-bytes", &O::buffer_max_bytes, Necessity::kOptional,
             "How many bytes of results that are not delivered yet the outbox keeps for this sink."),
      option("sink.buffer.max-age", &O::buffer_max_age, Necessity::kOptional,
             "Results that could not be delivered for so long are dropped and counted. Default: never."),
      choice<O, OnFull>("sink.buffer.on-full", &O::on_full,
                        {{"block", OnFull::kBlock},
                         {"drop-oldest", OnFull::kDropOldest},
                         {"drop-newest", OnFull::kDropNewest}},
                        Necessity::kOptional,
                        "What happens when the buffer is full: the pipeline waits, or results are dropped "
                        "and counted."),
      option("sink.retry.initial-backoff", &O::retry_initial_backoff, Necessity::kOptional,
             "How long delivery waits before its second attempt; it doubles from attempt to attempt, with "
             "jitter."),
      option("sink.retry.max-backoff", &O::retry_max_backoff, Necessity::kOptional,
             "The longest wait between two attempts."),
  };
  return table;
}

std::vector<OptionDoc> common_source_options() {
  return watermark_options().docs();
}
std::vector<OptionDoc> common_sink_options() {
  return delivery_options().docs();
}

}  // namespace leat::plan
