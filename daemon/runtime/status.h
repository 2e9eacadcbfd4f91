// What a pipeline shows of itself: a snapshot between two batches, for the API, the metrics and the tests.
// Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/runtime/delivery_status.h"
#include "daemon/store/store.h"
#include "pipelines/base/ids.h"
#include "pipelines/base/result.h"
#include "pipelines/exec/dataflow.h"
#include "pipelines/plan/common_options.h"
#include "sources/intake.h"
#include "sources/source.h"

namespace leat::runtime {

/// Messages of one source since the pipeline was first started. Always:
/// received = decoded + empty + dead + redelivered + dropped + queued.
/// For files a message is a line, for datagen a row; those that wait in the intake are not counted as
/// received yet.
struct SourceCounters {
  std::uint64_t received = 0;
  std::uint64_t decoded = 0;
  std::uint64_t empty = 0;
  std::uint64_t dead = 0;  ///< Undecodable: gone to the dead letters, or skipped as the user asked.
  std::uint64_t redelivered = 0;
  std::uint64_t dropped = 0;  ///< QoS 0 beyond the intake's reserve, and what was lost.
  std::uint64_t lost = 0;     ///< Of these: had been taken in, and could not be read any more.
  std::uint64_t queued = 0;   ///< Waiting in the intake.
  std::uint64_t rows = 0;     ///< Rows that the decoded messages gave.
  std::uint64_t received_bytes = 0;
};

/// Records of one sink. Always: emitted = delivered + rejected + dropped + waiting.
struct SinkCounters {
  std::uint64_t rows = 0;     ///< Rows that reached the sink.
  std::uint64_t dead = 0;     ///< Rows that the format could not write; gone to the dead letters.
  std::uint64_t emitted = 0;  ///< Records put into the outbox, the open block included; rows for a table.
};

struct SourceStatus {
  TableName table;
  std::string connector;
  sources::SourceHealth health;
  SourceCounters counters;
  std::uint64_t intake_bytes = 0;
  std::uint64_t set_aside_files = 0;  ///< Damaged parts of its journal, beside it, as of its opening.
  bool rewinds = false;  ///< It can read again what is behind its position (files, generated data).
};

struct SinkStatus {
  TableName table;
  std::string connector;
  SinkCounters counters;
  bool local_table = false;   ///< A local table: emitted = written + waiting.
  bool stream = false;        ///< A stream: as for a local table.
  std::uint64_t written = 0;  ///< Rows of a local table, or of a stream, in finished commits.
  /// False for blackhole, for local tables, for streams and for the rows of a bare SELECT; then nothing below
  /// counts.
  bool outbox = false;
  DeliveryStatus delivery;
  plan::DeliveryOptions options;
  store::OutboxLevel waiting;
  Throughput::PerSecond rate;  ///< Delivered, over the last minute.
};

enum class PipelineState : std::uint8_t {
  kStarting,
  kRunning,
  kStalled,   ///< Waits: the outbox is full, the store refuses a commit.
  kFinished,  ///< All inputs were bounded, are read to their end, and everything is delivered.
  kFailed,    ///< Stopped by an error; `error` says which.
  kPaused,    ///< Somebody paused it: nothing comes in, what it had made is delivered.
  kStopped,
};
std::string_view to_string(PipelineState state);
/// It does what it is there for, has done it, or is about to.
bool is_up(PipelineState state);

struct PipelineStatus {
  PipelineName name;
  std::string file;
  PipelineState state = PipelineState::kStarting;
  std::string error;  ///< The last error, whole (with the caret text of a wrong file).
  ErrorCode error_code = ErrorCode::kInternal;  ///< Of a failed pipeline.
  std::string waiting_for;                      ///< Why it is stalled.
  std::int64_t watermark = kMinWatermark;
  std::vector<SourceStatus> sources;
  std::vector<exec::Dataflow::OperatorInfo> operators;
  std::vector<SinkStatus> sinks;
  CommitNumber last_commit;
  std::int64_t last_commit_time = 0;     ///< Gateway clock, microseconds; 0: none yet.
  std::int64_t last_commit_micros = 0;   ///< How long the store took.
  std::int64_t commit_waits_micros = 0;  ///< How long the store has been at the commit under way; 0: none is.
  std::uint64_t dead_letters = 0;        ///< Written since the pipeline was first started.
  std::uint64_t restarts = 0;
  /// Why a newer text does not run in the place of this one: its file's, or that of a file that names its
  /// pipeline like this one. "": there is none.
  std::string refused;
};

/// One sentence for each source that has no connection or cannot be read, and for each sink whose results
/// cannot go, as the far side does not take them.
std::vector<std::string> outages(const PipelineStatus& status, std::int64_t now);

/// A commit that takes longer shows that the disk is not well.
constexpr std::int64_t kSlowCommitMicros = 10'000'000;

/// One sentence for each thing that a disk refuses or is too slow for.
std::vector<std::string> disk_troubles(const PipelineStatus& status);

/// One sentence for each source whose journal was damaged: what is lost, what was set aside.
std::vector<std::string> journal_damages(const PipelineStatus& status);

/// Every equation of the accounting that does not hold, as a sentence with its numbers; empty when all hold.
std::vector<std::string> accounting_violations(const PipelineStatus& status);

}  // namespace leat::runtime
