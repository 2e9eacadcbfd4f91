// The digits of times: "hh:mm:ss", written where they belong.
#pragma once

#include <cstdint>

namespace leat {

/// Two digits of less than 100.
inline void put_two(std::uint32_t value, char* out) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
}

inline constexpr int kClockLength = 8;

/// "hh:mm:ss" of less than 100 hours: kClockLength characters.
inline void put_clock(std::uint32_t seconds, char* out) {
  put_two(seconds / 3600, out);
  out[2] = ':';
  put_two(seconds / 60 % 60, out + 3);
  out[5] = ':';
  put_two(seconds % 60, out + 6);
}

}  // namespace leat
