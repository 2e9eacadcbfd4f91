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

/// Of every sink table that lies behind the outbox; delivery reads them.
struct DeliveryOptions {
  ByteSize buffer_max_bytes{std::uint64_t{256} << 20};
  std::optional<Micros> buffer_max_age;  ///< Blocks older than that are dropped and counted; unset: never.
  OnFull on_full = OnFull::kBlock;
  Micros retry_initial_backoff{500'000};
  Micros retry_max_backoff{60 * kMicrosPerSecond};
};
const OptionTable<DeliveryOptions>& delivery_options();

}  // namespace leat::plan
