// Byte counts, and the little codec in which state, journal records and blocks are written.
//
// Grammar of the codec (all persisted formats of Leat are built from it):
//   varint  := LEB128, least significant group first, at most 10 bytes
//   zigzag  := varint of (n << 1) ^ (n >> 63)
//   string  := varint length, bytes
//   fixed32 := 4 bytes, little endian        fixed64 := 8 bytes, little endian
//   double  := fixed64 of the IEEE 754 bits
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipelines/base/result.h"

namespace leat {

/// A count of bytes as the user writes it: "64 kb", "128 MB", "1 MiB", "4096". k, m, g are powers of 1024, as
/// in Flink's MemorySize. Errors: invalid.
Result<std::uint64_t> parse_byte_size(std::string_view text);
std::string format_byte_size(std::uint64_t bytes);

class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void varint(std::uint64_t value);
  void zigzag(std::int64_t value);
  void fixed32(std::uint32_t value);
  void fixed64(std::uint64_t value);
  void float64(double value);
  void string(std::string_view value);
  void raw(std::string_view value) { out_.append(value); }

 private:
  std::string& out_;  // Owned by the caller, who keeps it while the writer lives.
};

/// Reads what ByteWriter wrote. After the first read beyond the end every read gives zero or an empty string
/// and `ok()` is false: check once, at the end. Views point into the bytes given to the constructor.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t u8();
  std::uint64_t varint();
  std::int64_t zigzag();
  std::uint32_t fixed32();
  std::uint64_t fixed64();
  double float64();
  std::string_view string();
  std::string_view raw(std::size_t length);

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace leat
