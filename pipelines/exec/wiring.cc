#include "pipelines/exec/wiring.h"

#include <algorithm>
#include <map>
#include <set>

#include "pipelines/exec/emit_aggregate.h"
#include "pipelines/exec/operator_table.h"
#include "pipelines/exec/processing_clock.h"
#include "pipelines/exec/session_aggregate.h"
#include "pipelines/exec/stateless.h"
#include "pipelines/exec/union_all.h"
#include "pipelines/exec/window_aggregate.h"
#include "pipelines/exec/window_assign.h"
#include "pipelines/plan/operator_names.h"

namespace leat::exec {

Status Stage::emit(Batch batch) {
  if (batch.size == 0 && batch.watermark_after <= watermark_) return {};
  watermark_ = std::max(watermark_, batch.watermark_after);
  for (const Reader& reader : readers_) LEAT_TRY(reader.stage->process(reader.input, batch));
  return {};
}

Status Stage::advance(std::int64_t watermark, std::int64_t now) {
  if (watermark <= watermark_) return {};
  watermark_ = watermark;
  for (const Reader& reader : readers_) LEAT_TRY(reader.stage->advance_input(reader.input, watermark, now));
  return {};
}

std::string Stage::fingerprint() const {
  if (!node_->fingerprint.empty() || node_->kind != plan::NodeKind::kValues) return node_->fingerprint;
  return name_;
}

namespace {

class Wirer {
 public:
  Wirer(const plan::Plan& plan, const DataflowOptions& options, LateRouter& environment)
      : plan_(plan), options_(options), environment_(environment), names_(plan::operator_names(plan)) {}

  Result<Wiring> wire() {
    wiring_.stopwatch = std::make_unique<Stopwatch>(options_.nanos);
    wiring_.go_on = std::make_unique<std::function<Status()>>(options_.go_on);
    wiring_.scan_stages.resize(plan_.scans.size());
    wiring_.scans.resize(plan_.scans.size());
    wiring_.meets_itself.resize(plan_.scans.size());
    for (const auto& scan : plan_.scans) wiring_.roots.push_back(scan);
    for (const auto& sink : plan_.sinks) {
      wiring_.roots.push_back(sink);
      LEAT_TRY(add(*sink).map([](std::size_t) {}));
    }
    for (const auto& [stage, op] : multi_input_) add_inputs(*stage, *op);
    if (plan_.late_rows) route_late_rows(*plan_.late_rows);
    add_shared_tables();
    return std::move(wiring_);
  }

 private:
  /// The place of the node's stage, made with all stages below it at the first call.
  Result<std::size_t> add(const plan::Node& node) {
    if (const auto known = index_.find(&node); known != index_.end()) return known->second;
    std::vector<std::size_t> inputs;
    for (const plan::NodePtr& input : node.inputs) {
      LEAT_ASSIGN(const std::size_t index, add(*input));
      inputs.push_back(index);
    }
    const std::size_t index = wiring_.stages.size();
    wiring_.stages.push_back(
        std::make_unique<Stage>(names_.at(&node), node, *wiring_.stopwatch, *wiring_.go_on));
    Stage& stage = *wiring_.stages.back();
    LEAT_ASSIGN(auto op, make_operator(node, stage));
    stage.set_operator(std::move(op));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      wiring_.stages[inputs[i]]->add_reader(stage, i);
      stage.add_input(inputs[i]);
    }
    index_.emplace(&node, index);
    return index;
  }

  Result<std::unique_ptr<Operator>> make_operator(const plan::Node& node, Stage& stage) {
    OperatorContext context{stage.name(), &environment_,
                            options_.fail_on_row_error ? RowErrorPolicy::kFail : RowErrorPolicy::kDeadLetter,
                            options_.lookups};
    switch (node.kind) {
      case plan::NodeKind::kScan:
        return make_scan(static_cast<const plan::ScanNode&>(node), std::move(context), stage);
      case plan::NodeKind::kValues:
        wiring_.values.push_back(&stage);
        return std::make_unique<Values>(static_cast<const plan::ValuesNode&>(node), std::move(context),
                                        stage.fingerprint());
      case plan::NodeKind::kFilter:
        return std::make_unique<Filter>(static_cast<const plan::FilterNode&>(node), std::move(context));
      case plan::NodeKind::kProject:
        return std::make_unique<Project>(static_cast<const plan::ProjectNode&>(node), std::move(context));
      case plan::NodeKind::kWindowAssign:
        return make_assign(static_cast<const plan::WindowAssignNode&>(node), std::move(context));
      case plan::NodeKind::kWindowAggregate:
        return make_aggregate(static_cast<const plan::WindowAggregateNode&>(node), std::move(context));
      case plan::NodeKind::kProcessingClock:
        return std::make_unique<ProcessingClock>(static_cast<const plan::ProcessingClockNode&>(node),
                                                 std::move(context), options_.clock_plausible_from);
      case plan::NodeKind::kUnionAll:
        return make_multi_input(std::make_unique<UnionAll>(node.inputs.size()), stage);
      case plan::NodeKind::kSink:
        return make_sink(static_cast<const plan::SinkNode&>(node));
      default:  // An OperatorNode.
        break;
    }
    LEAT_ASSIGN(MadeOperator made,
                make_node_operator(plan::as_operator_node(node), std::move(context), options_.memory_max));
    if (made.multi_input != nullptr) multi_input_.emplace_back(&stage, made.multi_input);
    return std::move(made.op);
  }

  std::unique_ptr<Operator> make_multi_input(std::unique_ptr<MultiInputOperator> op, Stage& stage) {
    multi_input_.emplace_back(&stage, op.get());
    return op;
  }

