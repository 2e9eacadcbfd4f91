// A request to read as it goes over the wire, and what comes back: the values, or in words for people why
// there are none. Pure; MODBUS Application Protocol 1.1b3, sections 6.1 to 6.4 and 7.
//
//   request   := u8 unit, u8 function, u16 address, u16 count
//   answer    := u8 unit, u8 function, u8 bytes, data
//   exception := u8 unit, u8 function | 0x80, u8 code
// Numbers are big-endian; the transports put their headers and checksums around it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "sources/modbus/read_plan.h"

namespace leat::sources {

struct ReadOutcome {
  enum class Kind : std::uint8_t {
    kAnswered,
    kException,  ///< The device says that it does not: `exception` and `reason`.
    kSilent,     ///< No answer in time, or none that can be understood.
    kOccupied,   ///< Nothing was asked: others do not let go of the serial line.
    kBroken,     ///< The connection is gone.
    kStopped,    ///< Interrupted.
  };
  Kind kind = Kind::kAnswered;
  int exception = 0;
  std::string reason;  ///< "exception 2, illegal data address", "no answer within 1 s"

  /// The unit was asked and has not answered; also what a gateway says of a device behind it that is off or
  /// away: it is the device that is silent.
  [[nodiscard]] bool is_silence() const;
};

using RequestBytes = std::array<std::uint8_t, 6>;
RequestBytes request_bytes(std::uint8_t unit, const ReadRequest& request);

/// What `answer`, at least its unit, says to the request. Values go to `words`, `request.count` of them, bits
/// as 0 and 1. An answer of another unit is none: gateways are known to hand on one that came too late.
/// Devices that stand for themselves, behind no gateway, answer as 0 or 255, or to these as they like.
ReadOutcome read_answer(std::uint8_t unit, const ReadRequest& request, std::span<const std::uint8_t> answer,
                        std::span<std::uint16_t> words);

}  // namespace leat::sources
