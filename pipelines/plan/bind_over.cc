#include "pipelines/plan/bind_over.h"

#include <algorithm>
#include <map>
#include <utility>

#include "pipelines/plan/bind_json.h"
#include "pipelines/plan/bind_order.h"
#include "pipelines/plan/bind_rank.h"
#include "pipelines/plan/bind_series.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/plan/table_nodes.h"

namespace leat::plan {

bool contains_over(const sql::Expression& expression) {
  if (const auto* call = sql::as<sql::Call>(expression); call && call->over) return true;
  bool found = false;
  sql::for_each_child(expression,
                      [&](const sql::Expression& child) { found = found || contains_over(child); });
  return found;
}

namespace {

/// Why a function cannot run over a stream, or nothing.
std::string_view why_not(std::string_view name) {
  if (name == "LEAD") return "LEAD looks at rows that have not come yet";
  if (name == "NTILE" || name == "CUME_DIST" || name == "PERCENT_RANK")
    return "it depends on rows of the partition that have not come yet";
  return {};
}

OrderedOverCall arrival_of_row() {
  OrderedOverCall over;
  over.kind = OrderedOverCall::Kind::kArrival;
  over.type = Type::big_int().with_nullable(false);
  over.call.kind = "ARRIVAL";
  over.call.name = "arrival";
  return over;
}

std::string signature_of(const AggregateCall& call) {
  std::string text = call.kind;
  for (const std::size_t argument : call.arguments) text += " " + std::to_string(argument);
  if (call.filter) text += " filter " + std::to_string(*call.filter);
  return text;
}

}  // namespace

bool has_over(const sql::Select& select) {
  return (select.qualify && contains_over(*select.qualify)) ||
         std::ranges::any_of(select.items,
                             [](const sql::SelectItem& item) { return contains_over(*item.value); });
}

std::optional<Relation> OverCalls::bind(std::span<const sql::OrderItem> order) {
  for (std::size_t i = 0; i < input_.schema().size(); ++i) add_input(column_of(*input_.node, i));
  bool whole = true;
  for (const sql::SelectItem& item : select_.items) whole = collect(*item.value) && whole;
  if (select_.qualify) whole = collect(*select_.qualify) && whole;
  for (const sql::OrderItem& item : order) whole = collect(*item.value) && whole;
  if (!whole) return std::nullopt;
  return qualify(build());
}

ExprBinder::Interceptor OverCalls::interceptor() const {
  return [this](const sql::Expression& part) -> std::optional<ExprPtr> {
    const auto* call = sql::as<sql::Call>(part);
    const auto found = call == nullptr ? calls_.end() : calls_.find(call);
    if (found != calls_.end()) return columns_[found->second];
    return values_ ? values_(part) : std::nullopt;
  };
}

bool OverCalls::collect(const sql::Expression& expression) {
  if (const auto* call = sql::as<sql::Call>(expression); call && call->over) return bind_call(*call);
  bool whole = true;
  sql::for_each_child(expression, [&](const sql::Expression& child) { whole = collect(child) && whole; });
  return whole;
}

std::size_t OverCalls::add_input(const ExprPtr& expr) {
  const auto [place, is_new] = input_places_.try_emplace(identity_of(*expr), inputs_.size());
  if (is_new) inputs_.push_back(expr);
  return place->second;
}

std::optional<ExprPtr> OverCalls::bind_value(const sql::Expression& expression,
                                             std::string_view place) const {
  ExprBinder binder(scope_, context_, place);
  binder.set_interceptor(values_);
  ExprPtr expr = binder.bind(expression);
  if (!expr) return std::nullopt;
  return expr;
}

// ---- Windows ---------------------------------------------------------------------------------------------

std::optional<OverCalls::Window> OverCalls::resolve(const sql::Window& window) const {
  Window resolved{&window.partition_by, &window.order_by, &window.frame, window.span};
  if (!window.base) return resolved;
  const auto named = std::ranges::find(select_.windows, window.base->text,
                                       [](const sql::NamedWindow& w) { return w.name.text; });
  if (named == select_.windows.end() || &named->window == &window) {
    context_.diagnostics.error(
        window.base->span, "unknown window '" + window.base->text + "'",
        "define it behind FROM and WHERE: WINDOW " + window.base->text + " AS (PARTITION BY … ORDER BY …)");
    return std::nullopt;
  }
  const std::optional<Window> base = resolve(named->window);
  if (!base) return std::nullopt;
  if (resolved.partition_by->empty()) resolved.partition_by = base->partition_by;
  if (resolved.order_by->empty()) resolved.order_by = base->order_by;
  if (!resolved.frame->has_value()) resolved.frame = base->frame;
  return resolved;
}

bool OverCalls::bind_partition(const Window& window, Bound& bound) {
  for (const sql::ExpressionPtr& item : *window.partition_by) {
    const auto expr = bind_value(*item, "PARTITION BY");
    if (!expr) return false;
    bound.partition_by.push_back(add_input(*expr));
  }
  for (const ExprPtr& key : keys_) bound.partition_by.push_back(add_input(key));
  return true;
}

bool OverCalls::bind_order(const Window& window, Bound& bound) {
  for (const sql::OrderItem& item : *window.order_by) {
    const auto expr = bind_value(*item.value, "ORDER BY");
    if (!expr) return false;
    if (!check_sortable((*expr)->type, item.span, context_)) return false;
    bound.order.push_back(sort_key_of(item, add_input(*expr)));
  }
  return true;
}

bool OverCalls::is_time_order(const Bound& bound) const {
  return bound.order.size() == 1 && bound.order[0].direction == SortDirection::kAscending &&
         time_attribute_of(*inputs_[bound.order[0].column], *input_.node) != TimeAttribute::kNone &&
         !input_.node->updating;
}

bool OverCalls::is_window_partition(const Bound& bound) const {
  const auto has = [&](ColumnRole role) {
    return std::ranges::any_of(bound.partition_by, [&](std::size_t column) {
      const Expr& expr = *inputs_[column];
      return expr.kind == ExprKind::kColumn && input_.roles[expr.column] == role;
    });
  };
  return input_.window && !input_.node->updating && has(ColumnRole::kWindowStart) &&
         has(ColumnRole::kWindowEnd);
}

// ---- Calls -----------------------------------------------------------------------------------------------

std::string OverCalls::window_text(const Bound& bound) {
  std::string text;
  for (const std::size_t column : bound.partition_by) text += std::to_string(column) + " ";
  for (const SortKey& key : bound.order)
    text += "order " + std::to_string(key.column) + (key.direction == SortDirection::kAscending ? "a" : "d") +
            (key.nulls == NullPlace::kFirst ? "f" : "l");
  return text;
}

std::string OverCalls::identity_of_call(const Bound& bound) const {
  std::string text = bound.window;
  if (bound.call)
    text += signature_of(bound.call->call) + bound.call->call.name + bound.call->frame.to_string();
  if (!bound.ordered) return text;
  std::vector<std::string> numbers;
  for (std::size_t i = 0; i < inputs_.size(); ++i) numbers.push_back(std::to_string(i));
  return text + to_string(*bound.ordered, numbers);
}

bool OverCalls::bind_call(const sql::Call& call) {
  const std::optional<Window> window = resolve(*call.over);
  Bound bound;
  if (!window || !bind_partition(*window, bound) || !bind_order(*window, bound)) return false;
  bound.window = window_text(bound);
  if (!bind_function(call, *window, bound)) return false;
  const auto [place, is_new] = bound_places_.try_emplace(identity_of_call(bound), bound_.size());
  if (is_new) bound_.push_back(std::move(bound));
  calls_[&call] = place->second;
  return true;
}

bool OverCalls::bind_function(const sql::Call& call, const Window& window, Bound& bound) {
  const bool numbers_window = call.name == "ROW_NUMBER" && !bound.order.empty() && is_window_partition(bound);
  const bool in_batch = context_.settings.batch && !numbers_window;
  if (in_batch && !is_series_function(call.name)) return bind_ordered_call(call, window, bound);
  if (const std::string_view reason = why_not(call.name); !reason.empty()) {
    context_.diagnostics.error(
        call.written.span, call.name + " is not supported over a stream",
        std::string(reason) + "; SET 'execution.runtime-mode' = 'batch' has it over bounded tables");
    return false;
  }
  if (bound.order.empty()) {
    context_.diagnostics.error(window.span, "OVER needs ORDER BY",
                               "order by the time of the rows: OVER (PARTITION BY k ORDER BY ts)");
    return false;
  }
  if (is_series_function(call.name)) return bind_series_call(call, window, bound);
  if (has_fixed_frame(call.name) && !check_no_frame(call, window)) return false;
  if (is_time_order(bound) && !numbers_window) return bind_time_call(call, window, bound);
  return call.name == "ROW_NUMBER" ? check_no_arguments(call) : bind_ordered_call(call, window, bound);
}

bool OverCalls::check_no_frame(const sql::Call& call, const Window& window) const {
  if (!window.frame->has_value()) return true;
  context_.diagnostics.error((*window.frame)->span, call.name + " takes no frame", "leave it out");
  return false;
}

bool OverCalls::check_no_arguments(const sql::Call& call) const {
  if (call.arguments.empty() && !call.filter && !call.distinct && !call.star) return true;
  context_.diagnostics.error(call.span, call.name + " takes no arguments");
  return false;
}

std::optional<std::vector<ExprPtr>> OverCalls::bind_arguments(const sql::Call& call) const {
  std::vector<ExprPtr> arguments;
  for (const sql::Argument& argument : call.arguments) {
    const auto expr = bind_value(*argument.value, call.name);
    if (!expr) return std::nullopt;
    arguments.push_back(*expr);
  }
  return arguments;
}

Result<functions::AggregatePtr> OverCalls::bind_signature(const sql::Call& call,
                                                          std::span<const ExprPtr> arguments,
                                                          std::span<const std::string> words,
                                                          FrameBegin begin) {
  std::vector<functions::ArgumentInfo> infos;
  for (const ExprPtr& argument : arguments) {
    infos.push_back({argument->type, std::nullopt});
    if (argument->kind == ExprKind::kLiteral) infos.back().literal = argument->literal;
  }
  for (const std::string& word : words) infos.push_back({Type::string(), Value::string(word)});
  // Rows leave a frame that moves. The least, the greatest, the first and the last value of what is left are
  // found without keeping all values sorted; see exec/over_frame.h.
  const bool positional =
      call.name == "MIN" || call.name == "MAX" || call.name == "FIRST_VALUE" || call.name == "LAST_VALUE";
  const auto distinct = call.distinct ? functions::Distinctness::kDistinct : functions::Distinctness::kAll;
  return functions::find_aggregate(call.name)->bind(infos, distinct,
                                                    begin == FrameBegin::kMoves && !positional);
}

bool OverCalls::bind_aggregate(const sql::Call& call, FrameBegin begin, AggregateCall& bound) {
  if (!functions::find_aggregate(call.name)) {
    context_.diagnostics.error(
        call.written.span, "'" + call.written.text + "' is no function that can be OVER rows",
        context_.settings.batch ? "aggregates, LEAD, LAG, NTILE and the functions that rank can"
                                : "aggregates, ROW_NUMBER, RANK, DENSE_RANK and LAG can");
    return false;
  }
  const std::optional<std::vector<std::string>> words = aggregate_words(call, context_);
  std::optional<std::vector<ExprPtr>> arguments = bind_arguments(call);
  if (!words || !arguments) return false;
  if (call.filter) {
    ExprBinder binder(scope_, context_, "FILTER");
    binder.set_interceptor(values_);
    const ExprPtr filter = binder.bind_condition(*call.filter);
    if (!filter) return false;
    bound.filter = add_input(filter);
  }
  Result<functions::AggregatePtr> function = bind_signature(call, *arguments, *words, begin);
  if (!function) {
    context_.diagnostics.error(call.span, function.error().message);
    return false;
  }
  bound.kind = call.name + (call.distinct ? " DISTINCT" : "");
  for (const std::string& word : *words) bound.kind += " " + word;
  if (begin == FrameBegin::kMoves) bound.kind += kRetracting;
  return finish_call(call, std::move(*arguments), std::move(*function), bound);
}

bool OverCalls::finish_call(const sql::Call& call, std::vector<ExprPtr> arguments,
                            functions::AggregatePtr function, AggregateCall& bound) {
  const std::vector<Type> types = function->argument_types();
  std::string text = call.name + (call.distinct ? "(DISTINCT " : "(");
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    arguments[i] = coerce(std::move(arguments[i]), types[i], call.arguments[i].value->span, context_);
    if (!arguments[i]) return false;
    bound.arguments.push_back(add_input(arguments[i]));
    text += (i > 0 ? ", " : "") + to_string(*arguments[i]);
  }
  bound.name = text + (call.star ? "*)" : ")");
  bound.function = std::move(function);
  return true;
}

