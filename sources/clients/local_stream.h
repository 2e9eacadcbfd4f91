// 'connector' = 'stream': a named stream of rows inside a daemon, from one pipeline to others. What its sink
// and its source share: the declaration, as a pipeline's CREATE TABLE makes it, the options, and the blocks
// in which rows lie. Who keeps the blocks is daemon/store: they are written in the writer's commit, and
// deleted when every reader's commit has passed them.
//
// Grammar of a block (pipelines/base/bytes.h, pipelines/column/codec.h):
//   block := varint rows, row*
//   row   := cell*                  of all columns of the stream, in their order
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/ids.h"
#include "pipelines/base/options.h"
#include "pipelines/base/result.h"
#include "pipelines/column/batch.h"
#include "pipelines/column/column_builder.h"
#include "pipelines/plan/common_options.h"

namespace leat::sources {

/// A stream as one pipeline declares it.
struct LocalStream {
  std::string name;
  Schema columns;
  /// Of a table that is written: what its rows may take until they are read.
  std::uint64_t max_bytes = 0;
  std::optional<Micros> max_age;
  plan::OnFull on_full = plan::OnFull::kBlock;
};

struct StreamSourceOptions {
  std::string stream;
};
const OptionTable<StreamSourceOptions>& stream_source_options();

struct StreamSinkOptions : StreamSourceOptions {
  ByteSize max_bytes = plan::DeliveryOptions{}.buffer_max_bytes;
  std::optional<Micros> max_age;
  plan::OnFull on_full = plan::OnFull::kBlock;
};
const OptionTable<StreamSinkOptions>& stream_sink_options();
void check_stream_sink_options(const StreamSinkOptions& options, const OptionMap& map,
                               std::vector<OptionError>& errors);

/// The declaration that a table with valid options makes. Without 'stream' it has the table's name.
LocalStream local_stream(std::string_view declared_name, const OptionMap& options, const Schema& columns);

/// Columns and types, as two declarations of a stream must have them alike: "id BIGINT, v DOUBLE NOT NULL".
std::string describe_columns(const Schema& columns);

/// Appends the rows of a batch without kinds; the block's head is `seal_block`'s.
void append_rows(const Batch& batch, std::string& rows);
/// A whole block of `count` rows.
std::string seal_block(std::uint64_t count, std::string_view rows);
/// Appends the rows of a block to `builders`, which are of all columns. Errors: corrupt; the builders are as
/// before.
Result<std::uint64_t> read_block(std::string_view block, std::span<ColumnBuilder* const> builders);

struct StreamBlock {
  std::uint64_t number = 0;
  std::int64_t created = 0;  ///< Gateway clock of the writer's commit, microseconds.
  std::string body;
};

/// One reader of a stream: a table of a pipeline.
struct StreamReaderName {
  std::string stream;
  PipelineName pipeline;
  TableName table;
};

/// Who has the streams: the store, behind an interface so that sources need not know it.
class StreamReader {
 public:
  virtual ~StreamReader() = default;
  /// The blocks behind `after`, in order: about `max_bytes`, at least one if there is any. A reader that is
  /// new begins behind what was written before it was declared. Blocking, on any thread but the storage
  /// thread. Errors: io, unavailable: try again; not found (nobody has declared the reader).
  virtual Result<std::vector<StreamBlock>> read_stream(const StreamReaderName& reader, std::uint64_t after,
                                                       std::uint64_t max_bytes) = 0;
  /// Called on the storage thread when the stream has more blocks; it must not wait. An empty function takes
  /// it away: the old one is not called any more when this returns.
  virtual void on_stream(const StreamReaderName& reader, std::function<void()> wake) = 0;
};

}  // namespace leat::sources
