// A commit: everything that one pipeline wants kept, as one object; all of it or nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/store/stream_store.h"
#include "daemon/store/table_status.h"
#include "pipelines/base/ids.h"
#include "pipelines/exec/operator.h"

namespace leat::store {

/// A sealed block for the outbox.
struct NewBlock {
  TableName sink;
  std::uint64_t records = 0;
  std::string bytes;         ///< sinks/block.h
  std::int64_t created = 0;  ///< Gateway clock, microseconds.
};

struct SourcePosition {
  TableName source;
  std::string position;  ///< As Source::start takes it.
};

/// Something that could not be used, kept for people.
struct DeadLetter {
  std::string origin;  ///< "source readings", "operator filter 1", "sink upstream"
  std::string reason;
  std::string payload;    ///< Raw bytes of the message or record; JSON of the row for an operator.
  std::string metadata;   ///< JSON object: topic, path, …
  std::int64_t time = 0;  ///< Gateway clock, microseconds.
  std::uint64_t payload_bytes =
      0;  ///< Of the whole payload, where `payload` is its beginning; 0: it is whole.
  // Of a source's message, so that it can be put back: as in sources::Message.
  std::string key = {};
  std::string attributes = {};
};

/// Of a dead letter's payload no more than this is kept: a message of 20 MB is to be recognised, not stored.
inline constexpr std::uint64_t kLongestDeadPayload = 256 << 10;

struct Commit {
  PipelineName pipeline;
  CommitNumber number;  ///< 1 + the pipeline's last.
  std::vector<SourcePosition> positions;
  std::vector<exec::StateChange> state;
  std::vector<NewBlock> blocks;
  std::vector<TableRows> tables;     ///< Rows of local tables.
  std::vector<StreamRows> streams;   ///< Blocks of streams, in order.
  std::vector<StreamPassed> passed;  ///< How far the pipeline has read its streams.
  std::vector<DeadLetter> dead_letters;
  std::vector<std::int64_t>
      replayed;           ///< Ids of dead letters that were processed as fresh messages: they go.
  std::string counters;   ///< The pipeline's counters, encoded by runtime.
  std::int64_t time = 0;  ///< Gateway clock, microseconds.
};

}  // namespace leat::store
