#include "sources/journal_format.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
#include <cstring>

#include "pipelines/base/bytes.h"

namespace leat::sources {
namespace {

constexpr std::string_view kSlotMagic = "LEATJRNL";
constexpr std::size_t kSlotUsed = 8 + 8 + 4 + 4 + 8 + 8 + 8 + 8 + 4 + 8 + 8;
constexpr std::size_t kSlotSealed = kSlotUsed + 8 + 8;  // What `check` covers.
constexpr std::uint32_t kRecordMagic = 0x4345524C;      // "LREC"
constexpr std::size_t kChecksumBytes = 8;

std::uint64_t checksum_of(std::string_view bytes, std::uint64_t seed = 0) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::string with_checksum(std::string_view body) {
  std::string bytes;
  ByteWriter(bytes).fixed64(checksum_of(body));
  return bytes.append(body);
}

// The head is written and read once per message: straight stores in place of the general codec.
template <class T>
void put(char* head, std::size_t at, T value) {
  static_assert(std::endian::native == std::endian::little, "the journal is little endian");
  std::memcpy(head + at, &value, sizeof(T));
}
template <class T>
T get(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

}  // namespace

std::string encode_slot(const JournalSlot& slot) {
  std::string body(kSlotMagic);
  ByteWriter writer(body);
  writer.fixed32(slot.version);
  writer.fixed32(slot.epoch);
  writer.fixed64(slot.sequence);
  writer.fixed64(slot.ring_size);
  writer.fixed64(slot.head.offset);
  writer.fixed64(slot.head.number.value);
  writer.fixed32(slot.head.epoch);
  writer.fixed64(slot.last.value);
  writer.fixed64(slot.next.value);
  std::string bytes = with_checksum(body);
  ByteWriter rest(bytes);
  rest.fixed64(slot.seed);
  rest.fixed64(slot.closed ? 1 : 0);
  const std::uint64_t check = checksum_of(bytes);
  rest.fixed64(check);
  bytes.resize(kSlotBytes, '\0');
  return bytes;
}

std::optional<JournalSlot> decode_slot(std::string_view bytes) {
  if (bytes.size() < kSlotSealed + 8) return std::nullopt;
  ByteReader reader(bytes);
  const std::uint64_t checksum = reader.fixed64();
  if (reader.raw(kSlotMagic.size()) != kSlotMagic) return std::nullopt;
  JournalSlot slot;
  slot.version = reader.fixed32();
  // Over these bytes in every version: a damaged slot is not taken for one of a newer Leat.
  if (checksum != checksum_of(bytes.substr(kChecksumBytes, kSlotUsed - kChecksumBytes))) return std::nullopt;
  if (slot.version > kJournalVersion) return slot;
  slot.epoch = reader.fixed32();
  slot.sequence = reader.fixed64();
  slot.ring_size = reader.fixed64();
  slot.head.offset = reader.fixed64();
  slot.head.number.value = reader.fixed64();
  slot.head.epoch = reader.fixed32();
  slot.last.value = reader.fixed64();
  slot.next.value = reader.fixed64();
  if (slot.version == 1) return slot;
  slot.seed = reader.fixed64();
  slot.closed = reader.fixed64() == 1;
  if (reader.fixed64() != checksum_of(bytes.substr(0, kSlotSealed))) return std::nullopt;
  return slot;
}

std::uint64_t record_size(std::size_t key, std::size_t attributes, std::size_t payload) {
  return (kRecordHeadBytes + key + attributes + payload + 7) & ~std::uint64_t{7};
}

std::uint64_t RecordHead::size() const {
  return record_size(key_length, attributes_length, payload_length);
}

void encode_record(const RecordHead& head, const RecordParts& parts, std::uint64_t seed, std::string& out) {
  const auto& [key, attributes, payload] = parts;
  const std::size_t begin = out.size();
  const std::size_t length = kRecordHeadBytes + key.size() + attributes.size() + payload.size();
  out.resize(begin + kRecordHeadBytes);
  char* const at = out.data() + begin;
  put(at, 8, kRecordMagic);
  put(at, 12, head.epoch);
  put(at, 16, head.number.value);
  put(at, 24, head.intake_time);
  put(at, 32, static_cast<std::uint32_t>(key.size()));
  put(at, 36, static_cast<std::uint32_t>(attributes.size()));
  put(at, 40, static_cast<std::uint32_t>(payload.size()));
  put(at, 44, head.kind);
  out.append(key).append(attributes).append(payload);
  put(out.data() + begin, 0, checksum_of(std::string_view(out).substr(begin + kChecksumBytes), seed));
  const std::uint64_t whole = record_size(key.size(), attributes.size(), payload.size());
  out.append(static_cast<std::size_t>(whole - length), '\0');
}

std::optional<RecordHead> decode_head(std::string_view bytes) {
  if (bytes.size() < kRecordHeadBytes || get<std::uint32_t>(bytes, 8) != kRecordMagic) return std::nullopt;
  const auto kind = get<std::uint32_t>(bytes, 44);
  if (kind != static_cast<std::uint32_t>(RecordKind::kRecord) &&
      kind != static_cast<std::uint32_t>(RecordKind::kSkip))
    return std::nullopt;
  return RecordHead{.checksum = get<std::uint64_t>(bytes, 0),
                    .epoch = get<std::uint32_t>(bytes, 12),
                    .number = {get<std::uint64_t>(bytes, 16)},
                    .intake_time = get<std::int64_t>(bytes, 24),
                    .key_length = get<std::uint32_t>(bytes, 32),
                    .attributes_length = get<std::uint32_t>(bytes, 36),
                    .payload_length = get<std::uint32_t>(bytes, 40),
                    .kind = static_cast<RecordKind>(kind)};
}

bool checksum_matches(const RecordHead& head, std::string_view bytes, std::uint64_t seed) {
  const std::size_t length = kRecordHeadBytes + std::size_t{head.key_length} +
                             std::size_t{head.attributes_length} + std::size_t{head.payload_length};
  return length <= bytes.size() &&
         head.checksum == checksum_of(bytes.substr(kChecksumBytes, length - kChecksumBytes), seed);
}

Message message_of(const RecordHead& head, std::string_view bytes) {
  Message message{.number = head.number, .intake_time = head.intake_time};
  message.key = bytes.substr(kRecordHeadBytes, head.key_length);
  message.attributes = bytes.substr(kRecordHeadBytes + head.key_length, head.attributes_length);
  message.payload =
      bytes.substr(kRecordHeadBytes + head.key_length + head.attributes_length, head.payload_length);
  return message;
}

bool continues(const JournalMark& before, const RecordHead& head) {
  if (head.epoch == before.epoch) return head.number == before.number.next();
  return head.epoch > before.epoch && head.number > before.number;
}

}  // namespace leat::sources
