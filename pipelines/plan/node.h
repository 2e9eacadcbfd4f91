// The logical plan: bound, typed nodes, immutable and shared; a directed acyclic graph (two INSERTs that read
// one table share its Scan). EXPLAIN prints it; `exec` builds operators from it. A node has state or it has
// not; one that has is found again after a restart by its fingerprint.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/base/time.h"
#include "pipelines/column/type.h"
#include "pipelines/functions/aggregate.h"
#include "pipelines/functions/scalar.h"
#include "pipelines/plan/expr.h"

namespace leat::plan {

enum class NodeKind : std::uint8_t {
  kScan,
  kValues,
  kFilter,
  kProject,
  kWindowAssign,
  kWindowAggregate,
  kUnionAll,
  kSink,
  // From here on: OperatorNode.
  kMatch,
  kAbsence,
  kGapFill,
  kSparkplug,
  kOver,
  kOverBatch,
  kOverChanges,
  kRank,
  kWindowRank,
  kDeduplicate,
  kSort,
  kLimit,
  kJoin,
  kIntervalJoin,
  kWindowJoin,
  kTemporalJoin,
  kLookupJoin,
  kLookupTable,
  kUnnest,
  kGroupAggregate,
  kExpand,
  kSetOperation,
  kProcessingClock,
  kFinalRows,
  kUpsert,
  kToChangelog,
  kFromChangelog,
  kNormalize,
};

/// What a column's values mean for time; kept by projections that pass the column on unchanged.
enum class TimeAttribute : std::uint8_t { kNone, kRowTime, kProcTime };

struct Node;
using NodePtr = std::shared_ptr<const Node>;

struct Node {
  explicit Node(NodeKind node_kind) : kind(node_kind) {}
  virtual ~Node() = default;

  const NodeKind kind;
  std::vector<NodePtr> inputs;
  Schema schema;                               ///< Of the rows it gives out.
  std::vector<TimeAttribute> time_attributes;  ///< One per column of `schema`.
  /// True if its output may hold other rows than +I.
  bool updating = false;
  /// Identity of its state: a hash of its own text and of those below it; set for nodes with state (kScan
  /// with a watermark included). Two equal nodes of one pipeline are told apart by a suffix.
  std::string fingerprint;
};

struct WatermarkSpec {
  std::size_t column = 0;  ///< The rowtime, index into Scan::schema before pruning: into `rows` below.
  ExprPtr expr;            ///< Over `rows`; NULL gives no watermark.
  Micros idle_timeout{0};  ///< 'scan.watermark.idle-timeout' or table.exec.source.idle-timeout; 0: off.
  std::optional<std::size_t>
      partition_by;  ///< Column in `rows`: a watermark per value ('scan.watermark.partition-by').
  /// `partition_by` is the split that the source reads the row from: the source says which there are, and
  /// only with an idle time-out one is forgotten.
  bool by_split = false;
  std::optional<Micros> max_ahead;  ///< 'scan.watermark.max-ahead'.
  /// Batch mode: time stands still until the input ends, so that nothing is late.
  bool at_end_only = false;
};

/// Reads one table. In three steps, all column-wise: the source gives `decoded` columns (physical ones that
/// anybody needs, then metadata); `rows` computes from them the table's columns that anybody needs (computed
/// columns included); the watermark is taken from these; `output` picks what leaves the scan.
struct ScanNode final : Node {
  ScanNode() : Node(NodeKind::kScan) {}

  std::string table;  ///< Its name in the pipeline.
  std::string connector;
  OptionMap options;  ///< The whole WITH clause.
  bool bounded = false;

  Schema physical;  ///< All physical columns of the table, in order (what the format sees).
  std::vector<std::size_t> primary_key;      ///< Columns of `physical`.
  std::vector<std::size_t> physical_wanted;  ///< Indexes into `physical` that must be decoded, ascending.
  struct Metadata {
    std::string key;
    Type type;  ///< The connector's type; a cast to the declared one is part of `rows`.
  };
  std::vector<Metadata> metadata;  ///< Metadata to read, behind the physical columns in the decoded batch.
  /// The columns of PARTITIONED BY, whether they are read or not; each that is, is in `metadata` by its name.
  Schema partitions;

  /// A BOOLEAN in `rows`: the row says that the one of its key is gone, and has no values but the key's.
  std::optional<std::size_t> deletion;

