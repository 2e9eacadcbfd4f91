// The wire format of Protocol Buffers (its encoding guide): tags, varints, fixed-width numbers, lengths.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace leat::formats {

enum class WireType : std::uint8_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kGroup = 3,
  kEndGroup = 4,
  kFixed32 = 5
};

/// Reads bytes from outside: nothing is read beyond their end, and every reader says whether it could.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool done() const { return bytes_.empty(); }
  [[nodiscard]] std::size_t left() const { return bytes_.size(); }

  bool varint(std::uint64_t& value) {
    value = 0;
    for (std::size_t i = 0; i < kLongestVarint && i < bytes_.size(); ++i) {
      const auto byte = static_cast<unsigned char>(bytes_[i]);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << (7 * i);
      if (byte >= 0x80) continue;
      bytes_.remove_prefix(i + 1);
      return true;
    }
    return false;
  }
  bool fixed32(std::uint64_t& value) { return fixed<std::uint32_t>(value); }
  bool fixed64(std::uint64_t& value) { return fixed<std::uint64_t>(value); }
  bool bytes(std::string_view& value) {
    std::uint64_t length = 0;
    return varint(length) && take(length, value);
  }
  /// So many bytes.
  bool take(std::uint64_t length, std::string_view& value) {
    if (length > bytes_.size()) return false;
    value = bytes_.substr(0, static_cast<std::size_t>(length));
    bytes_.remove_prefix(static_cast<std::size_t>(length));
    return true;
  }
  /// Field number and wire type; false also for what no field can have.
  bool tag(std::uint32_t& number, WireType& type) {
    std::uint64_t value = 0;
    if (!varint(value) || value > UINT32_MAX || (value & 7) > 5 || value < 8) return false;
    number = static_cast<std::uint32_t>(value >> 3);
    type = static_cast<WireType>(value & 7);
    return true;
  }
  /// A value that nobody wants.
  bool skip(std::uint32_t number, WireType type) {
    std::uint64_t value = 0;
    std::string_view text;
    switch (type) {
      case WireType::kVarint:
        return varint(value);
      case WireType::kFixed64:
        return fixed64(value);
      case WireType::kFixed32:
        return fixed32(value);
      case WireType::kBytes:
        return bytes(text);
      case WireType::kGroup:
        return skip_group(number);
      default:
        return false;
    }
  }

 private:
  static constexpr std::size_t kLongestVarint = 10;
  static constexpr int kDeepest = 100;  // As protobuf's own readers.

  template <class T>
  bool fixed(std::uint64_t& value) {
    if (bytes_.size() < sizeof(T)) return false;
    T read = 0;  // Little-endian on the wire, whatever the machine.
    for (std::size_t i = 0; i < sizeof(T); ++i)
      read |= static_cast<T>(static_cast<T>(static_cast<unsigned char>(bytes_[i])) << (8 * i));
    value = read;
    bytes_.remove_prefix(sizeof(T));
    return true;
  }

  bool skip_group(std::uint32_t number) {
    std::uint32_t open[kDeepest] = {number};
    for (int depth = 1; depth > 0;) {
      std::uint32_t inner = 0;
      WireType type{};
      if (!tag(inner, type)) return false;
      if (type == WireType::kEndGroup) {
        if (open[--depth] != inner) return false;
      } else if (type == WireType::kGroup) {
        if (depth == kDeepest) return false;
        open[depth++] = inner;
      } else if (!skip(inner, type)) {
        return false;
      }
    }
    return true;
  }

  std::string_view bytes_;
};

inline void put_varint(std::uint64_t value, std::string& out) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}
inline void put_tag(int number, WireType type, std::string& out) {
  put_varint(static_cast<std::uint64_t>(number) << 3 | static_cast<std::uint64_t>(type), out);
}
/// Little-endian, `width` bytes.
inline void put_fixed(std::uint64_t value, std::size_t width, std::string& out) {
  for (std::size_t i = 0; i < width; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}
inline void put_bytes(std::string_view bytes, std::string& out) {
  put_varint(bytes.size(), out);
  out += bytes;
}

inline std::int64_t from_zigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}
inline std::uint64_t to_zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

}  // namespace leat::formats
