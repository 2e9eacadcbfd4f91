// One sink's output: rows of the dataflow become records, records become blocks for the outbox. On the
// pipeline's loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/runtime/status.h"
#include "daemon/store/commit.h"
#include "pipelines/base/bytes.h"
#include "pipelines/base/result.h"
#include "pipelines/column/batch.h"
#include "pipelines/formats/format.h"
#include "pipelines/formats/partition_folder.h"
#include "pipelines/plan/node.h"
#include "sinks/block.h"
#include "sinks/sink.h"
#include "sources/clients/local_stream.h"

namespace leat::runtime {

class SinkWriter final : private formats::EncodedSink {
 public:
  /// Errors: invalid (no such connector, format or key column).
  static Result<std::unique_ptr<SinkWriter>> create(const plan::SinkNode& sink, const std::string& time_zone);

  /// Encodes rows; full blocks are sealed. Rows that the format cannot write are appended to `dead`. `now`
  /// stamps blocks.
  void write(const Batch& batch, std::int64_t now, std::vector<store::DeadLetter>& dead);
  /// All rows for the local table since the last call; none: no rows, or no local table.
  std::optional<store::TableRows> take_rows();
  /// All rows for the stream since the last call, in blocks.
  std::vector<store::StreamRows> take_stream();
  /// The records go through the outbox.
  [[nodiscard]] bool delivers() const {
    using sinks::Encoding;
    return connector_.encoding == Encoding::kFormat || connector_.encoding == Encoding::kChangelog;
  }
  /// Null: the sink is no local table.
  [[nodiscard]] const std::shared_ptr<const sources::LocalTable>& table() const { return table_; }
  /// Null: the sink is no stream.
  [[nodiscard]] const std::shared_ptr<const sources::LocalStream>& stream() const { return stream_; }
  /// All blocks since the last call, the open one sealed.
  std::vector<store::NewBlock> take_blocks(std::int64_t now);
  /// Bytes that wait for `take_blocks`, `take_rows` and `take_stream`.
  [[nodiscard]] std::uint64_t pending_bytes() const {
    return sealed_bytes_ + builder_.bytes() + row_bytes_ + stream_rows_.size();
  }

  [[nodiscard]] const sinks::SinkConnector& connector() const { return connector_; }
  [[nodiscard]] const plan::SinkNode& node() const { return sink_; }
  [[nodiscard]] const formats::Format* format() const { return format_; }
  /// The record that names the columns of the values; empty: the format has none.
  [[nodiscard]] const std::string& header() const { return header_; }
  [[nodiscard]] SinkCounters& counters() { return counters_; }
  [[nodiscard]] const SinkCounters& counters() const { return counters_; }

 private:
  using BadRows = std::vector<std::pair<std::uint32_t, std::string>>;
  SinkWriter(const plan::SinkNode& sink, const sinks::SinkConnector& connector);
  Status make_value_encoder();
  [[nodiscard]] Result<std::vector<std::size_t>> find_key_columns() const;
  Status make_key_encoder();
  void encode_keys(const Batch& batch, BadRows& bad);
  void encode(const Batch& batch, BadRows& bad);
  void write_partitions(Batch batch, std::vector<store::DeadLetter>& dead);
  void write_upserts(Batch batch, std::vector<store::DeadLetter>& dead);
  void write_changelog(const Batch& batch);
  void write_rows(const Batch& batch, std::vector<store::DeadLetter>& dead);
  void write_stream(const Batch& batch, std::vector<store::DeadLetter>& dead);
  void seal_stream();
  void refuse_nulls(const Batch& batch, BadRows& bad) const;
  void bury(const Batch& batch, BadRows& bad, std::vector<store::DeadLetter>& dead);
  void record(std::size_t row, std::string_view bytes) override;
  void added();
  void seal(std::int64_t now);

  const plan::SinkNode& sink_;  // Part of the plan, which the pipeline keeps.
  const sinks::SinkConnector& connector_;
  const formats::Format* format_ = nullptr;
  std::string header_;
  std::string time_zone_;
  std::unique_ptr<formats::Encoder> encoder_;
  std::vector<std::size_t> key_columns_;
  std::unique_ptr<formats::Encoder> key_encoder_;     // Null: the one key column's text.
  std::vector<std::size_t> value_columns_;            // Empty: all.
  std::optional<formats::PartitionFolders> folders_;  // Of a table with partitions: the keys.
  std::vector<std::string> keys_;                     // Of the batch that is being written; empty: no keys.
  std::size_t first_row_ = 0;                         // Of the piece of it that is being encoded.
  std::uint64_t block_records_ = 0;  // A block is sealed at so many records or bytes: it is never cut again,
  std::size_t block_bytes_ = 0;      // so it must fit into what the sink takes at once.
  sinks::BlockBuilder builder_;
  std::vector<store::NewBlock> sealed_;
  std::uint64_t sealed_bytes_ = 0;
  std::int64_t now_ = 0;
  std::shared_ptr<const sources::LocalTable> table_;
  std::vector<Batch> rows_;  // For the table.
  std::uint64_t row_bytes_ = 0;
  std::shared_ptr<const sources::LocalStream> stream_;
  std::string stream_rows_;  // Of the open block, and how many they are.
  std::uint64_t stream_row_count_ = 0;
  std::vector<store::StreamRows> stream_blocks_;
  SinkCounters counters_;
};

}  // namespace leat::runtime
