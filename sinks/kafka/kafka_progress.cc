#include "sinks/kafka/kafka_progress.h"

#include <fmt/format.h>

#include <cstring>

#include "pipelines/base/bytes.h"

namespace leat::sinks {

namespace {

constexpr std::string_view kMark = "leat1 ";
constexpr std::uint8_t kStateVersion = 1;

/// Folds text into a digest, eight bytes at a time; the length goes in, too, so that "ab","c" is not
/// "a","bc". Not against people with bad intentions: it compares Leat's own records.
std::uint64_t fold(std::uint64_t digest, std::string_view text) {
  constexpr std::uint64_t kPrime = 0x9E3779B97F4A7C15ULL;
  const auto mix = [&digest](std::uint64_t word) {
    digest = (digest ^ word) * kPrime;
    digest ^= digest >> 29;
  };
  mix(text.size());
  for (; text.size() >= sizeof(std::uint64_t); text.remove_prefix(sizeof(std::uint64_t))) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    mix(word);
  }
  std::uint64_t rest = 0;
  if (!text.empty()) std::memcpy(&rest, text.data(), text.size());
  mix(rest);
  return digest;
}

}  // namespace

std::uint64_t record_digest(const Record& record) {
  std::uint64_t digest = fold(fold(1, record.key), record.payload);
  if (record.kind == Record::Kind::kTombstone) digest = fold(digest, "tombstone");
  for (const auto& [name, value] : record.headers) digest = fold(fold(digest, name), value);
  return digest;
}

std::string unit_name(const Shipment& shipment, std::span<const Record> records) {
  std::string digests;
  ByteWriter writer(digests);
  for (const Record& record : records) writer.fixed64(record_digest(record));
  return fmt::format("{}:{}+{}:{:016x}", shipment.number.value, shipment.part ? shipment.part->first : 0,
                     records.size(), fold(1, digests));
}

std::string write_progress(const KafkaProgress& progress) {
  return fmt::format("{}{} {}", kMark, progress.claim, progress.unit);
}

std::optional<KafkaProgress> read_progress(std::string_view metadata) {
  if (!metadata.starts_with(kMark)) return std::nullopt;
  metadata.remove_prefix(kMark.size());
  const std::size_t space = metadata.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  return KafkaProgress{std::string(metadata.substr(0, space)), std::string(metadata.substr(space + 1))};
}

std::string taken_over_by(const StoreId& id) {
  return "taken:" + id.value;
}

std::string encode_state(const KafkaState& state) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.u8(kStateVersion);
  for (const std::string* text :
       {&state.store, &state.topic, &state.cluster, &state.unit, &state.former, &state.former_unit})
    writer.string(*text);
  writer.varint(state.ends.size());
  for (const std::int64_t end : state.ends) writer.varint(static_cast<std::uint64_t>(end));
  return bytes;
}

Result<KafkaState> decode_state(std::string_view bytes) {
  KafkaState state;
  if (bytes.empty()) return state;
  ByteReader reader(bytes);
  const bool known = reader.u8() == kStateVersion;
  for (std::string* text :
       {&state.store, &state.topic, &state.cluster, &state.unit, &state.former, &state.former_unit})
    *text = reader.string();
  const std::uint64_t partitions = reader.varint();
  for (std::uint64_t i = 0; i < partitions && reader.ok(); ++i)
    state.ends.push_back(static_cast<std::int64_t>(reader.varint()));
  if (!known || !reader.ok() || !reader.at_end())
    return fail(ErrorCode::kCorrupt, "what the store keeps of the last shipment to Kafka cannot be read");
  return state;
}

Verdict judge(const Evidence& evidence) {
  if (!evidence.arrived) {
    const bool first_ever = evidence.last.empty() && evidence.untried;
    return first_ever ? Verdict::kSend : Verdict::kSearch;
  }
  if (*evidence.arrived == evidence.unit) return Verdict::kSettled;
  return *evidence.arrived == evidence.last ? Verdict::kSend : Verdict::kSearch;
}

}  // namespace leat::sinks
