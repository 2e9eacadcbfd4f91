// Blocks: encoded records of one sink and one commit, as the outbox keeps them and a sink delivers them.
//
// Grammar of a block:
//   block   := 0x02 (version), varint records, record…
//   record  := string key, payload, varint headers, (string name, string value)…
//   payload := varint 0 (none: a tombstone) | varint bytes + 1, byte…
// In version 1, which is still read, a payload was a string, and there was no tombstone.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/base/bytes.h"
#include "pipelines/base/result.h"

namespace leat::sinks {

/// A block is sealed when it has reached this size, or at the commit.
inline constexpr std::size_t kMaxBlockBytes = 1 << 20;

using Headers = std::vector<std::pair<std::string_view, std::string_view>>;

/// One encoded record; the views point into the block.
struct Record {
  std::string_view key;  ///< Kafka's key, the folder of a file; empty: none.
  std::string_view payload;
  enum class Kind : std::uint8_t {
    kValue,
    kTombstone,  ///< No payload at all, which is not an empty one: the key's row is gone (upsert-kafka).
  };
  Kind kind = Kind::kValue;
  Headers headers;  ///< Few; writable metadata of the sink (a topic, Kafka headers).
};

class BlockBuilder {
 public:
  void add(std::string_view key, std::string_view payload, const Headers& headers = {});
  void add_tombstone(std::string_view key, const Headers& headers = {});
  void add(const Record& record);
  [[nodiscard]] std::uint64_t records() const { return records_; }
  [[nodiscard]] std::size_t bytes() const { return body_.size(); }
  /// The block; the builder is empty afterwards.
  std::string seal();

 private:
  void add_plain(std::string_view payload);
  void end_record(const Headers& headers);

  std::string body_;
  std::uint64_t records_ = 0;
};

/// The records of a block one by one, without keeping them.
class BlockReader {
 public:
  /// `block` outlives the reader and what it gives.
  explicit BlockReader(std::string_view block);

  /// Puts the next record into `record`. False: there is none; `status` says whether all were read.
  bool next(Record& record);
  /// How many there should be.
  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// Behind the last one. Errors: corrupt.
  [[nodiscard]] Status status() const;

 private:
  ByteReader reader_;
  std::size_t size_;
  std::uint8_t version_;
  std::uint64_t count_ = 0;  // As the block says.
  std::uint64_t read_ = 0;
};

/// Errors: corrupt. The records' views point into `block`.
Result<std::vector<Record>> read_block(std::string_view block);

/// The records of several blocks, in order. Errors: corrupt.
Result<std::vector<Record>> read_blocks(std::span<const std::string> blocks);

}  // namespace leat::sinks
