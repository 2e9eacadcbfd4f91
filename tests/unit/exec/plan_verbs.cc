#include "tests/unit/exec/plan_verbs.h"

#include "pipelines/plan/processing_clock.h"

#include <algorithm>
#include <functional>

namespace leat::exec::test {
namespace {

using functions::CallContext;
using functions::Datum;
using plan::Expr;
using plan::ExprKind;
using plan::ExprPtr;
using plan::NodePtr;

ExprPtr call_of(const Type& type, std::vector<ExprPtr> children, functions::Kernel kernel,
                std::string name = {}) {
  Expr expr;
  expr.kind = ExprKind::kCall;
  expr.type = type;
  expr.children = std::move(children);
  expr.call.result = type;
  expr.call.kernel = std::move(kernel);
  expr.name = std::move(name);
  return std::make_shared<const Expr>(std::move(expr));
}

/// A kernel of BIGINTs that is NULL where an argument is.
template <class Function>
functions::Kernel integer_kernel(const Type& result, Function function) {
  return [result, function](const CallContext& context, std::span<const Datum> arguments) {
    ColumnBuilder builder(result);
    for (std::size_t row = 0; row < context.rows; ++row) {
      const bool null = std::any_of(arguments.begin(), arguments.end(), [&](const Datum& datum) {
        return datum.column->is_null(datum.index(row));
      });
      const auto at = [&](std::size_t i) {
        return arguments[i].column->values<std::int64_t>()[arguments[i].index(row)];
      };
      const Value value = null ? Value::null() : function(context, row, at);
      builder.append_value(value);
    }
    return builder.finish();
  };
}

ExprPtr minus(ExprPtr time, Micros delay) {
  const Type type = time->type;
  return call_of(type, {std::move(time)},
                 integer_kernel(type, [delay](const CallContext&, std::size_t, auto at) {
                   return Value::integer(at(0) - delay.count());
                 }));
}

class CountAggregate final : public functions::Aggregate {
 public:
  [[nodiscard]] Type result_type() const override { return Type::big_int(); }
  [[nodiscard]] std::vector<Type> argument_types() const override { return {}; }
  [[nodiscard]] std::size_t state_size() const override { return sizeof(std::int64_t); }
  void init(std::byte* state) const override { at(state) = 0; }
  void update(std::span<const ColumnPtr>, std::span<const std::uint32_t> rows,
              std::byte* const* states) const override {
    for (std::size_t i = 0; i < rows.size(); ++i) ++at(states[i]);
  }
  void retract(std::span<const ColumnPtr>, std::span<const std::uint32_t> rows,
               std::byte* const* states) const override {
    for (std::size_t i = 0; i < rows.size(); ++i) --at(states[i]);
  }
  [[nodiscard]] bool retractable() const override { return true; }
  void merge(std::byte* into, const std::byte* from) const override { at(into) += at(from); }
  void result(const std::byte* state, ColumnBuilder& out) const override { out.append(at(state)); }
  void save(const std::byte* state, ByteWriter& out) const override { out.zigzag(at(state)); }
  Status load(std::byte* state, ByteReader& in) const override {
    at(state) = in.zigzag();
    return {};
  }

 private:
  static std::int64_t& at(std::byte* state) { return *reinterpret_cast<std::int64_t*>(state); }
  static std::int64_t at(const std::byte* state) { return *reinterpret_cast<const std::int64_t*>(state); }
};

class SumAggregate final : public functions::Aggregate {
 public:
  [[nodiscard]] Type result_type() const override { return Type::big_int(); }
  [[nodiscard]] std::vector<Type> argument_types() const override { return {Type::big_int()}; }
  [[nodiscard]] std::size_t state_size() const override { return sizeof(State); }
  void init(std::byte* state) const override { at(state) = {}; }
  void update(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
              std::byte* const* states) const override {
    for (std::size_t i = 0; i < rows.size(); ++i) add(*arguments[0], rows[i], at(states[i]), 1);
  }
  void retract(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
               std::byte* const* states) const override {
    for (std::size_t i = 0; i < rows.size(); ++i) add(*arguments[0], rows[i], at(states[i]), -1);
  }
  [[nodiscard]] bool retractable() const override { return true; }
  void merge(std::byte* into, const std::byte* from) const override {
    at(into).sum += at(from).sum;
    at(into).count += at(from).count;
  }
  void result(const std::byte* state, ColumnBuilder& out) const override {
    if (at(state).count == 0) return out.append_null();
    out.append(at(state).sum);
  }
  void save(const std::byte* state, ByteWriter& out) const override {
    out.zigzag(at(state).sum);
    out.zigzag(at(state).count);
  }
  Status load(std::byte* state, ByteReader& in) const override {
    at(state).sum = in.zigzag();
    at(state).count = in.zigzag();
    return {};
  }