// ---- Nodes -----------------------------------------------------------------------------------------------

Relation OverCalls::build() {
  Relation relation = input_;
  std::vector<std::string> names;
  for (const ExprPtr& expr : inputs_)
    names.push_back(expr->kind == ExprKind::kColumn ? expr->name : to_string(*expr));
  relation.node = make_project(input_.node, inputs_, names);
  columns_.resize(bound_.size());
  add_time_nodes(relation);
  add_ordered_nodes(relation);
  add_numberings(relation);
  relation.roles.resize(relation.schema().size(), ColumnRole::kPlain);
  return relation;
}

void OverCalls::append(Relation& relation, const std::shared_ptr<PassingNode>& node,
                       std::span<const std::size_t> bounds) {
  node->inputs = {relation.node};
  node->pass_all();
  for (std::size_t i = 0; i < bounds.size(); ++i)
    columns_[bounds[i]] = column_of(*node, node->passed.size() + i);
  relation.node = node;
}

std::vector<std::vector<std::size_t>> OverCalls::by_window(
    const std::function<bool(const Bound&)>& has) const {
  std::vector<std::vector<std::size_t>> groups;
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < bound_.size(); ++i) {
    if (!has(bound_[i])) continue;
    const auto [place, is_new] = places.try_emplace(bound_[i].window, groups.size());
    if (is_new) groups.emplace_back();
    groups[place->second].push_back(i);
  }
  return groups;
}

