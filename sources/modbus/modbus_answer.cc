#include "sources/modbus/modbus_answer.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace leat::sources {
namespace {

using Kind = ReadOutcome::Kind;

constexpr int kGatewayPath = 10;
constexpr int kGatewayTarget = 11;
constexpr unsigned kExceptionBit = 0x80;
constexpr std::size_t kHeader = 3;  // Of an answer; an exception is no longer.
constexpr std::uint8_t kNoUnit = 0;
constexpr std::uint8_t kNobodyBehind = 255;
/// By code; empty: the specification has none.
constexpr std::array<std::string_view, kGatewayTarget + 1> kExceptions{"",
                                                                       "illegal function",
                                                                       "illegal data address",
                                                                       "illegal data value",
                                                                       "device failure",
                                                                       "acknowledged, not done yet",
                                                                       "device busy",
                                                                       "negative acknowledge",
                                                                       "memory parity error",
                                                                       "",
                                                                       "gateway path unavailable",
                                                                       "gateway target did not respond"};

std::uint8_t function_of(RegisterTable table) {
  switch (table) {
    case RegisterTable::kCoil:
      return 1;
    case RegisterTable::kDiscrete:
      return 2;
    case RegisterTable::kHolding:
      return 3;
    case RegisterTable::kInput:
      break;
  }
  return 4;
}

bool stands_for_itself(std::uint8_t unit) {
  return unit == kNoUnit || unit == kNobodyBehind;
}

ReadOutcome exception_of(int code) {
  const auto place = static_cast<std::size_t>(code);
  const std::string_view meaning = place < kExceptions.size() ? kExceptions[place] : std::string_view();
  if (meaning.empty()) return {Kind::kException, code, fmt::format("exception {}, the device's own", code)};
  return {Kind::kException, code, fmt::format("exception {}, {}", code, meaning)};
}

ReadOutcome no_answer(std::string reason) {
  return {Kind::kSilent, 0, std::move(reason)};
}

void take_values(const ReadRequest& request, std::span<const std::uint8_t> data,
                 std::span<std::uint16_t> words) {
  for (std::size_t i = 0; i < request.count; ++i)
    words[i] = holds_bits(request.table) ? static_cast<std::uint16_t>(data[i / 8] >> (i % 8) & 1U)
                                         : static_cast<std::uint16_t>(data[2 * i] << 8 | data[2 * i + 1]);
}

}  // namespace

bool ReadOutcome::is_silence() const {
  return kind == Kind::kSilent || exception == kGatewayPath || exception == kGatewayTarget;
}

RequestBytes request_bytes(std::uint8_t unit, const ReadRequest& request) {
  const auto high = [](std::uint16_t number) { return static_cast<std::uint8_t>(number >> 8); };
  const auto low = [](std::uint16_t number) { return static_cast<std::uint8_t>(number & 0xFFU); };
  return {unit,
          function_of(request.table),
          high(request.address),
          low(request.address),
          high(request.count),
          low(request.count)};
}

ReadOutcome read_answer(std::uint8_t unit, const ReadRequest& request, std::span<const std::uint8_t> answer,
                        std::span<std::uint16_t> words) {
  if (answer[0] != unit && !stands_for_itself(unit) && !stands_for_itself(answer[0]))
    return no_answer(
        fmt::format("an answer of unit {}: it came too late ('timeout' may be too short), a "
                    "gateway mixes up its units, or the line is disturbed",
                    answer[0]));
  if (answer.size() < kHeader) return no_answer("an answer that breaks off");
  const std::uint8_t function = function_of(request.table);
  if (answer[1] == (function | kExceptionBit)) return exception_of(answer[2]);
  if (answer[1] != function)
    return no_answer(fmt::format("an answer to function {}, not to {}", answer[1], function));
  const std::size_t due = holds_bits(request.table) ? (request.count + 7U) / 8U : request.count * 2U;
  if (answer[2] != due || answer.size() != kHeader + due)
    return no_answer(
        fmt::format("an answer of {} bytes where {} were due: the device may give fewer at once "
                    "('request.max-registers')",
                    answer[2], due));
  take_values(request, answer.subspan(kHeader), words);
  return {};
}

}  // namespace leat::sources