 private:
  struct State {
    std::int64_t sum = 0;
    std::int64_t count = 0;
  };
  static void add(const Column& column, std::size_t row, State& state, std::int64_t sign) {
    if (column.is_null(row)) return;
    state.sum += sign * column.values<std::int64_t>()[row];
    state.count += sign;
  }
  static State& at(std::byte* state) { return *reinterpret_cast<State*>(state); }
  static const State& at(const std::byte* state) { return *reinterpret_cast<const State*>(state); }
};

class JoinedAggregate final : public functions::Aggregate {
 public:
  [[nodiscard]] Type result_type() const override { return Type::string(); }
  [[nodiscard]] std::vector<Type> argument_types() const override { return {Type::string()}; }
  [[nodiscard]] std::size_t state_size() const override { return sizeof(std::string); }
  void init(std::byte* state) const override { new (state) std::string(); }
  void destroy(std::byte* state) const override { std::destroy_at(&at(state)); }
  [[nodiscard]] std::size_t heap_bytes(const std::byte* state) const override { return at(state).capacity(); }
  void update(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
              std::byte* const* states) const override {
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (!arguments[0]->is_null(rows[i])) add(at(states[i]), arguments[0]->strings()[rows[i]]);
  }
  void retract(std::span<const ColumnPtr>, std::span<const std::uint32_t>, std::byte* const*) const override {
  }
  [[nodiscard]] bool retractable() const override { return false; }
  void merge(std::byte* into, const std::byte* from) const override { add(at(into), at(from)); }
  void result(const std::byte* state, ColumnBuilder& out) const override { out.append_string(at(state)); }
  void save(const std::byte* state, ByteWriter& out) const override { out.string(at(state)); }
  Status load(std::byte* state, ByteReader& in) const override {
    at(state) = in.string();
    return {};
  }

