// One scan's input: the source, its intake, the decoder, and the position. Reads what the source's thread has
// left in the intake and makes batches of it. On the pipeline's loop.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/runtime/message_decoder.h"
#include "daemon/runtime/message_tap.h"
#include "daemon/runtime/status.h"
#include "daemon/store/commit.h"
#include "pipelines/base/bytes.h"
#include "pipelines/base/result.h"
#include "pipelines/column/batch.h"
#include "pipelines/exec/dataflow.h"
#include "pipelines/formats/format.h"
#include "pipelines/plan/node.h"
#include "sources/intake.h"
#include "sources/source.h"

namespace leat::runtime {

struct ReaderContext {
  PipelineName pipeline;
  PipelineName identity = {};  ///< As in PipelineContext.
  std::string gateway_id;
  StoreId store;
  std::string journal_dir;  ///< Empty: no journal, whatever the table asks for (`leat run` without --state).
  std::string time_zone = "UTC";
  std::size_t chunk_bytes = 128 * 1024;
  std::function<std::int64_t()> now;
  std::function<void()> wake;                   ///< From any thread: there is something to read.
  sources::LocalTableReader* tables = nullptr;  ///< The store's; outlives the reader.
  sources::HttpPorts* ports = nullptr;          ///< The host's; outlives the reader.
  sources::StreamReader* streams = nullptr;     ///< The store's; outlives the reader.
  /// In place of the one that the table names; outlives the reader. Null: none is.
  const sources::SourceConnector* connector = nullptr;

  [[nodiscard]] const PipelineName& known_as() const { return identity.value.empty() ? pipeline : identity; }
};

/// Begins the names under which a commit keeps what sources remember; no operator's does.
inline constexpr std::string_view kMemoryPrefix = "source ";

class SourceReader {
 public:
  /// `committed` is the position of the last commit (empty: none). Errors: invalid, io (the journal), corrupt
  /// (the position). What happened to the journal is logged.
  static Result<std::unique_ptr<SourceReader>> create(const plan::ScanNode& scan,
                                                      const ReaderContext& context,
                                                      std::string_view committed);
  ~SourceReader();

  /// Under this name the commit keeps what the source remembers, beside the operators' state.
  [[nodiscard]] std::string memory_name() const { return std::string(kMemoryPrefix) + scan_.table; }
  /// One entry of it, before `start`. Errors: corrupt.
  Status restore(std::string_view key, std::string_view value) { return source_->restore(key, value); }
  /// Writes what changed of it up to `position`.
  void save(exec::StateChanges& changes) const;

  /// The table had another connector at the last commit: what that one remembered is not this one's.
  [[nodiscard]] bool begins_anew() const { return begins_anew_; }

  Status start();
  /// Begins what `stop` waits for, and returns at once.
  void begin_stop();
  /// Ends the source's threads; what is in the intake can still be read.
  void stop();

  /// As much of some messages as a batch holds: all, or, of what would become a great many cells, a piece.
  enum class Extent : std::uint8_t { kWhole, kPiece };
  /// Up to `max_bytes` of messages (at least one), decoded into the scan's columns; nullopt when there is
  /// nothing to read. The batch is not counted as processed before `processed` is called, and must be before
  /// the next `read`.
  Result<std::optional<Batch>> read(std::size_t max_bytes, Extent extent = Extent::kWhole);
  /// The next piece of the same messages; nullopt: that was all. No commit falls between the pieces.
  std::optional<Batch> read_piece();
  /// All rows of the last `read` are through the dataflow. Its undecodable records are appended to `dead`.
  void processed(std::vector<store::DeadLetter>& dead);

  /// What has changed among the splits of the source: what is opened before the rows of the last `read`, what
  /// has ended with those before it. Called between `read` and the rows' way through the dataflow.
  std::optional<exec::SplitChanges> take_split_changes();

  /// Somebody gets copies of all messages from now on.
  void add_tap(std::shared_ptr<MessageTap> tap);
  void end_taps(const std::string& why);

  /// Decodes messages that come back from the dead letters, as fresh ones: received now, at no position of
  /// the source. They count as processed; what is undecodable is appended to `dead` again.
  Batch replay(std::span<const sources::Message> messages, const HeapPtr& memory,
               std::vector<store::DeadLetter>& dead);

  /// True when the bounded source has ended and all of it has been read.
  [[nodiscard]] bool ended() const { return ended_; }
  /// True when time without rows counts as idle: connected, and nothing waits.
  [[nodiscard]] bool quiet() const;
  /// Nothing waits in its queue, whether connected or not.
  [[nodiscard]] bool drained() const;

  /// How many of the next `rows` rows were processed before the last commit, when that fell into the midst of
  /// a batch: they are not to be processed again. Counts down.
  std::size_t take_skipped(std::size_t rows);

  /// What a commit keeps: everything before it is processed, and the first `rows_done` rows of the batch
  /// under way.
  [[nodiscard]] std::string position(std::uint64_t rows_done = 0) const;
  /// The source's own part of it, as its tracker encodes it.
  [[nodiscard]] std::string source_position() const { return tracker_->encode(); }
  /// A finished commit kept this position: source and intake may forget what is before it.
  void committed(std::string_view position);

