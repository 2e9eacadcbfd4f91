// Where devices are: behind an address of TCP, or on a serial line (RTU).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "pipelines/base/result.h"

namespace leat::sources {

enum class Parity : std::uint8_t { kNone, kEven, kOdd };

struct SerialLine {
  std::string device;  ///< "/dev/ttyUSB0"
  std::uint32_t baud_rate = 19'200;
  Parity parity = Parity::kEven;
  std::uint8_t stop_bits = 1;
};

struct TcpPlace {
  std::string host;
  std::uint16_t port = 502;
};

using ModbusPlace = std::variant<TcpPlace, SerialLine>;

/// "tcp://10.0.0.5", "tcp://[fd00::5]:1502", "rtu:///dev/ttyUSB0"; the line's settings are the defaults.
/// Errors: invalid.
Result<ModbusPlace> parse_modbus_url(std::string_view url);

}  // namespace leat::sources