 private:
  static void add(std::string& into, std::string_view text) {
    if (!into.empty()) into += '|';
    into += text;
  }
  static std::string& at(std::byte* state) { return *reinterpret_cast<std::string*>(state); }
  static const std::string& at(const std::byte* state) {
    return *reinterpret_cast<const std::string*>(state);
  }
};

// Only distinct within one plan; tests restore into the very same plan.
std::string next_fingerprint() {
  static int number = 0;
  return "node" + std::to_string(++number);
}

Schema schema_of(const std::vector<ExprPtr>& exprs) {
  Schema schema;
  for (const ExprPtr& expr : exprs) schema.fields.push_back({expr->name, expr->type});
  return schema;
}

void add_window_columns(Schema& schema, const Type& time_type) {
  schema.fields.push_back({"window_start", Type::timestamp(3)});
  schema.fields.push_back({"window_end", Type::timestamp(3)});
  schema.fields.push_back({"window_time", time_type});
}

}  // namespace

ExprPtr column(std::size_t index, const Type& type) {
  Expr expr;
  expr.kind = ExprKind::kColumn;
  expr.type = type;
  expr.column = index;
  expr.name = "c" + std::to_string(index);
  return std::make_shared<const Expr>(std::move(expr));
}

ExprPtr literal(std::int64_t value) {
  Expr expr;
  expr.type = Type::big_int();
  expr.literal = Value::integer(value);
  return std::make_shared<const Expr>(std::move(expr));
}

ExprPtr null_of(const Type& type) {
  Expr expr;
  expr.type = type;
  return std::make_shared<const Expr>(std::move(expr));
}

ExprPtr greater(ExprPtr a, ExprPtr b) {
  return call_of(Type::boolean(), {std::move(a), std::move(b)},
                 integer_kernel(Type::boolean(), [](const CallContext&, std::size_t,
                                                    auto at) { return Value::boolean(at(0) > at(1)); }),
                 ">");
}

ExprPtr equals_text(ExprPtr a, std::string text) {
  const auto kernel = [text = std::move(text)](const CallContext& context, std::span<const Datum> arguments) {
    ColumnBuilder builder(Type::boolean());
    for (std::size_t row = 0; row < context.rows; ++row)
      builder.append<std::uint8_t>(arguments[0].column->strings()[arguments[0].index(row)] == text ? 1 : 0);
    return builder.finish();
  };
  return call_of(Type::boolean(), {std::move(a)}, kernel);
}

ExprPtr divide(ExprPtr a, ExprPtr b) {
  return call_of(Type::big_int(), {std::move(a), std::move(b)},
                 integer_kernel(Type::big_int(),
                                [](const CallContext& context, std::size_t row, auto at) {
                                  if (at(1) != 0) return Value::integer(at(0) / at(1));
                                  context.errors->add(row, "division by zero");
                                  return Value::null();
                                }),
                 "/");
}

ExprPtr current_watermark() {
  return call_of(Type::big_int(), {},
                 integer_kernel(Type::big_int(), [](const CallContext& context, std::size_t row, auto) {
                   if (context.watermarks[row] == kMinWatermark) return Value::null();
                   return Value::integer(context.watermarks[row]);
                 }));
}

ExprPtr logical(ExprKind kind, std::vector<ExprPtr> children, const Type& type) {
  Expr expr;
  expr.kind = kind;
  expr.type = type;
  expr.children = std::move(children);
  return std::make_shared<const Expr>(std::move(expr));
}

functions::AggregatePtr count_rows() {
  return std::make_shared<CountAggregate>();
}
functions::AggregatePtr sum() {
  return std::make_shared<SumAggregate>();
}
functions::AggregatePtr joined() {
  return std::make_shared<JoinedAggregate>();
}

plan::AggregateCall call(functions::AggregatePtr function, std::vector<std::size_t> arguments) {
  return {.function = std::move(function), .arguments = std::move(arguments)};
}

std::shared_ptr<plan::ScanNode> scan(const ScanOptions& options) {
  auto node = std::make_shared<plan::ScanNode>();
  const Type time = options.local_time ? Type::timestamp_ltz(3) : Type::timestamp(3);
  node->table = options.table;
  node->physical.fields = {{"ts", time}, {"key", Type::string()}, {"value", Type::big_int()}};
  node->physical_wanted = {0, 1, 2};
  node->row_names = {"ts", "key", "value"};
  node->rows = {column(kTs, time), column(kKey, Type::string()), column(kValue, Type::big_int())};
  node->output = {0, 1, 2};
  node->schema = node->physical;
  node->filter = options.filter;
  node->fingerprint = next_fingerprint();
  if (!options.has_watermark) return node;
  plan::WatermarkSpec spec;
  spec.expr = options.delay == 0s ? column(kTs, time) : minus(column(kTs, time), options.delay);
  spec.idle_timeout = options.idle_timeout;
  spec.max_ahead = options.max_ahead;
  if (options.partition_by_key || options.by_split) spec.partition_by = kKey;
  spec.by_split = options.by_split;
  node->watermark = spec;
  return node;
}

NodePtr filter(NodePtr input, ExprPtr predicate) {
  auto node = std::make_shared<plan::FilterNode>();
  node->schema = input->schema;
  node->predicate = std::move(predicate);
  node->inputs = {std::move(input)};
  return node;
}

NodePtr project(NodePtr input, std::vector<ExprPtr> exprs) {
  auto node = std::make_shared<plan::ProjectNode>();
  node->schema = schema_of(exprs);
  node->exprs = std::move(exprs);
  node->inputs = {std::move(input)};
  return node;
}

NodePtr union_all(std::vector<NodePtr> inputs) {
  auto node = std::make_shared<plan::UnionAllNode>();
  node->schema = inputs[0]->schema;
  node->inputs = std::move(inputs);
  return node;
}

NodePtr values(std::vector<std::vector<ExprPtr>> rows) {
  auto node = std::make_shared<plan::ValuesNode>();
  node->schema = schema_of(rows[0]);
  node->rows = std::move(rows);
  return node;
}

plan::WindowSpec tumble(Micros size, Micros offset) {
  return {.kind = plan::WindowKind::kTumble, .size = size, .offset = offset};
}
plan::WindowSpec hop(Micros slide, Micros size) {
  return {.kind = plan::WindowKind::kHop, .size = size, .step = slide};
}
plan::WindowSpec cumulate(Micros step, Micros size) {
  return {.kind = plan::WindowKind::kCumulate, .size = size, .step = step};
}
plan::WindowSpec session(Micros gap) {
  return {.kind = plan::WindowKind::kSession, .size = gap};
}
plan::WindowSpec in_zone(plan::WindowSpec window, std::string zone) {
  window.local_time = true;
  window.time_zone = std::move(zone);
  return window;
}

NodePtr aggregate(NodePtr input, plan::WindowSpec window, std::vector<plan::AggregateCall> calls,
                  std::vector<std::size_t> keys) {
  auto node = std::make_shared<plan::WindowAggregateNode>();
  for (const std::size_t key : keys) node->schema.fields.push_back(input->schema.fields[key]);
  for (const auto& each : calls) node->schema.fields.push_back({each.name, each.function->result_type()});
  add_window_columns(node->schema, input->schema.fields[window.time_column].type);
  node->window = std::move(window);
  node->keys = std::move(keys);
  node->calls = std::move(calls);
  node->properties = {plan::WindowProperty::kStart, plan::WindowProperty::kEnd, plan::WindowProperty::kTime};
  node->fingerprint = next_fingerprint();
  node->inputs = {std::move(input)};
  return node;
}

NodePtr aggregate_attached(NodePtr input, std::pair<std::size_t, std::size_t> bounds,
                           std::vector<plan::AggregateCall> calls, std::vector<std::size_t> keys) {
  plan::WindowSpec window = tumble(1s);
  window.time_column = bounds.second;
  const NodePtr plain = aggregate(std::move(input), window, std::move(calls), std::move(keys));
  auto node =
      std::make_shared<plan::WindowAggregateNode>(static_cast<const plan::WindowAggregateNode&>(*plain));
  node->attached = bounds;
  return node;
}

NodePtr emitting(const NodePtr& aggregate, const plan::EmitStrategy& emit) {
  auto node =
      std::make_shared<plan::WindowAggregateNode>(static_cast<const plan::WindowAggregateNode&>(*aggregate));
  node->emit = emit;
  node->updating = true;
  return node;
}

NodePtr assign(NodePtr input, plan::WindowSpec window) {
  auto node = std::make_shared<plan::WindowAssignNode>();
  node->schema = input->schema;
  add_window_columns(node->schema, input->schema.fields[window.time_column].type);
  node->window = std::move(window);
  if (node->window.kind == plan::WindowKind::kSession) node->window.partition_by = {kKey};
  node->fingerprint = next_fingerprint();
  node->inputs = {std::move(input)};
  return node;
}

NodePtr clock(NodePtr input) {
  const NodePtr node = plan::make_processing_clock(std::move(input), kTs);
  std::const_pointer_cast<plan::Node>(node)->fingerprint = next_fingerprint();
  return node;
}

plan::Plan pipeline(std::vector<NodePtr> queries) {
  plan::Plan plan;
  const std::function<void(const NodePtr&)> collect = [&](const NodePtr& node) {
    for (const NodePtr& input : node->inputs) collect(input);
    if (node->kind != plan::NodeKind::kScan) return;
    auto found = std::static_pointer_cast<const plan::ScanNode>(node);
    if (std::find(plan.scans.begin(), plan.scans.end(), found) == plan.scans.end())
      plan.scans.push_back(std::move(found));
  };
  for (NodePtr& query : queries) {
    collect(query);
    auto sink = std::make_shared<plan::SinkNode>();
    sink->table = "out";
    sink->schema = query->schema;
    sink->inputs = {std::move(query)};
    plan.sinks.push_back(std::move(sink));
  }
  return plan;
}

}  // namespace leat::exec::test