void OverCalls::add_time_nodes(Relation& relation) {
  const auto groups = by_window([](const Bound& bound) { return bound.call.has_value(); });
  const bool all_bounded = std::ranges::all_of(
      bound_, [](const Bound& bound) { return !bound.call || bound.call->frame.preceding.has_value(); });
  for (const std::vector<std::size_t>& group : groups) {
    const Bound& first = bound_[group.front()];
    auto node = std::make_shared<OverNode>();
    node->partition_by = first.partition_by;
    node->state_ttl = context_.settings.state_ttl;
    node->time_column = first.order[0].column;
    node->time = relation.node->time_attributes[node->time_column];
    node->lateness =
        all_bounded && groups.size() == 1 ? OverNode::Lateness::kKey : OverNode::Lateness::kWatermark;
    for (const std::size_t i : group) node->calls.push_back(*bound_[i].call);
    append(relation, node, group);
  }
}

std::shared_ptr<OrderedOverNode> OverCalls::make_ordered_node(std::optional<std::size_t> arrival) const {
  if (context_.settings.batch) {
    auto node = std::make_shared<OverBatchNode>();
    node->arrival = arrival;
    return node;
  }
  auto node = std::make_shared<OverChangesNode>();
  node->state_ttl = context_.settings.state_ttl;
  return node;
}