  Result<std::unique_ptr<Operator>> make_scan(const plan::ScanNode& node, OperatorContext context,
                                              Stage& stage) {
    const auto is_this = [&](const auto& scan) { return scan.get() == &node; };
    const auto found = std::find_if(plan_.scans.begin(), plan_.scans.end(), is_this);
    if (found == plan_.scans.end())
      return fail(ErrorCode::kInternal, "the scan of '" + node.table + "' is not listed in the plan");
    if (node.watermark && node.watermark->partition_by && !node.watermark->by_split &&
        node.watermark->idle_timeout.count() == 0)
      return fail(ErrorCode::kInvalid, "'scan.watermark.partition-by' of table '" + node.table +
                                           "' needs 'scan.watermark.idle-timeout'");
    auto scan = std::make_unique<Scan>(node, std::move(context), options_.clock_plausible_from);
    const auto index = static_cast<std::size_t>(found - plan_.scans.begin());
    wiring_.scans[index] = scan.get();
    wiring_.scan_stages[index] = &stage;
    return scan;
  }

  static Result<std::unique_ptr<Operator>> make_assign(const plan::WindowAssignNode& node,
                                                       OperatorContext context) {
    if (node.window.kind == plan::WindowKind::kSession) return SessionAssign::make(node, std::move(context));
    return WindowAssign::make(node);
  }

  Result<std::unique_ptr<Operator>> make_aggregate(const plan::WindowAggregateNode& node,
                                                   OperatorContext context) const {
    if (node.emit) return EmitAggregate::make(node, std::move(context), options_.clock_plausible_from);
    if (node.window.kind == plan::WindowKind::kSession && !node.attached)
      return SessionAggregate::make(node, std::move(context));
    return WindowAggregate::make(node, std::move(context));
  }

  Result<std::unique_ptr<Operator>> make_sink(const plan::SinkNode& node) {
    const auto is_this = [&](const auto& sink) { return sink.get() == &node; };
    const auto found = std::find_if(plan_.sinks.begin(), plan_.sinks.end(), is_this);
    const auto index = static_cast<std::size_t>(found - plan_.sinks.begin());
    Environment& environment = environment_;
    return std::make_unique<SinkOutput>(
        [&environment, index](const Batch& batch) { return environment.output(index, batch); });
  }

  void route_late_rows(const plan::LateRows& late) {
    Stage& sink = *wiring_.stages[index_.at(plan_.sinks[late.sink].get())];
    for (const plan::LateRows::Route& route : late.routes)
      environment_.add_route(wiring_.stages[index_.at(route.node.get())]->name(),
                             route.node->inputs[route.input]->schema, route.columns, sink);
  }

  /// Rows that reach one table on several ways, by INSERTs or as late rows, are there in the order of the
  /// rows that they come from, however those are batched.
  void add_shared_tables() {
    std::map<std::string_view, std::vector<std::size_t>> ways;  // The stages that give a table its rows.
    for (const auto& sink : plan_.sinks) {
      if (sink->connector.empty()) continue;
      for (const std::size_t input : wiring_.stages[index_.at(sink.get())]->inputs())
        ways[sink->table].push_back(input);
    }
    if (plan_.late_rows)
      for (const plan::LateRows::Route& route : plan_.late_rows->routes)
        ways[plan_.sinks[plan_.late_rows->sink]->table].push_back(index_.at(route.node.get()));
    for (const auto& [table, stages] : ways) mark_meetings(stages);
  }

  void mark_meetings(const std::vector<std::size_t>& stages) {
    std::set<std::size_t> seen;
    for (const std::size_t stage : stages) {
      std::set<std::size_t> scans;
      bool only_scans = true;
      collect_sources(stage, scans, only_scans);
      for (const std::size_t scan : scans)
        if (!seen.insert(scan).second) wiring_.meets_itself[scan] = true;
    }
  }

  void add_inputs(Stage& stage, MultiInputOperator& op) {
    std::set<std::size_t> seen;
    for (std::size_t input = 0; input < stage.inputs().size(); ++input) {
      Wiring::JoinedInput added{&op, &stage, input, {}, true};
      std::set<std::size_t> scans;
      collect_sources(stage.inputs()[input], scans, added.only_scans);
      for (const std::size_t scan : scans)
        if (!seen.insert(scan).second) wiring_.meets_itself[scan] = true;
      added.scans.assign(scans.begin(), scans.end());
      wiring_.joined_inputs.push_back(std::move(added));
    }
  }

  void collect_sources(std::size_t index, std::set<std::size_t>& scans, bool& only_scans) const {
    const Stage& stage = *wiring_.stages[index];
    if (stage.node().kind == plan::NodeKind::kValues) only_scans = false;
    for (std::size_t scan = 0; scan < wiring_.scan_stages.size(); ++scan)
      if (wiring_.scan_stages[scan] == &stage) scans.insert(scan);
    for (const std::size_t input : stage.inputs()) collect_sources(input, scans, only_scans);
  }

  const plan::Plan& plan_;
  const DataflowOptions& options_;
  LateRouter& environment_;
  Wiring wiring_;
  const std::unordered_map<const plan::Node*, std::string> names_;  // By node of `plan_`.
  std::map<const plan::Node*, std::size_t> index_;
  std::vector<std::pair<Stage*, MultiInputOperator*>> multi_input_;  // Inputs before those that read them.
};

}  // namespace

Result<Wiring> wire(const plan::Plan& plan, const DataflowOptions& options, LateRouter& environment) {
  return Wirer(plan, options, environment).wire();
}

}  // namespace leat::exec
