// How far a sink has come, as texts: what travels inside of each transaction, and what the store keeps beside
// the outbox. Pure; the protocol that compares them is in exactly_once.h.
//
//   unit     := number ':' first '+' count ':' digest      "41:0+10000:9f86d081884c7d65"
//   progress := "leat1 " claim ' ' (unit | "taken:" store id)
//
// A unit is what one transaction carries: a shipment, or a slice of one that was refused as a whole. The
// digest is over its records' bytes, so that two histories of one store (a backup that was restored, a copy)
// are told apart even where they gave the same number to different records.
//
// The state, in the store:
//   state := 0x01, string store id, string topic, string cluster id, string unit, string former store id,
//            string former unit, varint partitions, (varint end)…
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"
#include "sinks/block.h"
#include "sinks/sink.h"

namespace leat::sinks {

/// Of key, payload and headers. Stable: it is compared across processes and versions.
std::uint64_t record_digest(const Record& record);

/// The unit that this shipment (or slice) with these records is.
std::string unit_name(const Shipment& shipment, std::span<const Record> records);

/// What the offset of the sink's consumer group carries as metadata.
struct KafkaProgress {
  std::string claim;  ///< Random, of the sink object that wrote it: tells who is at work.
  std::string unit;   ///< The last unit that was committed, or `taken_over_by`.
  friend bool operator==(const KafkaProgress&, const KafkaProgress&) = default;
};
std::string write_progress(const KafkaProgress& progress);
/// nullopt: not ours.
std::optional<KafkaProgress> read_progress(std::string_view metadata);

/// The unit that ends an identity: store `id` has gone on with its records under its own.
std::string taken_over_by(const StoreId& id);

/// What the sink leaves with each success (sink_state).
struct KafkaState {
  std::string store;    ///< Under which id the unit went; empty: nothing was ever delivered.
  std::string topic;    ///< Where to,
  std::string cluster;  ///< and in which cluster.
  std::string unit;     ///< The last one.
  /// The store's id of before, while records that waited under it may still have to be taken over (see
  /// exactly_once.h), and the last unit under it.
  std::string former;
  std::string former_unit;
  /// Per partition: nothing of a later unit lies before this offset.
  std::vector<std::int64_t> ends;
};
std::string encode_state(const KafkaState& state);
/// Errors: corrupt. Empty bytes are the state of a sink that never delivered.
Result<KafkaState> decode_state(std::string_view bytes);

/// What is known of a unit whose outcome is not.
struct Evidence {
  std::string unit;                    ///< The one to judge.
  std::string last;                    ///< The unit before it; empty: it is the first under this identity.
  std::optional<std::string> arrived;  ///< The last unit in the broker; nullopt: expired, or never was one.
  bool untried = false;                ///< No transaction of it was ever begun from this store.
};
enum class Verdict : std::uint8_t {
  kSend,     ///< It is not there.
  kSettled,  ///< It is there.
  kSearch,   ///< The number is gone, or another history's: only the topic itself can tell.
};
Verdict judge(const Evidence& evidence);

}  // namespace leat::sinks