  [[nodiscard]] SourceStatus status() const;
  [[nodiscard]] sources::SourceHealth health() const;
  /// The source can read again what it has given out: waiting for room loses nothing.
  [[nodiscard]] bool rewinds() const { return connector_.intake == sources::IntakeKind::kMemory; }

  /// What a commit keeps of the counters.
  struct Saved {
    std::uint64_t decoded = 0;
    std::uint64_t empty = 0;
    std::uint64_t dead = 0;
    std::uint64_t rows = 0;
    std::uint64_t redelivered = 0;
    std::uint64_t dropped = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t received = 0;  ///< With what waited then. Missing in the first version.
    std::uint64_t lost = 0;      ///< Missing in the first version.
  };
  [[nodiscard]] Saved saved_counters() const;
  /// Messages of a source that cannot rewind, with what waits; they are worth a commit, so that they are
  /// missed when they are lost. Others: 0.
  [[nodiscard]] std::uint64_t received_for_good() const;
  /// Before `start`, in any case: what waits in the journal is added. What the commit counted as received and
  /// is not there any more is counted as lost, and logged.
  void restore_counters(const Saved& saved);

 private:
  SourceReader(PipelineName pipeline, const plan::ScanNode& scan, const sources::SourceConnector& connector);
  Status open_intake(const ReaderContext& context);
  void tell(const sources::JournalFindings& findings);
  void pass_over_lost();
  [[nodiscard]] Status check_end() const;
  void show_messages();
  Status make_source(const ReaderContext& context);
  Status make_decoder(const ReaderContext& context);
  void make_builders();
  Status take_messages(std::size_t max_bytes);
  [[nodiscard]] bool has_rest() const { return next_message_ < messages_.messages.size(); }
  std::optional<Batch> decode_next(Extent extent);
  [[nodiscard]] bool is_full(std::size_t rows) const;
  sources::Message take_part(Extent extent, std::size_t rows);
  [[nodiscard]] bool may_overfill(const sources::Message& part, std::size_t rows) const;
  [[nodiscard]] std::size_t part_bytes(std::string_view payload) const;
  /// The message's rows, each with its intake time.
  void decode_one(const sources::Message& message, SourceCounters& counters,
                  std::vector<store::DeadLetter>& dead, std::vector<std::int64_t>& intake_times);
  formats::DecodeCount decode(const sources::Message& message);
  void add_kinds(std::size_t rows);
  void add_records(const formats::DecodeCount& count, SourceCounters& counters) const;
  void reject(const sources::Message& message, std::vector<store::DeadLetter>& dead) const;
  Batch finish_batch(std::vector<std::int64_t> intake_times);

  const PipelineName pipeline_;
  const plan::ScanNode& scan_;  // Part of the plan, which the pipeline keeps.
  const sources::SourceConnector& connector_;
  formats::Framing framing_ = formats::Framing::kMessage;
  std::unique_ptr<sources::Intake> intake_;
  std::unique_ptr<sources::Source> source_;  // Destroyed before the intake it appends to.
  std::unique_ptr<sources::PositionTracker> tracker_;
  std::optional<MessageDecoder> decoder_;
  std::vector<ColumnBuilder> builders_;  // Physical columns, then metadata.
  std::vector<ColumnBuilder*> physical_;
  std::vector<ColumnBuilder*> metadata_;
  std::vector<formats::BadRecord> bad_;
  std::vector<RowKind> kinds_;       // Of the rows of the batch that is being decoded, where they have any.
  std::uint64_t refused_bytes_ = 0;  // Of the whole record that `bad_` holds the beginning of; 0: all of it.
  std::vector<store::DeadLetter> dead_;  // Of the batch that is under way.
  std::vector<std::shared_ptr<MessageTap>> taps_;
  sources::MessageBatch messages_;        // Of the batch that is under way.
  std::size_t next_message_ = 0;          // The first of them that is not decoded, or not to its end,
  std::size_t next_byte_ = 0;             // and where its rest begins.
  formats::RecordSplitter splitter_;      // Where records end in a payload of many; null: at each line's end.
  std::uint64_t taken_ = 0;               // Messages that are processed, since the start.
  std::vector<std::string> splits_;       // Sorted: the last set that was told of.
  std::vector<std::string> open_splits_;  // And the one of the messages that are processed.
  bool told_splits_ = false;
  std::deque<sources::SplitSet> endings_;  // Whose messages are not all processed yet.

  MessageNumber number_;  // All messages up to here are processed.
  std::string resume_;    // Where the source starts.
  bool begins_anew_ = false;
  std::uint64_t skip_ = 0;  // Rows behind `number_` that were processed before the restart.
  // decoded, empty, dead, rows and lost; the others are the intake's. What is under way is counted apart
  // until it is processed, so that a commit never counts what its position does not cover.
  SourceCounters counters_;
  SourceCounters under_way_;
  std::uint64_t set_aside_files_ = 0;
  std::uint64_t replayed_ = 0;  // Messages received through `replay`; the intake does not know them.
  /// A message of the intake holds many records (lines of a file, generated rows): these are what is counted.
  bool counts_records_ = false;
  bool compressed_ = false;  // Messages may be.
  bool divisible_ = false;   // A payload is some records, which the format decodes.
  bool started_ = false;
  bool ended_ = false;
};

}  // namespace leat::runtime
