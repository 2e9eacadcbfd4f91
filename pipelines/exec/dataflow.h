// A running plan: the operators of one pipeline, wired. Single-threaded; the caller owns the thread and hands
// in batches and time, takes out rows, and asks for changes when it commits.
//
// Life cycle: build → load each saved entry → loaded → start → (prepare/push | tick | finish)* , save between
// any two of them. The result is the same however the input is cut into batches.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pipelines/exec/latency.h"
#include "pipelines/exec/operator.h"
#include "pipelines/plan/node.h"

namespace leat::exec {

/// What the dataflow gives out and reports to; lives longer than the dataflow.
class Environment : public Rejects {
 public:
  /// Rows for sink `sink` (index into Plan::sinks), in order. Errors fail the pipeline.
  virtual Status output(std::size_t sink, const Batch& batch) = 0;
};

/// State of a source as time sees it; what the idle rules need.
struct SourceStatus {
  /// True if it is connected and its queue is empty: only then the time without rows counts as idle.
  bool quiet = false;
  /// True if its queue is empty, connected or not: then operators on processing time see the clock go on.
  bool drained = false;
};

/// What has changed among the splits of a source, each with a watermark of its own.
struct SplitChanges {
  enum class Scope : std::uint8_t {
    kAll,   ///< `opened` are all that there are; of others that are known from before nothing will come.
    kSome,  ///< Beside those that there are already.
  };
  Scope scope = Scope::kSome;
  std::vector<std::string> opened;
  std::vector<std::string> ended;
};

/// Rows of one scan after its computed columns, before its watermark: what a merge of bounded inputs looks
/// at.
struct Prepared {
  Batch batch;  ///< ScanNode::rows; watermarks not set yet
  std::span<const std::int64_t>
      rowtimes;  ///< Empty if the table has no watermark; else one per row (NULL: kMinWatermark).
};

class LookupTables;  // lookup_table.h

struct DataflowOptions {
  std::uint64_t memory_max = 0;  ///< 'leat.memory.max'; 0: unbounded.
  std::uint64_t max_keys = 0;    ///< 'leat.state.max-keys', of each operator; 0: unbounded.
  /// 'leat.on-row-error' = 'fail': an expression that fails fails the pipeline, as in Flink.
  bool fail_on_row_error = false;
  /// The earliest plausible "now": with a clock before it 'max-ahead' is not judged.
  std::int64_t clock_plausible_from = 0;
  NanoClock nanos = nullptr;        ///< What operators' calls are timed by; null: they are not.
  LookupTables* lookups = nullptr;  ///< Outlives the dataflow. Null: plans that look rows up cannot run.
  /// Asked before each batch of each operator, and within those that take long: an error ends the dataflow in
  /// the midst of a batch, which is of no use behind it. For trials, whose time is bounded; null: never.
  std::function<Status()> go_on = nullptr;
};

class Dataflow {
 public:
  virtual ~Dataflow() = default;

  /// Gives out what needs no input (VALUES, a SELECT without FROM) and marks it as given in the state, so
  /// that it comes once in the life of the pipeline. After `loaded`, before the first `push`; `now` is the
  /// gateway's clock.
  virtual Status start(std::int64_t now) {
    (void)now;
    return {};
  }

  /// `batch` holds the decoded columns of scan `scan` (ScanNode: physical_wanted, then metadata) and intake
  /// times. Rows whose computed columns fail go to the dead letters here.
  virtual Result<Prepared> prepare(std::size_t scan, Batch batch) = 0;
  /// The intake times of prepared rows have been changed: columns that show the clock follow them.
  virtual void restamp(std::size_t scan, Batch& prepared) = 0;
  /// Takes the watermark of each row and runs everything behind it.
  virtual Status push(std::size_t scan, Batch prepared) = 0;

  /// Splits that begin hold the watermark of the scan back until their first rows, those that end do not any
  /// more. Before the first row of an opened one, behind the last one of an ended one.
  virtual Status change_splits(std::size_t scan, const SplitChanges& changes, std::int64_t now) = 0;

  /// Wall time passed: `now` and monotonic `elapsed_since_start` in microseconds; `sources` has one per scan.
  /// Applies the idle rules of section 3 of the design. Called about every 100 ms, and with simulated times
  /// in tests.
  virtual Status tick(std::int64_t now, std::int64_t monotonic, std::span<const SourceStatus> sources) = 0;
  /// The bounded scan has ended: its watermark is +∞.
  virtual Status finish(std::size_t scan, std::int64_t now) = 0;

  /// False when no row of the scan can change what the plan gives out any more: each of its ways ends at a
  /// LIMIT whose rows have come. Dead letters do not count.
  [[nodiscard]] virtual bool wants_rows(std::size_t scan) const = 0;

  virtual void save(StateChanges& changes) = 0;
  /// Errors: not found (no node with this fingerprint: the caller decides), corrupt.
  virtual Status load(std::string_view node, std::string_view key, std::string_view value) = 0;
  virtual Status loaded() = 0;

  /// The pipeline's watermark: the minimum over its scans (kMinWatermark: none yet).
  [[nodiscard]] virtual std::int64_t watermark() const = 0;

  struct OperatorInfo {
    std::string name;         ///< "scan readings", "window aggregate 1"; unique in the pipeline
    std::string description;  ///< EXPLAIN's line
    std::string fingerprint;  ///< Empty: stateless.
    std::vector<std::size_t> inputs;
    OperatorCounters counters;
    std::size_t memory_bytes = 0;
    std::size_t keys = 0;
    std::int64_t watermark = kMinWatermark;
    Latency latency;  ///< Of its calls with rows or a new watermark, since the dataflow was built.
  };
  [[nodiscard]] virtual std::vector<OperatorInfo> operators() const = 0;
  /// By `OperatorInfo::name`; unknown names are ignored.
  virtual void restore_counters(std::string_view name, const OperatorCounters& counters) = 0;
};

/// `environment` outlives the dataflow. Errors: invalid (a plan that cannot run), internal.
Result<std::unique_ptr<Dataflow>> build_dataflow(const plan::Plan& plan, const DataflowOptions& options,
                                                 Environment& environment);

}  // namespace leat::exec
