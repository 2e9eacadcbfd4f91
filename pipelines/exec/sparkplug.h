// SPARKPLUG: the rows of payloads as what they are, with the births that came before them
// (plan/sparkplug_node.h says what comes out; sparkplug_births.h what is kept).
//
// A payload's rows come one behind the other, and the first that arrives is the payload: it is judged by that
// row, whose births, deaths and gaps come out in front of it. It need not be the one with metric_index 0:
// rows whose ts cannot be used are dead letters before they are here, and a birth or a death must not go with
// one of them. A row in the midst of a payload needs only what is kept, so that a commit may fall there.
//
// Times: what happens to an edge node (its death, a request) has that of the gateway, as an NDEATH was
// written when its connection began. Where ts is the rowtime, it is not behind the watermark.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/sparkplug_births.h"
#include "pipelines/exec/sparkplug_topic.h"
#include "pipelines/plan/sparkplug_node.h"

namespace leat::exec {

class Sparkplug final : public Operator {
 public:
  Sparkplug(const plan::SparkplugNode& node, OperatorContext context);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override { births_.save(fingerprint_, changes); }
  Status load(std::string_view key, std::string_view value) override { return births_.load(key, value); }
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override { return births_.memory_bytes(); }
  [[nodiscard]] std::size_t key_count() const override { return births_.size(); }

 private:
  enum class Event : std::uint8_t { kOnline, kValue, kOffline, kStale, kUnknown, kRebirth };
  /// The row at hand, and of whom it is.
  struct At {
    const Batch& batch;
    std::uint32_t row;
    const SparkplugTopic& topic;
    EdgeNode& node;
    BornDevice& device;
  };
  /// A row to give out.
  struct Made {
    Event event;
    std::string_view device;
    const BornMetric* metric = nullptr;  ///< What is known of it; null: nothing.
    std::int64_t ts = 0;                 ///< Of events that are no metric's value.
    std::string_view reason = {};
  };

  void take_row(const Batch& batch, std::uint32_t row);
  bool begins_payload(const At& at);
  void begin(const At& at);
  void begin_birth(const At& at);
  void check_data(const At& at);
  void check_seq(const At& at);
  [[nodiscard]] bool ends_session(const At& at) const;
  [[nodiscard]] bool is_of_earlier_connection(const At& at) const;
  void end_node(const At& at);
  void end_device(const At& at);
  void take_off(const At& at, BornDevice& device, std::int64_t ts);
  void take_metric(const At& at);
  void take_born(const At& at);
  void take_data(const At& at);
  void ask(const At& at, std::string_view reason);

  [[nodiscard]] const Column& column(const At& at, sparkplug::Role role) const;
  [[nodiscard]] std::optional<std::int64_t> whole(const At& at, sparkplug::Role role) const;
  [[nodiscard]] std::string_view text(const At& at, sparkplug::Role role) const;
  [[nodiscard]] std::int64_t event_time(const At& at) const;
  [[nodiscard]] std::int64_t row_time(const At& at) const;

  void emit(const At& at, const Made& made);
  void append_own(const At& at, const Made& made);
  void append_cell(const At& at, const Made& made, sparkplug::Role role, const Column& from,
                   ColumnBuilder& out);
  static void append_event_cell(const Made& made, sparkplug::Role role, ColumnBuilder& out);
  bool append_born_cell(const At& at, const BornMetric& metric, sparkplug::Role role, const Column& from,
                        ColumnBuilder& out) const;
  Batch take(const Batch& batch);

  std::string fingerprint_;
  std::vector<plan::SparkplugNode::Own> own_;
  std::vector<std::size_t> passed_;
  std::vector<std::optional<sparkplug::Role>> roles_;
  std::size_t topic_column_;
  std::vector<std::size_t> column_of_;  // By role; of those that the node needs.
  bool ts_is_rowtime_;
  std::int64_t rebirth_interval_;
  SparkplugBirths births_;
  OperatorCounters counters_;

  // The topic of the row before, which is mostly that of this one.
  std::string topic_text_;
  SparkplugTopic topic_;
  EdgeNode* node_ = nullptr;  // Null: the topic is none of ours.
  BornDevice* device_ = nullptr;

  std::vector<ColumnBuilder> own_cells_;
  std::vector<ColumnBuilder> cells_;  // By `passed_`; those of columns with a role are used.
  std::vector<std::uint32_t> rows_;   // Whose other columns each row that is given out has.
};

}  // namespace leat::exec
