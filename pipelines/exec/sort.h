// ORDER BY: rows wait and go on in their order.
//
// By rowtime: when the watermark has reached their time. A row at or before the last time that was given out
// is late; one behind the watermark only still finds its place. At the end (batch): when the input has ended;
// rows that the input takes back go, so that what is given out is the final result, all +I.
//
// State, under the node's fingerprint:
//   "m"          => zigzag watermark, zigzag last time given out, zigzag intake time of the last row
//   "r" sequence => a waiting row (row_store.h)
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/column/column_builder.h"
#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/row_store.h"
#include "pipelines/exec/sort_key.h"
#include "pipelines/plan/order_node.h"

namespace leat::exec {

class Sort final : public Operator {
 public:
  Sort(const plan::SortNode& node, OperatorContext context);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override;

 private:
  using Place = std::pair<std::string, std::uint64_t>;  // Sort key, sequence.
  struct Waiting {
    RowStore::Handle row = 0;
    std::int64_t time = 0;  // By rowtime.
  };

  void take_row(const Batch& batch, std::size_t row);
  void take_back(const Batch& batch, std::size_t row);
  /// Whether a row with the key at hand would only be pushed out again.
  [[nodiscard]] bool is_unwanted() const;
  void drop_unwanted();
  [[nodiscard]] bool is_due(std::int64_t time) const;
  Status fire_until(std::int64_t watermark, std::int64_t intake_time, Output& out);
  Batch take_fired(std::int64_t watermark_after);

  OperatorContext context_;
  std::string fingerprint_;
  Schema input_schema_;
  std::vector<std::size_t> passed_;
  bool at_end_;
  std::optional<std::uint64_t> wanted_;  // No more than so many rows are kept.
  std::size_t time_column_;
  SortKeyWriter writer_;
  RowStore rows_;
  std::map<Place, Waiting> waiting_;
  std::size_t key_bytes_ = 0;
  OperatorCounters counters_;
  std::int64_t watermark_ = kMinWatermark;
  std::int64_t last_time_ = kMinWatermark;
  std::int64_t intake_time_ = 0;
  bool progress_changed_ = false;

  std::vector<ColumnBuilder> fired_;
  std::vector<std::int64_t> fired_watermarks_;
  std::vector<std::int64_t> fired_intakes_;
  std::int64_t last_label_ = kMinWatermark;
  std::vector<std::uint32_t> late_rows_;
  std::string scratch_;
};

}  // namespace leat::exec
