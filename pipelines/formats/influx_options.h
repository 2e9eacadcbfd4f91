// The options of the format influx, and what each column of a table is in a line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/column/type.h"

namespace leat::formats {

/// The unit of the timestamps.
enum class InfluxPrecision : std::uint8_t { kNanos, kMicros, kMillis, kSeconds };

struct InfluxOptions {
  std::string measurement;
  std::string measurement_column;
  std::string timestamp_column;
  std::vector<std::string> tags;
  InfluxPrecision precision = InfluxPrecision::kNanos;
  bool ignore_parse_errors = false;
};

const OptionTable<InfluxOptions>& influx_options();

/// Where a column's values stand in a line.
enum class InfluxRole : std::uint8_t {
  kMeasurement,
  kTag,
  kField,  ///< When read: among the fields, else among the tags.
  kTimestamp,
};

/// One per column. The options name columns of the schema, none twice.
std::vector<InfluxRole> influx_roles(const InfluxOptions& options, const Schema& schema);

}  // namespace leat::formats
