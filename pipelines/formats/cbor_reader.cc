#include "pipelines/formats/cbor_reader.h"

#include <cbor.h>

namespace leat::formats {
namespace {

using Kind = CborItem::Kind;

void set(void* item, Kind kind, std::uint64_t number) {
  *static_cast<CborItem*>(item) = {.kind = kind, .number = number};
}
void set_bytes(void* item, Kind kind, cbor_data bytes, std::size_t length) {
  *static_cast<CborItem*>(item) = {.kind = kind, .bytes = {reinterpret_cast<const char*>(bytes), length}};
}
void set_float(void* item, double value) {
  *static_cast<CborItem*>(item) = {.kind = Kind::kFloat, .floating = value};
}

/// Each puts what it is told into the CborItem that is the context.
constexpr cbor_callbacks kCallbacks = {
    .uint8 = [](void* item, std::uint8_t number) { set(item, Kind::kUnsigned, number); },
    .uint16 = [](void* item, std::uint16_t number) { set(item, Kind::kUnsigned, number); },
    .uint32 = [](void* item, std::uint32_t number) { set(item, Kind::kUnsigned, number); },
    .uint64 = [](void* item, std::uint64_t number) { set(item, Kind::kUnsigned, number); },
    .negint64 = [](void* item, std::uint64_t number) { set(item, Kind::kNegative, number); },
    .negint32 = [](void* item, std::uint32_t number) { set(item, Kind::kNegative, number); },
    .negint16 = [](void* item, std::uint16_t number) { set(item, Kind::kNegative, number); },
    .negint8 = [](void* item, std::uint8_t number) { set(item, Kind::kNegative, number); },
    .byte_string_start = [](void* item) { set(item, Kind::kBytesInParts, CborItem::kOpen); },
    .byte_string = [](void* item, cbor_data bytes,
                      std::size_t size) { set_bytes(item, Kind::kBytes, bytes, size); },
    .string = [](void* item, cbor_data bytes,
                 std::size_t size) { set_bytes(item, Kind::kText, bytes, size); },
    .string_start = [](void* item) { set(item, Kind::kTextInParts, CborItem::kOpen); },
    .indef_array_start = [](void* item) { set(item, Kind::kArray, CborItem::kOpen); },
    .array_start = [](void* item, std::size_t count) { set(item, Kind::kArray, count); },
    .indef_map_start = [](void* item) { set(item, Kind::kMap, CborItem::kOpen); },
    .map_start = [](void* item, std::size_t count) { set(item, Kind::kMap, count); },
    .tag = [](void* item, std::uint64_t number) { set(item, Kind::kTag, number); },
    .float2 = [](void* item, float value) { set_float(item, static_cast<double>(value)); },
    .float4 = [](void* item, float value) { set_float(item, static_cast<double>(value)); },
    .float8 = [](void* item, double value) { set_float(item, value); },
    .undefined = [](void* item) { set(item, Kind::kNull, 0); },
    .null = [](void* item) { set(item, Kind::kNull, 0); },
    .boolean = [](void* item, bool value) { set(item, Kind::kBoolean, value ? 1 : 0); },
    .indef_break = [](void* item) { set(item, Kind::kBreak, 0); }};

}  // namespace

bool CborReader::broken() {
  state_ = State::kBroken;
  return false;
}

bool CborReader::next(CborItem& item) {
  const auto* const bytes = reinterpret_cast<cbor_data>(bytes_.data()) + at_;
  const cbor_decoder_result result = cbor_stream_decode(bytes, bytes_.size() - at_, &kCallbacks, &item);
  at_ += result.read;
  if (result.status == CBOR_DECODER_FINISHED) return true;
  state_ = result.status == CBOR_DECODER_NEDATA ? State::kCut : State::kBroken;
  return false;
}

bool CborReader::peek(CborItem& item) {
  const std::size_t at = at_;
  const bool read = next(item);
  at_ = at;
  return read;
}

bool CborReader::at_break() {
  constexpr char kBreakByte = '\xff';
  if (done() || bytes_[at_] != kBreakByte) return false;
  ++at_;
  return true;
}

bool CborReader::more(std::uint64_t& left) {
  if (left == CborItem::kOpen) return !at_break();
  return left-- > 0;
}

bool CborReader::join_parts(const CborItem& head, std::string& out) {
  const Kind part = head.kind == Kind::kBytesInParts ? Kind::kBytes : Kind::kText;
  out.clear();
  while (!at_break()) {
    CborItem item;
    if (!next(item)) return false;
    if (item.kind != part) return broken();
    out += item.bytes;
  }
  return true;
}

bool CborReader::skip(int depth) {
  CborItem item;
  if (depth > kDeepestCbor) return broken();
  if (!next(item)) return false;
  return skip_inside(item, depth);
}

bool CborReader::skip_inside(const CborItem& item, int depth) {
  std::string parts;
  switch (item.kind) {
    case Kind::kBreak:
      return broken();
    case Kind::kBytesInParts:
    case Kind::kTextInParts:
      return join_parts(item, parts);
    case Kind::kTag:
      return skip(depth + 1);
    case Kind::kArray:
    case Kind::kMap:
      for (std::uint64_t left = item.number; more(left);) {
        if (!skip(depth + 1)) return false;
        if (item.kind == Kind::kMap && !skip(depth + 1)) return false;
      }
      return true;
    default:
      return true;
  }
}

}  // namespace leat::formats
