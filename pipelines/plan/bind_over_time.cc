// OVER in the order of time: frames that end with the current row, and the calls that can run over a stream.
#include <array>
#include <utility>

#include "pipelines/functions/aggregate_over.h"
#include "pipelines/plan/bind_over.h"
#include "pipelines/plan/bind_series.h"

namespace leat::plan {

// ---- Frames ----------------------------------------------------------------------------------------------

std::optional<std::int64_t> OverCalls::bind_offset(const sql::Frame& frame) const {
  const ExprPtr offset = bind_distance_of_frame(frame.lower);
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

bool OverCalls::has_fixed_frame(std::string_view name) {
  return name == "LAG" || name == "ROW_NUMBER" || name == "RANK" || name == "DENSE_RANK";
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
  const auto begin = over.frame.preceding ? FrameBegin::kMoves : FrameBegin::kFixed;
  bool whole = false;
  if (call.name == "LAG")
    whole = bind_lag(call, over.call);
  else if (has_fixed_frame(call.name))
    whole = bind_time_numbering(call, bound.order[0].column, over.call);
  else
    whole = bind_aggregate(call, begin, over.call);
  bound.call = std::move(over);
  return whole;
}

bool OverCalls::bind_time_numbering(const sql::Call& call, std::size_t time, AggregateCall& bound) const {
  if (!check_no_arguments(call)) return false;
  bound.kind = call.name;
  bound.name = call.name + "()";
  if (call.name == "ROW_NUMBER") {
    bound.function =
        functions::find_aggregate("COUNT")->bind({}, functions::Distinctness::kAll, false).value();
    return true;
  }
  bound.function =
      functions::make_rank(inputs_[time]->type, call.name == "RANK" ? functions::RankForm::kRank
                                                                    : functions::RankForm::kDenseRank);
  bound.arguments = {time};
  return true;
}

bool OverCalls::bind_series_call(const sql::Call& call, const Window& window, Bound& bound) {
  if (!context_.settings.batch && !is_time_order(bound)) {
    context_.diagnostics.error(window.span, call.name + " over a stream takes its rows in the order of time",
                               "ORDER BY the table's WATERMARK column or a PROCTIME() column, ascending");
    return false;
  }
  AggregateCall series;
  if (!bind_series(call, window, series)) return false;
  if (!context_.settings.batch) {
    bound.call = OverCall{std::move(series), {.unit = OverFrame::Unit::kRows, .preceding = {}}};
    return true;
  }
  OrderedOverCall over;
  over.frame.unit = OrderedFrame::Unit::kRows;
  over.type = series.function->result_type();
  series.kind += " " + series.name;  // By which calls of a node are told apart here.
  over.call = std::move(series);
  bound.ordered = std::move(over);
  return true;
}

/// DISTINCT, FILTER and ORDER BY would hide rows from a detector, or change their order.
bool OverCalls::check_plain_series(const sql::Call& call) const {
  if (call.filter)
    context_.diagnostics.error(
        call.filter->span, call.name + " takes no FILTER: it says something of each row",
        "give NULL as the value of rows that it should pass over: CASE WHEN … THEN temperature END; or "
        "select them in a view");
  else if (call.distinct)
    context_.diagnostics.error(call.span, call.name + " takes no DISTINCT: it judges each row as it comes",
                               "leave it out");
  else if (!call.order_by.empty())
    context_.diagnostics.error(call.span, call.name + " takes no ORDER BY of its own: OVER has one",
                               "leave it out");
  else
    return true;
  return false;
}

bool OverCalls::bind_series(const sql::Call& call, const Window& window, AggregateCall& bound) {
  using enum sql::FrameBound::Kind;
  const std::optional<sql::Frame>& frame = *window.frame;
  if (frame && (frame->lower.kind != kUnboundedPreceding || frame->upper.kind != kCurrentRow)) {
    context_.diagnostics.error(
        frame->span, call.name + " learns from all rows up to the current one",
        "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW; how far it looks back is an "
        "option");
    return false;
  }
  if (!check_plain_series(call)) return false;
  if (is_shaping_function(call.name)) return bind_shaping(call, bound);
  if (call.arguments.size() < 2 || call.arguments.size() > 3 || call.star) {
    context_.diagnostics.error(call.span, call.name + " takes a value, its time, and options",
                               "as in " + call.name +
                                   "(temperature, ts, JSON_OBJECT('confidencePercentage' VALUE "
                                   "99.5))");
    return false;
  }
  std::vector<ExprPtr> arguments;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto expr = bind_value(*call.arguments[i].value, call.name);
    if (!expr) return false;
    arguments.push_back(*expr);
  }
  const std::array types = {arguments[0]->type, arguments[1]->type};
  std::optional<SeriesFunction> series = bind_series_function(call, types, context_);
  if (!series || !finish_call(call, std::move(arguments), std::move(series->function), bound)) return false;
  bound.kind = std::move(series->kind);
  bound.name.insert(bound.name.size() - 1, ", " + series->options);
  return true;
}

namespace {

/// A constant below 0, or an INTERVAL that is no time at all.
bool is_negative(const ExprPtr& expr) {
  if (expr->kind != ExprKind::kLiteral || expr->literal.is_null()) return false;
  if (expr->type.kind() == TypeKind::kIntervalDayTime) return expr->literal.as_integer() <= 0;
  if (expr->type.kind() == TypeKind::kDecimal) return expr->literal.as_decimal() < 0;
  if (expr->type.is_approximate()) return expr->literal.as_double() < 0;
  return expr->type.is_integer() && expr->literal.as_integer() < 0;
}

}  // namespace

bool OverCalls::bind_shaping(const sql::Call& call, AggregateCall& bound) {
  std::optional<std::vector<ExprPtr>> arguments = bind_arguments(call);
  if (!arguments) return false;
  std::vector<Type> types;
  for (std::size_t i = 0; i < arguments->size(); ++i) {
    if (i > 0 && is_negative((*arguments)[i])) {
      context_.diagnostics.error(call.arguments[i].value->span,
                                 call.name + " takes no band, deviation or time below 0");
      return false;
    }
    types.push_back((*arguments)[i]->type);
  }
  std::optional<SeriesFunction> series = bind_shaping_function(call, types, context_);
  if (!series) return false;
  bound.kind = std::move(series->kind);
  return finish_call(call, std::move(*arguments), std::move(series->function), bound);
}

bool OverCalls::bind_lag(const sql::Call& call, AggregateCall& bound) {
  if (call.arguments.empty() || call.arguments.size() > 3 || call.distinct || call.filter) {
    context_.diagnostics.error(call.span, "LAG takes a value, how many rows back, and a default",
                               "as in LAG(x, 1, 0)");
    return false;
  }
  std::optional<std::vector<ExprPtr>> arguments = bind_arguments(call);
  if (!arguments) return false;
  std::int64_t offset = 1;
  if (arguments->size() > 1) {
    const Expr& literal = *(*arguments)[1];
    const bool whole =
        literal.kind == ExprKind::kLiteral && literal.type.is_integer() && !literal.literal.is_null();
    offset = whole ? literal.literal.as_integer() : -1;
    if (offset < 0) {
      context_.diagnostics.error(call.arguments[1].value->span, "LAG goes back a constant number of rows");
      return false;
    }
    arguments->erase(arguments->begin() + 1);
  }
  const auto fallback =
      arguments->size() > 1 ? functions::LagDefault::kArgument : functions::LagDefault::kNull;
  const auto nulls =
      call.nulls == sql::Call::Nulls::kIgnore ? functions::LagNulls::kIgnore : functions::LagNulls::kRespect;
  bound.kind =
      "LAG " + std::to_string(offset) + (nulls == functions::LagNulls::kIgnore ? " IGNORE NULLS" : "");
  const Type type = (*arguments)[0]->type;
  if (call.arguments.size() > 2 && !check_default(call, type, arguments->back()->type)) return false;
  return finish_call(call, std::move(*arguments),
                     functions::make_lag(type, static_cast<std::uint64_t>(offset), fallback, nulls), bound);
}

}  // namespace leat::plan
