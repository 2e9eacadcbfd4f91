#include "pipelines/base/bytes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace leat {
namespace {

struct ByteUnit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::uint64_t kKibi = 1024;
constexpr std::array<ByteUnit, 18> kByteUnits{{
    {"", 1},
    {"b", 1},
    {"bytes", 1},
    {"k", kKibi},
    {"kb", kKibi},
    {"kib", kKibi},
    {"kibibytes", kKibi},
    {"m", kKibi* kKibi},
    {"mb", kKibi* kKibi},
    {"mib", kKibi* kKibi},
    {"mebibytes", kKibi* kKibi},
    {"g", kKibi* kKibi* kKibi},
    {"gb", kKibi* kKibi* kKibi},
    {"gib", kKibi* kKibi* kKibi},
    {"gibibytes", kKibi* kKibi* kKibi},
    {"t", kKibi* kKibi* kKibi* kKibi},
    {"tb", kKibi* kKibi* kKibi* kKibi},
    {"tib", kKibi* kKibi* kKibi* kKibi},
}};

tl::unexpected<Error> not_a_size(std::string_view text) {
  return fail(ErrorCode::kInvalid,
              fmt::format("expected a size such as '64 kb', '16 mb' or '1 gb', found '{}'", text));
}

std::string lower_unit(std::string_view text) {
  std::string unit;
  for (const char c : text)
    if (c != ' ') unit.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  return unit;
}

template <class T>
T load_little_endian(std::string_view bytes) {
  T value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  if constexpr (std::endian::native == std::endian::big) {
    auto* begin = reinterpret_cast<unsigned char*>(&value);
    std::reverse(begin, begin + sizeof value);
  }
  return value;
}

template <class T>
void append_little_endian(std::string& out, T value) {
  std::array<char, sizeof(T)> bytes{};
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes[i] = static_cast<char>((value >> (8 * i)) & 0xFF);
  out.append(bytes.data(), bytes.size());
}

}  // namespace

Result<std::uint64_t> parse_byte_size(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const char* begin = text.data();
  while (begin != end && *begin == ' ') ++begin;
  const auto [rest, error] = std::from_chars(begin, end, number);
  if (error != std::errc()) return not_a_size(text);
  const std::string unit = lower_unit(std::string_view(rest, static_cast<std::size_t>(end - rest)));
  for (const ByteUnit& known : kByteUnits) {
    if (known.name != unit) continue;
    if (number > std::numeric_limits<std::uint64_t>::max() / known.factor) return not_a_size(text);
    return number * known.factor;
  }
  return not_a_size(text);
}

std::string format_byte_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kNames{"b", "kb", "mb", "gb", "tb"};
  std::size_t unit = 0;
  while (unit + 1 < kNames.size() && bytes >= kKibi && bytes % kKibi == 0) {
    bytes /= kKibi;
    ++unit;
  }
  return fmt::format("{} {}", bytes, kNames[unit]);
}

void ByteWriter::varint(std::uint64_t value) {
  while (value >= 0x80) {
    out_.push_back(static_cast<char>((value & 0x7F) | 0x80));
    value >>= 7;
  }
  out_.push_back(static_cast<char>(value));
}

void ByteWriter::zigzag(std::int64_t value) {
  varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

void ByteWriter::fixed32(std::uint32_t value) {
  append_little_endian(out_, value);
}
void ByteWriter::fixed64(std::uint64_t value) {
  append_little_endian(out_, value);
}
void ByteWriter::float64(double value) {
  fixed64(std::bit_cast<std::uint64_t>(value));
}

void ByteWriter::string(std::string_view value) {
  varint(value.size());
  out_.append(value);
}

std::string_view ByteReader::raw(std::size_t length) {
  if (length > rest_.size()) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const std::string_view bytes = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return bytes;
}

std::uint8_t ByteReader::u8() {
  const std::string_view byte = raw(1);
  return byte.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(byte[0]);
}

std::uint64_t ByteReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = u8();
    if (!ok_) return 0;
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  ok_ = false;
  rest_ = {};
  return 0;
}

std::int64_t ByteReader::zigzag() {
  const std::uint64_t value = varint();
  return static_cast<std::int64_t>((value >> 1) ^ (0 - (value & 1)));
}

std::uint32_t ByteReader::fixed32() {
  const std::string_view bytes = raw(sizeof(std::uint32_t));
  return bytes.empty() ? 0 : load_little_endian<std::uint32_t>(bytes);
}

std::uint64_t ByteReader::fixed64() {
  const std::string_view bytes = raw(sizeof(std::uint64_t));
  return bytes.empty() ? 0 : load_little_endian<std::uint64_t>(bytes);
}

double ByteReader::float64() {
  return std::bit_cast<double>(fixed64());
}

std::string_view ByteReader::string() {
  const std::uint64_t length = varint();
  if (length > rest_.size()) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  return raw(static_cast<std::size_t>(length));
}

}  // namespace leat
