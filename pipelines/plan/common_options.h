// The keys of WITH that belong to no connector: how a source's watermark behaves, how long a sink's outbox
// keeps what is not delivered. The planner checks them by these tables, `daemon/runtime` reads the same
// structs from the same tables, so that what is checked is what runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/base/options.h"

namespace leat::plan {

/// Of every source table with a WATERMARK; the planner puts them into the scan's WatermarkSpec.
struct WatermarkOptions {
  std::optional<Micros> idle_timeout;  ///< Unset: 'table.exec.source.idle-timeout' of the pipeline.
  std::optional<std::string> partition_by;
  std::optional<Micros> max_ahead;
};
const OptionTable<WatermarkOptions>& watermark_options();

/// What happens when a sink's outbox is full.
enum class OnFull : std::uint8_t {
  kBlock,       ///< The pipeline stalls until there is room; nothing is lost.
  kDropOldest,  ///< The oldest blocks that no shipment holds make room, counted as dropped.
  kDropNewest,  ///< What does not fit is dropped and counted.
};

/// Which blocks the next shipment takes. Inside a shipment they always lie in the order of their commits, and
/// a shipment that has a number goes before any other.
enum class DeliveryOrder : std::uint8_t {
  kOldestFirst,
  kNewestFirst,  ///< Live results do not wait for the backlog of an outage.
};

/// Of every sink table that lies behind the outbox; delivery reads them.
struct DeliveryOptions {
  ByteSize buffer_max_bytes{std::uint64_t{256} << 20};
  std::optional<Micros> buffer_max_age;  ///< Blocks older than that are dropped and counted; unset: never.
  OnFull on_full = OnFull::kBlock;
  DeliveryOrder order = DeliveryOrder::kOldestFirst;
  std::optional<ByteSize> max_bytes_per_second;
  std::optional<std::uint64_t> max_rows_per_second;
  std::string schedule;            ///< A Week (pipelines/base/week.h); empty: always.
  std::string schedule_time_zone;  ///< Empty: the pipeline's.
  Micros retry_initial_backoff{500'000};
  Micros retry_max_backoff{60 * kMicrosPerSecond};
};
const OptionTable<DeliveryOptions>& delivery_options();
/// What single keys cannot say: bounds, texts with an inner form, keys that exclude or need each other.
void check_delivery_options(const DeliveryOptions& options, std::vector<OptionError>& errors);

/// The options whose keys begin with `prefix`, without it; all of them if it is empty.
OptionMap options_behind(const OptionMap& options, std::string_view prefix);

}  // namespace leat::plan
