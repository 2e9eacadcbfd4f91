// The options of 'connector' = 'modbus', and the columns that they map.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/base/time.h"
#include "pipelines/plan/catalog.h"
#include "sources/journal_options.h"
#include "sources/modbus/modbus_place.h"
#include "sources/modbus/read_plan.h"

namespace leat::sources {

struct ModbusOptions : JournalOptions {
  ModbusOptions() { journal_size = ByteSize{8U << 20}; }  // Devices are few, and polled.

  std::string url;
  std::vector<std::string> units{"1"};
  Micros interval{kMicrosPerSecond};
  Micros timeout{kMicrosPerSecond};
  std::uint32_t retries = 1;
  Micros reconnect_min{kMicrosPerSecond};
  Micros reconnect_max{60 * kMicrosPerSecond};
  OptionMap registers;
  ByteOrder order = ByteOrder::kAbcd;
  std::uint32_t max_registers = kMostRegisters;
  std::uint32_t max_gap = 0;
  std::uint32_t baud_rate = 19'200;
  Parity parity = Parity::kEven;
  std::uint32_t stop_bits = 1;
};

const OptionTable<ModbusOptions>& modbus_options();

/// Reads and judges; appends what is wrong. The options are complete only when nothing was appended.
ModbusOptions read_modbus_options(const OptionMap& map, const std::vector<OptionDoc>& foreign,
                                  std::vector<OptionError>& errors);
/// For options that were found right before.
ModbusOptions read_modbus_options(const OptionMap& map);

/// What concerns options and columns together: each column has its registers, and takes what they hold.
void check_modbus_columns(const OptionMap& map, const plan::TableShape& table,
                          std::vector<OptionError>& errors);

/// Of options and columns that were found right: what to read.
std::vector<MappedColumn> mapped_columns(const ModbusOptions& options, const Schema& columns);
ModbusPlace place_of(const ModbusOptions& options);
/// Ascending, each once.
std::vector<std::uint8_t> units_of(const ModbusOptions& options);

}  // namespace leat::sources
