// The operators of a dataflow as a graph: which rows go where, under which names. Built once from a plan.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "pipelines/exec/dataflow.h"
#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/input_clock.h"
#include "pipelines/exec/late_router.h"
#include "pipelines/exec/latency.h"
#include "pipelines/exec/scan.h"
#include "pipelines/exec/values.h"

namespace leat::exec {

/// An operator in its place: hands what it gives out to all that read it, in the order of the plan.
class Stage final : public Output {
 public:
  /// The stopwatch is the wiring's, as is what asks whether to go on.
  Stage(std::string name, const plan::Node& node, Stopwatch& stopwatch, const std::function<Status()>& ask)
      : name_(std::move(name)), node_(&node), stopwatch_(&stopwatch), ask_(&ask) {}

  /// Its operator's `process` and `advance`, timed.
  Status process(std::size_t input, const Batch& batch) {
    LEAT_TRY(go_on());
    return stopwatch_->measure(latency_, [&] { return operator_->process(input, batch, *this); });
  }
  Status advance_input(std::size_t input, std::int64_t watermark, std::int64_t now) {
    LEAT_TRY(go_on());
    return stopwatch_->measure(latency_, [&] { return operator_->advance(input, watermark, now, *this); });
  }

  Status emit(Batch batch) override;
  Status advance(std::int64_t watermark, std::int64_t now) override;
  [[nodiscard]] Status go_on() override { return *ask_ ? (*ask_)() : Status(); }

  void set_operator(std::unique_ptr<Operator> op) { operator_ = std::move(op); }
  void add_reader(Stage& reader, std::size_t input) { readers_.push_back({&reader, input}); }
  void add_input(std::size_t stage) { inputs_.push_back(stage); }
  [[nodiscard]] bool is_read() const { return !readers_.empty(); }

  [[nodiscard]] Operator& op() { return *operator_; }
  [[nodiscard]] const Operator& op() const { return *operator_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const plan::Node& node() const { return *node_; }
  [[nodiscard]] const std::vector<std::size_t>& inputs() const { return inputs_; }
  [[nodiscard]] std::int64_t watermark() const { return watermark_; }
  [[nodiscard]] const Latency& latency() const { return latency_; }
  /// What its state is found by; empty: it has none.
  [[nodiscard]] std::string fingerprint() const;

 private:
  struct Reader {
    Stage* stage;  // In the same wiring.
    std::size_t input;
  };
  std::string name_;
  const plan::Node* node_;  // Owned by the plan's sinks, which the wiring keeps.
  std::unique_ptr<Operator> operator_;
  std::vector<Reader> readers_;
  std::vector<std::size_t> inputs_;
  std::int64_t watermark_ = kMinWatermark;  // Handed on.
  Stopwatch* stopwatch_;
  const std::function<Status()>* ask_;
  Latency latency_;
};

struct Wiring {
  std::vector<std::shared_ptr<const plan::Node>> roots;  ///< Keep the nodes alive.
  std::unique_ptr<Stopwatch> stopwatch;                  ///< Of all stages.
  std::unique_ptr<std::function<Status()>> go_on;        ///< Of all stages: DataflowOptions::go_on.
  std::vector<std::unique_ptr<Stage>> stages;            ///< Inputs before those that read them.
  /// By scan of the plan: its stage; null if nothing reads the table.
  std::vector<Stage*> scan_stages;
  std::vector<Scan*> scans;
  /// An input of an operator that has several.
  struct JoinedInput {
    MultiInputOperator* op = nullptr;
    Stage* stage = nullptr;
    std::size_t input = 0;
    std::vector<std::size_t> scans;  ///< Scans of the plan whose rows come in here.
    bool only_scans = true;          ///< No VALUES among its sources.
  };
  std::vector<JoinedInput> joined_inputs;
  std::vector<Stage*> values;
  /// By scan of the plan: its rows reach one operator on two ways, so their order there would depend on the
  /// batches unless each row goes all its ways before the next one.
  std::vector<bool> meets_itself;
};

/// Errors: invalid (a plan that cannot run), internal.
Result<Wiring> wire(const plan::Plan& plan, const DataflowOptions& options, LateRouter& environment);

}  // namespace leat::exec
