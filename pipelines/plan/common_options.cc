#include "pipelines/plan/common_options.h"

#include <absl/time/time.h>

#include "pipelines/base/week.h"
#include "pipelines/plan/catalog.h"

namespace leat::plan {
namespace {

using Part = OptionError::Part;

/// Less would be a few records: every commit would be a full buffer.
constexpr std::uint64_t kLeastBuffer = 64 << 10;

void check_schedule(const DeliveryOptions& options, std::vector<OptionError>& errors) {
  const std::string key = "sink.schedule";
  const std::string zone_key = "sink.schedule.time-zone";
  if (!options.schedule.empty())
    if (const auto week = Week::parse(options.schedule); !week)
      errors.push_back({key, Part::kValue, "'" + key + "': " + week.error().message});
  if (options.schedule_time_zone.empty()) return;
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(options.schedule_time_zone, &zone))
    errors.push_back({zone_key, Part::kValue,
                      "'" + zone_key + "' = '" + options.schedule_time_zone +
                          "': expected the name of a time zone, such as 'Europe/Berlin' or 'UTC'"});
  if (options.schedule.empty())
    errors.push_back({zone_key, Part::kKey, "'" + zone_key + "' needs '" + key + "'"});
}

void check_backoff(const DeliveryOptions& options, std::vector<OptionError>& errors) {
  const std::string initial = "sink.retry.initial-backoff";
  if (options.retry_initial_backoff.count() <= 0)
    errors.push_back({initial, Part::kValue,
                      "'" + initial +
                          "' is 0, so that a sink that is down would be tried without a pause; "
                          "expected more"});
  else if (options.retry_initial_backoff > options.retry_max_backoff)
    errors.push_back({initial, Part::kValue,
                      "'" + initial + "' (" + format_duration(options.retry_initial_backoff) +
                          ") is longer than 'sink.retry.max-backoff' (" +
                          format_duration(options.retry_max_backoff) + ")"});
}

void check_rate(const DeliveryOptions& options, std::vector<OptionError>& errors) {
  const auto refuse = [&](const std::string& key) {
    errors.push_back(
        {key, Part::kValue,
         "'" + key + "' is 0, so that nothing would ever be delivered; leave it out for no limit"});
  };
  if (options.max_bytes_per_second && options.max_bytes_per_second->bytes == 0)
    refuse("sink.rate-limit.bytes-per-second");
  if (options.max_rows_per_second && *options.max_rows_per_second == 0)
    refuse("sink.rate-limit.rows-per-second");
}

}  // namespace

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
             "How many bytes of results that are not delivered yet the outbox keeps for this sink; at least "
             "64 kb."),
      option("sink.buffer.max-age", &O::buffer_max_age, Necessity::kOptional,
             "Results that could not be delivered for so long are dropped and counted. Default: never."),
      choice<O, OnFull>("sink.buffer.on-full", &O::on_full,
                        {{"block", OnFull::kBlock},
                         {"drop-oldest", OnFull::kDropOldest},
                         {"drop-newest", OnFull::kDropNewest}},
                        Necessity::kOptional,
                        "What happens when the buffer is full: the pipeline waits, or results are dropped "
                        "and counted."),
      choice<O, DeliveryOrder>(
          "sink.delivery.order", &O::order,
          {{"oldest-first", DeliveryOrder::kOldestFirst}, {"newest-first", DeliveryOrder::kNewestFirst}},
          Necessity::kOptional,
          "What goes first when more waits than one shipment takes. With 'newest-first' new results do not "
          "wait for the backlog of an outage, which drains behind them."),
      option("sink.rate-limit.bytes-per-second", &O::max_bytes_per_second, Necessity::kOptional,
             "Bytes of records that are sent per second on average, every attempt counted, before "
             "compression. Default: no limit."),
      option("sink.rate-limit.rows-per-second", &O::max_rows_per_second, Necessity::kOptional,
             "Records that are sent per second on average, every attempt counted. Default: no limit."),
      option("sink.schedule", &O::schedule, Necessity::kOptional,
             "When results are sent: '22:00-06:00', or 'Mon-Fri 20:00-24:00; Sat,Sun 00:00-24:00'; outside "
             "they wait in the outbox. Default: always."),
      option("sink.schedule.time-zone", &O::schedule_time_zone, Necessity::kOptional,
             "Whose clock 'sink.schedule' means. Default: 'table.local-time-zone'."),
      option("sink.retry.initial-backoff", &O::retry_initial_backoff, Necessity::kOptional,
             "How long delivery waits before its second attempt; it doubles from attempt to attempt, with "
             "jitter."),
      option("sink.retry.max-backoff", &O::retry_max_backoff, Necessity::kOptional,
             "The longest wait between two attempts."),
  };
  return table;
}

void check_delivery_options(const DeliveryOptions& options, std::vector<OptionError>& errors) {
  if (options.buffer_max_bytes.bytes < kLeastBuffer)
    errors.push_back({"sink.buffer.max-bytes", Part::kValue,
                      "'sink.buffer.max-bytes' = '" + option_text::print(options.buffer_max_bytes) +
                          "': expected 64 kb or more"});
  if (options.buffer_max_age && options.buffer_max_age->count() <= 0)
    errors.push_back({"sink.buffer.max-age", Part::kValue,
                      "'sink.buffer.max-age' is 0, so that everything would be dropped; leave it out to keep "
                      "results for ever"});
  if (options.order == DeliveryOrder::kNewestFirst && options.on_full == OnFull::kDropNewest)
    errors.push_back({"sink.delivery.order", Part::kValue,
                      "'sink.delivery.order' = 'newest-first' sends first what 'sink.buffer.on-full' = "
                      "'drop-newest' drops first; use 'drop-oldest' or 'block'"});
  check_backoff(options, errors);
  check_rate(options, errors);
  check_schedule(options, errors);
}

std::vector<OptionDoc> common_source_options() {
  return watermark_options().docs();
}
std::vector<OptionDoc> common_sink_options() {
  return delivery_options().docs();
}

OptionMap options_behind(const OptionMap& options, std::string_view prefix) {
  OptionMap behind;
  for (const auto& [key, value] : options)
    if (key.starts_with(prefix)) behind[key.substr(prefix.size())] = value;
  return behind;
}

}  // namespace leat::plan