  std::vector<ExprPtr> rows;  ///< Over the decoded batch.
  std::vector<std::string> row_names;
  std::optional<WatermarkSpec> watermark;
  /// Pushed-down predicates over `rows`, applied after the watermark was taken; rows they refuse count as
  /// filtered. Kept here only when every reader of the shared scan asks for it.
  ExprPtr filter;
  std::vector<std::size_t> output;  ///< Indexes into `rows`; gives `schema`.
};

/// Rows from the text itself: VALUES, or the one empty row of a SELECT without FROM.
struct ValuesNode final : Node {
  ValuesNode() : Node(NodeKind::kValues) {}
  std::vector<std::vector<ExprPtr>> rows;  ///< Expressions over no columns.
};

struct FilterNode final : Node {
  FilterNode() : Node(NodeKind::kFilter) {}
  ExprPtr predicate;  ///< Only TRUE passes.
};

struct ProjectNode final : Node {
  ProjectNode() : Node(NodeKind::kProject) {}
  std::vector<ExprPtr> exprs;
};

enum class WindowKind : std::uint8_t { kTumble, kHop, kCumulate, kSession };

struct WindowSpec {
  WindowKind kind = WindowKind::kTumble;
  std::size_t time_column = 0;  ///< In the input's schema.
  bool local_time =
      false;  ///< The time column is TIMESTAMP_LTZ: windows align to the session zone's wall clock.
  std::string time_zone = "UTC";
  Micros size{0};  ///< TUMBLE's and HOP's size, CUMULATE's maximal size, SESSION's gap.
  Micros step{0};  ///< HOP's slide, CUMULATE's step.
  Micros offset{0};
  std::vector<std::size_t> partition_by;  ///< SESSION's PARTITION BY columns in the input's schema.
  /// The time column is a PROCTIME(): who makes the node puts a ProcessingClock below it, and clears this.
  bool processing_time = false;
};

/// A window table function on its own: each row once per window it is in, with window_start, window_end
/// (TIMESTAMP(3)) and window_time behind its own columns. SESSION has state and waits for the watermark.
struct WindowAssignNode final : Node {
  WindowAssignNode() : Node(NodeKind::kWindowAssign) {}
  WindowSpec window;
};

struct AggregateCall {
  std::string name;  ///< For EXPLAIN: "COUNT(DISTINCT user)".
  functions::AggregatePtr function;
  std::vector<std::size_t> arguments;  ///< Columns of the input.
  std::optional<std::size_t> filter;  ///< FILTER (WHERE …): a BOOLEAN column of the input; only TRUE counts.
  std::string kind = {};  ///< The function without its arguments, for fingerprints: "COUNT DISTINCT".
};

/// Which property of the window a column of a window aggregate's output is.
enum class WindowProperty : std::uint8_t { kStart, kEnd, kTime };

/// 'table.exec.emit.…': when windows give results beside the one at their end. Delays are of the gateway's
/// clock; 0: with each row.
struct EmitStrategy {
  std::optional<Micros> early;  ///< Before the end; none: nothing.
  std::optional<Micros> late;   ///< Behind it; none: nothing, and `lateness` is 0.
  Micros lateness{0};           ///< For so long behind its end a window takes rows, by the watermark.
};

/// GROUP BY window_start, window_end [, window_time] and keys, over a window table function whose assignment
/// is folded in (its input is the function's input). Output: keys, then aggregates, then the window
/// properties.
struct WindowAggregateNode final : Node {
  WindowAggregateNode() : Node(NodeKind::kWindowAggregate) {}
  WindowSpec window;
  /// Set when the input already carries windows (a cascade): columns of window_start and window_end; rows
  /// then belong to that window and `window` only gives its kind.
  std::optional<std::pair<std::size_t, std::size_t>> attached;
  std::vector<std::size_t> keys;  ///< Columns of the input.
  std::vector<AggregateCall> calls;
  std::vector<WindowProperty> properties;
  std::optional<EmitStrategy>
      emit;  ///< Set for TUMBLE(ts, …) and HOP(ts, …) in GROUP BY: results are updated.
};

struct UnionAllNode final : Node {
  UnionAllNode() : Node(NodeKind::kUnionAll) {}
};

/// The end of an INSERT, or of a bare SELECT (`table` is empty then and so is `connector`).
struct SinkNode final : Node {
  SinkNode() : Node(NodeKind::kSink) {}
  std::string table;
  std::string connector;
  OptionMap options;
  std::vector<std::size_t> primary_key;  ///< Columns of `schema`.
  /// Persisted columns of the sink table, in order = `schema`; `metadata` names the writable metadata among
  /// them.
  std::vector<std::pair<std::size_t, std::string>> metadata;
  /// Columns of `schema` that the table is PARTITIONED BY, in the order of that clause.
  std::vector<std::size_t> partitions;
};

/// 'leat.late-rows': what becomes of rows that come too late; see late_rows.h.
struct LateRows {
  std::size_t sink = 0;  ///< Index into Plan::sinks, of a sink without inputs.
  struct Route {
    NodePtr node;  ///< An operator that drops late rows.
    std::size_t input = 0;
    std::vector<ExprPtr> columns;  ///< The sink's columns, over the rows of that input.
  };
  std::vector<Route> routes;
};

/// A whole pipeline file, planned.
struct Plan {
  std::vector<std::shared_ptr<const ScanNode>>
      scans;  ///< Each table that is read, once, in order of declaration.
  std::vector<std::shared_ptr<const SinkNode>> sinks;  ///< One per INSERT or bare SELECT, in order.
  std::optional<LateRows> late_rows;
  OptionMap settings;  ///< SET 'k' = 'v', checked.
  /// Things to know that are no errors: a precision that is cut, a window that has no idle time-out, …
  std::vector<std::string> warnings;
};

}  // namespace leat::plan
