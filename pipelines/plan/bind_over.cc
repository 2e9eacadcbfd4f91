#include "pipelines/plan/bind_over.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "pipelines/functions/aggregate_over.h"
#include "pipelines/plan/bind_order.h"
#include "pipelines/plan/bind_rank.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/node_build.h"

namespace leat::plan {

bool contains_over(const sql::Expression& expression) {
  if (const auto* call = sql::as<sql::Call>(expression); call && call->over) return true;
  bool found = false;
  sql::for_each_child(expression,
                      [&](const sql::Expression& child) { found = found || contains_over(child); });
  return found;
}

namespace {

bool is_numbering(std::string_view name) {
  return name == "ROW_NUMBER" || name == "RANK" || name == "DENSE_RANK";
}

/// Functions whose frame is always the whole partition up to the row.
bool has_fixed_frame(std::string_view name) {
  return is_numbering(name) || name == "LAG";
}

/// Why a function cannot run over a stream, or nothing.
std::string_view why_not(std::string_view name) {
  if (name == "LEAD") return "LEAD looks at rows that have not come yet";
  if (name == "NTILE" || name == "CUME_DIST" || name == "PERCENT_RANK" || name == "NTH_VALUE")
    return "it depends on rows of the partition that have not come yet";
  return {};
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

// ---- Frames ----------------------------------------------------------------------------------------------

std::optional<std::int64_t> OverCalls::bind_offset(const sql::Frame& frame) const {
  const Scope nothing;
  const ExprPtr offset = ExprBinder(nothing, context_, "a frame").bind(*frame.lower.offset);
  if (!offset) return std::nullopt;
  const bool rows = frame.unit == sql::Frame::Unit::kRows;
  const bool fits = rows ? offset->type.is_integer() : offset->type.kind() == TypeKind::kIntervalDayTime;
  if (fits && offset->kind == ExprKind::kLiteral && !offset->literal.is_null() &&
      offset->literal.as_integer() >= 0)
    return offset->literal.as_integer();
  context_.diagnostics.error(frame.lower.span,
                             rows ? "ROWS takes a whole number" : "RANGE over time takes an interval",
                             rows ? "as in ROWS BETWEEN 5 PRECEDING AND CURRENT ROW"
                                  : "as in RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW");
  return std::nullopt;
}

std::optional<OverFrame> OverCalls::bind_frame(const std::optional<sql::Frame>& frame) const {
  OverFrame bound;
  if (!frame) return bound;
  using enum sql::FrameBound::Kind;
  bound.unit = frame->unit == sql::Frame::Unit::kRows ? OverFrame::Unit::kRows : OverFrame::Unit::kRange;
  if (frame->upper.kind != kCurrentRow) {
    context_.diagnostics.error(frame->upper.span, "a frame ends with CURRENT ROW",
                               "what follows a row is not known when the row comes");
    return std::nullopt;
  }
  if (frame->lower.kind == kUnboundedPreceding) return bound;
  bound.preceding = 0;
  if (frame->lower.kind == kCurrentRow) return bound;
  if (frame->lower.kind == kPreceding) {
    bound.preceding = bind_offset(*frame);
    return bound.preceding ? std::optional(bound) : std::nullopt;
  }
  context_.diagnostics.error(frame->lower.span, "a frame begins with a row before the current one",
                             "as in ROWS BETWEEN 5 PRECEDING AND CURRENT ROW");
  return std::nullopt;
}

// ---- Calls -----------------------------------------------------------------------------------------------

bool OverCalls::bind_call(const sql::Call& call) {
  const std::optional<Window> window = resolve(*call.over);
  Bound bound;
  if (!window || !bind_partition(*window, bound) || !bind_order(*window, bound)) return false;
  if (!bind_function(call, *window, bound)) return false;
  std::string identity;
  for (const std::size_t column : bound.partition_by) identity += std::to_string(column) + " ";
  for (const SortKey& key : bound.order)
    identity += "order " + std::to_string(key.column) +
                (key.direction == SortDirection::kAscending ? "a" : "d") +
                (key.nulls == NullPlace::kFirst ? "f" : "l");
  if (bound.call) identity += signature_of(bound.call->call) + bound.call->frame.to_string();
  const auto [place, is_new] = bound_places_.try_emplace(identity, bound_.size());
  if (is_new) bound_.push_back(std::move(bound));
  calls_[&call] = place->second;
  return true;
}

bool OverCalls::bind_function(const sql::Call& call, const Window& window, Bound& bound) {
  if (const std::string_view reason = why_not(call.name); !reason.empty()) {
    context_.diagnostics.error(call.written.span, call.name + " is not supported over a stream",
                               std::string(reason));
    return false;
  }
  if (bound.order.empty()) {
    context_.diagnostics.error(window.span, "OVER needs ORDER BY",
                               "order by the time of the rows: OVER (PARTITION BY k ORDER BY ts)");
    return false;
  }
  if (has_fixed_frame(call.name) && window.frame->has_value()) {
    context_.diagnostics.error((*window.frame)->span, call.name + " takes no frame", "leave it out");
    return false;
  }
  const bool windowed = is_window_partition(bound);
  if (is_time_order(bound) && !(windowed && call.name == "ROW_NUMBER"))
    return bind_time_call(call, window, bound);
  if (call.name != "ROW_NUMBER") return refuse_order(call, window);
  if (call.arguments.empty() && !call.filter && !call.distinct && !call.star) return true;
  context_.diagnostics.error(call.span, "ROW_NUMBER takes no arguments");
  return false;
}

bool OverCalls::refuse_order(const sql::Call& call, const Window& window) const {
  if (input_.node->updating)
    context_.diagnostics.error(
        call.span, call.name + " OVER needs rows that are only inserted, but this query's rows change",
        "only ROW_NUMBER() can number rows that change");
  else
    context_.not_yet(window.order_by->front().span, call.name + " OVER an order that is not the time's",
                     "ORDER BY the table's WATERMARK column or a PROCTIME() column, ascending");
  return false;
}

bool OverCalls::bind_time_call(const sql::Call& call, const Window& window, Bound& bound) {
  OverCall over;
  if (has_fixed_frame(call.name)) {
    over.frame.unit = OverFrame::Unit::kRows;
  } else {
    const std::optional<OverFrame> frame = bind_frame(*window.frame);
    if (!frame) return false;
    over.frame = *frame;
  }
  const std::size_t time = bound.order[0].column;
  bool whole = true;
  if (is_numbering(call.name)) {
    if (!call.arguments.empty() || call.star || call.filter || call.distinct) {
      context_.diagnostics.error(call.span, call.name + " takes no arguments");
      return false;
    }
    over.call.kind = call.name;
    over.call.name = call.name + "()";
    if (call.name == "ROW_NUMBER") {
      over.call.function =
          functions::find_aggregate("COUNT")->bind({}, functions::Distinctness::kAll, false).value();
    } else {
      over.call.function =
          functions::make_rank(inputs_[time]->type, call.name == "RANK" ? functions::RankForm::kRank
                                                                        : functions::RankForm::kDenseRank);
      over.call.arguments = {time};
    }
  } else {
    whole = call.name == "LAG" ? bind_lag(call, over) : bind_aggregate(call, over);
  }
  bound.call = std::move(over);
  return whole;
}

bool OverCalls::bind_lag(const sql::Call& call, OverCall& over) {
  if (call.arguments.empty() || call.arguments.size() > 3 || call.distinct || call.filter) {
    context_.diagnostics.error(call.span, "LAG takes a value, how many rows back, and a default",
                               "as in LAG(x, 1, 0)");
    return false;
  }
  if (call.nulls == sql::Call::Nulls::kIgnore) {
    context_.not_yet(call.span, "LAG … IGNORE NULLS", "LAST_VALUE(x) OVER skips NULLs");
    return false;
  }
  std::vector<ExprPtr> arguments;
  for (const sql::Argument& argument : call.arguments) {
    const auto expr = bind_value(*argument.value, "LAG");
    if (!expr) return false;
    arguments.push_back(*expr);
  }
  std::int64_t offset = 1;
  if (arguments.size() > 1) {
    const Expr& literal = *arguments[1];
    const bool whole =
        literal.kind == ExprKind::kLiteral && literal.type.is_integer() && !literal.literal.is_null();
    offset = whole ? literal.literal.as_integer() : -1;
    if (offset < 0) {
      context_.diagnostics.error(call.arguments[1].value->span, "LAG goes back a constant number of rows");
      return false;
    }
    arguments.erase(arguments.begin() + 1);
  }
  const auto fallback =
      arguments.size() > 1 ? functions::LagDefault::kArgument : functions::LagDefault::kNull;
  over.call.kind = "LAG " + std::to_string(offset);
  const Type type = arguments[0]->type;
  return finish_call(call, std::move(arguments),
                     functions::make_lag(type, static_cast<std::uint64_t>(offset), fallback), over);
}

bool OverCalls::bind_aggregate(const sql::Call& call, OverCall& over) {
  const functions::AggregateFunction* function = functions::find_aggregate(call.name);
  if (!function || !call.order_by.empty() || call.nulls == sql::Call::Nulls::kRespect) {
    context_.diagnostics.error(call.written.span,
                               function ? call.name + " OVER takes no ORDER BY or RESPECT NULLS in the call"
                                        : "'" + call.written.text + "' is no function that can be OVER rows",
                               "aggregates, ROW_NUMBER, RANK, DENSE_RANK and LAG can");
    return false;
  }
  std::vector<ExprPtr> arguments;
  std::vector<functions::ArgumentInfo> infos;
  for (const sql::Argument& argument : call.arguments) {
    const auto expr = bind_value(*argument.value, "an aggregate");
    if (!expr) return false;
    arguments.push_back(*expr);
    infos.push_back({(*expr)->type, std::nullopt});
    if ((*expr)->kind == ExprKind::kLiteral) infos.back().literal = (*expr)->literal;
  }
  if (call.filter) {
    ExprBinder binder(scope_, context_, "FILTER");
    binder.set_interceptor(values_);
    const ExprPtr filter = binder.bind_condition(*call.filter);
    if (!filter) return false;
    over.call.filter = add_input(filter);
  }
  // Rows leave a bounded frame. The least, the greatest, the first and the last value of what is left are
  // found without keeping all values sorted; see exec/over_frame.h.
  const bool positional =
      call.name == "MIN" || call.name == "MAX" || call.name == "FIRST_VALUE" || call.name == "LAST_VALUE";
  const auto distinct = call.distinct ? functions::Distinctness::kDistinct : functions::Distinctness::kAll;
  Result<functions::AggregatePtr> bound =
      function->bind(infos, distinct, over.frame.preceding.has_value() && !positional);
  if (!bound) {
    context_.diagnostics.error(call.span, bound.error().message);
    return false;
  }
  over.call.kind = call.name + (call.distinct ? " DISTINCT" : "");
  return finish_call(call, std::move(arguments), std::move(*bound), over);
}

bool OverCalls::finish_call(const sql::Call& call, std::vector<ExprPtr> arguments,
                            functions::AggregatePtr function, OverCall& over) {
  const std::vector<Type> types = function->argument_types();
  std::string text = call.name + (call.distinct ? "(DISTINCT " : "(");
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    arguments[i] = coerce(std::move(arguments[i]), types[i], call.arguments[i].value->span, context_);
    if (!arguments[i]) return false;
    over.call.arguments.push_back(add_input(arguments[i]));
    text += (i > 0 ? ", " : "") + to_string(*arguments[i]);
  }
  over.call.name = text + (call.star ? "*)" : ")");
  over.call.function = std::move(function);
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

void OverCalls::add_time_nodes(Relation& relation) {
  std::map<std::pair<std::vector<std::size_t>, std::size_t>, std::vector<std::size_t>> groups;
  std::vector<const std::vector<std::size_t>*> in_order;
  bool all_bounded = true;
  for (std::size_t i = 0; i < bound_.size(); ++i) {
    if (!bound_[i].call) continue;
    all_bounded = all_bounded && bound_[i].call->frame.preceding;
    auto& group = groups[{bound_[i].partition_by, bound_[i].order[0].column}];
    if (group.empty()) in_order.push_back(&group);
    group.push_back(i);
  }
  for (const auto* group : in_order) {
    const Bound& first = bound_[group->front()];
    auto node = std::make_shared<OverNode>();
    node->partition_by = first.partition_by;
    node->state_ttl = context_.settings.state_ttl;
    node->time_column = first.order[0].column;
    node->time = relation.node->time_attributes[node->time_column];
    node->lateness =
        all_bounded && groups.size() == 1 ? OverNode::Lateness::kKey : OverNode::Lateness::kWatermark;
    for (const std::size_t i : *group) node->calls.push_back(*bound_[i].call);
    append(relation, node, *group);
  }
}

void OverCalls::add_numberings(Relation& relation) {
  for (std::size_t i = 0; i < bound_.size(); ++i) {
    if (bound_[i].call) continue;
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
