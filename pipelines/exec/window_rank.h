// Top-N of each window: the first rows of a partition in their order, given out once, when the watermark
// passes the window's end. Only the rows that can still be among them are kept. A row whose window has fired
// is late.
//
// A firing emits by the windows' ends, then by the arrival of the partitions' first rows, then by number.
//
// State, under the node's fingerprint: the rows of RankedRows, and
//   "m"       => zigzag watermark, zigzag intake time of the last row, varint next arrival
//   "k" cells => zigzag the watermark at which the partition fires, varint its arrival
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/column/column_builder.h"
#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/ranked_rows.h"
#include "pipelines/exec/state_entries.h"
#include "pipelines/exec/window_clock.h"

namespace leat::exec {

class WindowRank final : public Operator {
 public:
  /// Errors: invalid (an unknown time zone).
  static Result<std::unique_ptr<WindowRank>> make(const plan::WindowRankNode& node, OperatorContext context);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t key_count() const override { return due_.size(); }

 private:
  /// When a partition fires, and its place among those that fire then.
  using Firing = std::pair<std::int64_t, std::uint64_t>;
  struct Partition {
    Firing firing;  // Arrival 0: there is none.
    bool saved = false;
  };

  WindowRank(const plan::WindowRankNode& node, OperatorContext context, WindowClock clock);

  void take_row(const Batch& batch, std::size_t row);
  Status fire_until(std::int64_t watermark, std::int64_t intake_time, Output& out);
  void give(KeyId partition, std::int64_t fires_at, std::int64_t intake_time);
  Batch take_fired(std::int64_t watermark_after);
  void sweep();
  [[nodiscard]] std::string entry_key(KeyId partition);

  OperatorContext context_;
  std::string fingerprint_;
  Schema input_schema_;
  std::vector<std::size_t> passed_;
  std::size_t window_end_;
  bool gives_number_;
  std::size_t first_;
  std::size_t last_;
  WindowClock clock_;
  RankedRows rows_;
  std::vector<Partition> partitions_;
  std::map<Firing, KeyId> due_;
  std::vector<KeyId> unsaved_;
  ErasedEntries erased_;
  std::uint64_t next_arrival_ = 1;
  OperatorCounters counters_;
  std::int64_t watermark_ = kMinWatermark;
  std::int64_t intake_time_ = 0;
  bool progress_changed_ = false;

  std::vector<ColumnBuilder> fired_;
  std::vector<std::int64_t> fired_watermarks_;
  std::vector<std::int64_t> fired_intakes_;
  std::vector<KeyId> ids_;
  std::vector<std::uint32_t> late_rows_;
};

}  // namespace leat::exec