void OverCalls::add_ordered_nodes(Relation& relation) {
  const auto groups = by_window([](const Bound& bound) { return bound.ordered.has_value(); });
  if (context_.settings.batch && !groups.empty() && relation.node->updating)
    relation.node = make_final_rows(relation.node);
  const bool number_arrivals = context_.settings.batch && groups.size() > 1;
  std::optional<std::size_t> arrival;  // The column behind the calls of the first node.
  for (const std::vector<std::size_t>& group : groups) {
    const std::shared_ptr<OrderedOverNode> node = make_ordered_node(arrival);
    node->partition_by = bound_[group.front()].partition_by;
    node->order = bound_[group.front()].order;
    for (const std::size_t i : group) node->calls.push_back(*bound_[i].ordered);
    if (number_arrivals && !arrival) node->calls.push_back(arrival_of_row());
    append(relation, node, group);
    if (number_arrivals && !arrival) arrival = relation.schema().size() - 1;
  }
}

void OverCalls::add_numberings(Relation& relation) {
  for (std::size_t i = 0; i < bound_.size(); ++i) {
    if (bound_[i].call || bound_[i].ordered) continue;
    std::shared_ptr<NumberingNode> node;
    if (is_window_partition(bound_[i]) && !relation.node->updating) {
      auto windowed = std::make_shared<WindowRankNode>();
      windowed->window = *input_.window;
      windowed->window_end = *input_.find_role(ColumnRole::kWindowEnd);
      node = windowed;
    } else {
      auto rank = std::make_shared<RankNode>();
      rank->state_ttl = context_.settings.state_ttl;
      node = rank;
    }
    node->partition_by = bound_[i].partition_by;
    node->order = bound_[i].order;
    append(relation, node, std::span(&i, 1));
  }
}

// ---- QUALIFY ---------------------------------------------------------------------------------------------

std::optional<Relation> OverCalls::qualify(Relation relation) const {
  if (!select_.qualify) return relation;
  ExprBinder binder(scope_, context_, "QUALIFY");
  const ExprBinder::Interceptor calls = interceptor();
  // A name that the SELECT list gives comes before the columns of FROM.
  binder.set_interceptor([&](const sql::Expression& part) -> std::optional<ExprPtr> {
    const auto* column = sql::as<sql::ColumnName>(part);
    if (!column || column->name.parts.size() != 1) return calls(part);
    for (const sql::SelectItem& item : select_.items) {
      if (!item.alias || item.alias->text != column->name.last()) continue;
      ExprBinder aliased(scope_, context_, "SELECT");
      aliased.set_interceptor(calls);
      return aliased.bind(*item.value);
    }
    return calls(part);
  });
  const ExprPtr predicate = binder.bind_condition(*select_.qualify);
  if (!predicate) return std::nullopt;
  relation.node = filter_ranked(relation.node, predicate);
  return relation;
}

}  // namespace leat::plan
