// OVER in any order. In batch mode: frames on both sides of the row, LEAD and LAG over any distance, ranks,
// NTILE. Over a stream, where only what looks back can run: frames up to the row, LAG, RANK and DENSE_RANK.
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "pipelines/plan/bind_over.h"
#include "pipelines/plan/coerce.h"

namespace leat::plan {
namespace {

using Kind = OrderedOverCall::Kind;

struct Ranking {
  std::string_view name;
  Kind kind;
  TypeKind type;
};
constexpr std::array kRankings = {
    Ranking{"ROW_NUMBER", Kind::kRowNumber, TypeKind::kBigInt},
    Ranking{"RANK", Kind::kRank, TypeKind::kBigInt},
    Ranking{"DENSE_RANK", Kind::kDenseRank, TypeKind::kBigInt},
    Ranking{"PERCENT_RANK", Kind::kPercentRank, TypeKind::kDouble},
    Ranking{"CUME_DIST", Kind::kCumeDist, TypeKind::kDouble},
};

const Ranking* find_ranking(std::string_view name) {
  const auto* const found = std::ranges::find(kRankings, name, &Ranking::name);
  return found == kRankings.end() ? nullptr : found;
}

bool is_constant(const Expr& expr) {
  return expr.kind == ExprKind::kLiteral && !expr.literal.is_null();
}

std::int64_t sign_of(const Expr& literal) {
  const auto sign = [](const auto& number) { return number < 0 ? -1 : number > 0 ? 1 : 0; };
  if (literal.type.kind() == TypeKind::kDecimal) return sign(literal.literal.as_decimal());
  return literal.type.is_approximate() ? sign(literal.literal.as_double())
                                       : sign(literal.literal.as_integer());
}

bool reads_columns(const sql::Expression& expression) {
  bool found = sql::as<sql::ColumnName>(expression) != nullptr;
  sql::for_each_child(expression,
                      [&](const sql::Expression& child) { found = found || reads_columns(child); });
  return found;
}

bool precedes(const sql::FrameBound& bound) {
  return bound.kind == sql::FrameBound::Kind::kPreceding;
}

/// The edge without its offset.
FrameEdge edge_of(const sql::FrameBound& bound) {
  using enum sql::FrameBound::Kind;
  FrameEdge edge;
  if (bound.kind == kCurrentRow) edge.kind = FrameEdge::Kind::kCurrentRow;
  if (bound.kind == kPreceding || bound.kind == kFollowing) edge.kind = FrameEdge::Kind::kOffset;
  return edge;
}

/// What values are compared as: wide enough that a distance does not take them out of their type.
ExprPtr comparable(const ExprPtr& value, sql::SourceSpan span, const BindContext& context) {
  if (value->type.kind() == TypeKind::kBigInt)
    return coerce(value, Type::decimal(20, 0).with_nullable(value->type.nullable()), span, context);
  if (value->type.is_integer())
    return coerce(value, Type::big_int().with_nullable(value->type.nullable()), span, context);
  if (value->type.kind() != TypeKind::kTime) return value;
  const ExprPtr midnight = make_literal(value->type.with_nullable(false), Value::integer(0));
  return make_call("-", {value, midnight}, span, context);
}

/// The value that `distance` is added to: it must not wrap around.
ExprPtr widened(const ExprPtr& value, const Expr& distance, sql::SourceSpan span,
                const BindContext& context) {
  const bool may_wrap = value->type.kind() == TypeKind::kBigInt && distance.type.kind() == TypeKind::kBigInt;
  if (!may_wrap) return value;
  return coerce(value, Type::decimal(20, 0).with_nullable(value->type.nullable()), span, context);
}

bool is_point(const Type& type) {
  return type.kind() == TypeKind::kDate || type.kind() == TypeKind::kTime || type.is_timestamp();
}

}  // namespace

// ---- Frames ----------------------------------------------------------------------------------------------

bool OverCalls::bind_any_frame(const Window& window, const Bound& bound, OrderedFrame& frame) {
  if (!window.frame->has_value()) {
    // Without an order all rows are equal.
    if (bound.order.empty()) frame.upper = {};
    return true;
  }
  const sql::Frame& written = **window.frame;
  using enum sql::FrameBound::Kind;
  if (written.lower.kind == kUnboundedFollowing || written.upper.kind == kUnboundedPreceding ||
      written.lower.kind > written.upper.kind) {
    context_.diagnostics.error(written.span, "the frame ends before it begins",
                               "as in ROWS BETWEEN 5 PRECEDING AND 5 FOLLOWING");
    return false;
  }
  frame.lower = edge_of(written.lower);
  frame.upper = edge_of(written.upper);
  if (written.unit == sql::Frame::Unit::kRange)
    return !frame.has_value_edges() || bind_value_edges(written, bound, frame);
  frame.unit = OrderedFrame::Unit::kRows;
  return bind_row_edge(written.lower, frame.lower) && bind_row_edge(written.upper, frame.upper);
}

bool OverCalls::bind_row_edge(const sql::FrameBound& written, FrameEdge& edge) const {
  if (edge.kind != FrameEdge::Kind::kOffset) return true;
  const ExprPtr rows = bind_distance_of_frame(written);
  if (!rows) return false;
  if (!is_constant(*rows) || !rows->type.is_integer()) {
    context_.diagnostics.error(written.span, "ROWS takes a whole number",
                               "as in ROWS BETWEEN 5 PRECEDING AND CURRENT ROW");
    return false;
  }
  if (!check_not_negative(*rows, written)) return false;
  edge.offset = precedes(written) ? -rows->literal.as_integer() : rows->literal.as_integer();
  return true;
}

ExprPtr OverCalls::bind_distance_of_frame(const sql::FrameBound& written) const {
  if (reads_columns(*written.offset)) {
    context_.diagnostics.error(written.span, "the distance in a frame must be a constant",
                               "a frame has the same extent for all rows");
    return nullptr;
  }
  const Scope nothing;
  return ExprBinder(nothing, context_, "a frame").bind(*written.offset);
}

bool OverCalls::check_not_negative(const Expr& distance, const sql::FrameBound& written) const {
  if (sign_of(distance) >= 0) return true;
  context_.diagnostics.error(
      written.span, "the distance in a frame must not be negative",
      precedes(written) ? "what is behind the row is FOLLOWING" : "what is before the row is PRECEDING");
  return false;
}

bool OverCalls::bind_value_edges(const sql::Frame& written, const Bound& bound, OrderedFrame& frame) {
  if (bound.order.size() != 1) {
    context_.diagnostics.error(written.span, "RANGE with a distance needs one key in ORDER BY",
                               "count rows: ROWS BETWEEN 5 PRECEDING AND CURRENT ROW");
    return false;
  }
  const SortKey& key = bound.order[0];
  const ExprPtr value = comparable(inputs_[key.column], written.span, context_);
  if (!value) return false;
  std::vector<ExprPtr> values = {value};
  std::vector<std::size_t*> columns = {&frame.value};
  const auto add = [&](const sql::FrameBound& edge_written, FrameEdge& edge) {
    if (edge.kind != FrameEdge::Kind::kOffset) return true;
    values.push_back(bind_value_edge(edge_written, value, key, edge));
    columns.push_back(&edge.column);
    return values.back() != nullptr;
  };
  return add(written.lower, frame.lower) && add(written.upper, frame.upper) &&
         add_same_type(values, columns, written.span);
}

bool OverCalls::add_same_type(std::span<const ExprPtr> values, std::span<std::size_t* const> columns,
                              sql::SourceSpan span) {
  std::vector<Type> types;
  for (const ExprPtr& value : values) types.push_back(value->type);
  const std::optional<Type> common = unify(types, "a frame", span, context_);
  if (!common) return false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const ExprPtr same = coerce(values[i], common->with_nullable(values[i]->type.nullable()), span, context_);
    if (!same) return false;
    *columns[i] = add_input(same);
  }
  return true;
}

ExprPtr OverCalls::bind_value_edge(const sql::FrameBound& written, const ExprPtr& value, const SortKey& key,
                                   FrameEdge& edge) const {
  const Type& type = inputs_[key.column]->type;
  const ExprPtr distance = bind_distance_of_frame(written);
  if (!distance) return nullptr;
  const bool fits =
      (type.is_numeric() && distance->type.is_numeric()) || (is_point(type) && distance->type.is_interval());
  if (!is_constant(*distance) || !fits) {
    context_.diagnostics.error(written.span,
                               "RANGE over " + type.with_nullable(true).to_string() +
                                   (type.is_numeric() ? " takes a number"
                                    : is_point(type)  ? " takes an interval"
                                                      : " has no distances"),
                               is_point(type)
                                   ? "as in RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW"
                                   : "count rows: ROWS BETWEEN 5 PRECEDING AND CURRENT ROW");
    return nullptr;
  }
  if (!check_not_negative(*distance, written)) return nullptr;
  const bool ascending = key.direction == SortDirection::kAscending;
  const ExprPtr from = widened(value, *distance, written.span, context_);
  if (!from) return nullptr;
  edge.offset = precedes(written) ? -sign_of(*distance) : sign_of(*distance);
  return make_call(precedes(written) == ascending ? "-" : "+", {from, distance}, written.span, context_);
}

// ---- Calls -----------------------------------------------------------------------------------------------

bool OverCalls::bind_ordered_call(const sql::Call& call, const Window& window, Bound& bound) {
  const bool neighbour = call.name == "LEAD" || call.name == "LAG";
  const bool fixed = neighbour || call.name == "NTILE" || find_ranking(call.name) != nullptr;
  if (!fixed) return bind_ordered_aggregate(call, window, bound);
  if (!check_no_frame(call, window)) return false;
  OrderedOverCall over;
  const bool whole = neighbour              ? bind_neighbour(call, over)
                     : call.name == "NTILE" ? bind_ntile(call, over)
                                            : bind_ranking(call, window, bound, over);
  if (!whole || !check_looks_back(call, window, over)) return false;
  bound.ordered = std::move(over);
  return true;
}

bool OverCalls::check_looks_back(const sql::Call& call, const Window& window,
                                 const OrderedOverCall& over) const {
  if (context_.settings.batch) return true;
  if (over.kind == Kind::kNeighbour && (over.number_column || over.number > 0)) {
    context_.diagnostics.error(call.span, call.name + " goes back a constant number of rows");
    return false;
  }
  const bool to_row = over.frame.lower.kind == FrameEdge::Kind::kUnbounded &&
                      over.frame.upper.kind == FrameEdge::Kind::kCurrentRow;
  if (over.kind != Kind::kAggregate || to_row) return true;
  context_.diagnostics.error(
      (*window.frame)->span,
      "over a stream a frame in an order that is not the time's is BETWEEN UNBOUNDED "
      "PRECEDING AND CURRENT ROW",
      "ORDER BY the table's WATERMARK column or a PROCTIME() column, ascending, or SET "
      "'execution.runtime-mode' = 'batch' over bounded tables");
  return false;
}

bool OverCalls::bind_ordered_aggregate(const sql::Call& call, const Window& window, Bound& bound) {
  OrderedOverCall over;
  if (!bind_any_frame(window, bound, over.frame)) return false;
  const auto begin =
      over.frame.lower.kind == FrameEdge::Kind::kUnbounded ? FrameBegin::kFixed : FrameBegin::kMoves;
  if (!bind_aggregate(call, begin, over.call)) return false;
  if (!check_looks_back(call, window, over)) return false;
  over.type = over.call.function->result_type();
  bound.ordered = std::move(over);
  return true;
}

bool OverCalls::bind_ranking(const sql::Call& call, const Window& window, const Bound& bound,
                             OrderedOverCall& over) const {
  if (!check_no_arguments(call)) return false;
  if (bound.order.empty()) {
    context_.diagnostics.error(window.span, call.name + " needs ORDER BY in its window",
                               "as in " + call.name + "() OVER (PARTITION BY k ORDER BY x)");
    return false;
  }
  const Ranking& ranking = *find_ranking(call.name);
  over.kind = ranking.kind;
  over.type = Type(ranking.type).with_nullable(false);
  over.call.kind = call.name;
  over.call.name = call.name + "()";
  return true;
}

bool OverCalls::bind_ntile(const sql::Call& call, OrderedOverCall& over) const {
  const auto arguments = bind_arguments(call);
  if (!arguments) return false;
  const bool groups = arguments->size() == 1 && !call.distinct && !call.filter &&
                      is_constant(*(*arguments)[0]) && (*arguments)[0]->type.is_integer() &&
                      (*arguments)[0]->literal.as_integer() > 0;
  if (!groups) {
    context_.diagnostics.error(call.span, "NTILE takes a constant number of groups", "as in NTILE(4)");
    return false;
  }
  over.kind = Kind::kNtile;
  over.number = (*arguments)[0]->literal.as_integer();
  over.type = Type::integer().with_nullable(false);
  over.call.kind = "NTILE " + std::to_string(over.number);
  over.call.name = "NTILE(" + std::to_string(over.number) + ")";
  return true;
}

bool OverCalls::bind_neighbour(const sql::Call& call, OrderedOverCall& over) {
  if (call.arguments.empty() || call.arguments.size() > 3 || call.distinct || call.filter) {
    context_.diagnostics.error(call.span, call.name + " takes a value, how many rows to go, and a default",
                               "as in " + call.name + "(x, 1, 0)");
    return false;
  }
  std::optional<std::vector<ExprPtr>> arguments = bind_arguments(call);
  if (!arguments) return false;
  over.kind = Kind::kNeighbour;
  over.type = (*arguments)[0]->type.with_nullable(true);
  over.call.name = call.name + "(";
  for (const ExprPtr& argument : *arguments)
    over.call.name += (over.call.name.back() == '(' ? "" : ", ") + to_string(*argument);
  over.call.name += ")";
  if (call.nulls == sql::Call::Nulls::kIgnore) over.nulls = OrderedOverCall::Nulls::kIgnore;
  if (!bind_distance(arguments->size() > 1 ? (*arguments)[1] : nullptr, call, over)) return false;
  over.call.arguments = {add_input((*arguments)[0])};
  if (arguments->size() < 3) return true;
  if (!check_default(call, over.type, (*arguments)[2]->type)) return false;
  const ExprPtr fallback = coerce((*arguments)[2], over.type, call.arguments[2].value->span, context_);
  if (!fallback) return false;
  over.call.arguments.push_back(add_input(fallback));
  return true;
}

bool OverCalls::check_default(const sql::Call& call, const Type& value, const Type& fallback) const {
  const std::array types = {value, fallback};
  return unify(types, "the value of " + call.name + " and its default", call.arguments[2].value->span,
               context_)
      .has_value();
}

bool OverCalls::bind_distance(const ExprPtr& distance, const sql::Call& call, OrderedOverCall& over) {
  over.number = call.name == "LEAD" ? 1 : -1;
  over.call.kind = call.name;
  if (!distance) return true;
  if (!distance->type.is_integer()) {
    context_.diagnostics.error(call.arguments[1].value->span, call.name + " goes a whole number of rows");
    return false;
  }
  if (!is_constant(*distance)) {
    const ExprPtr rows = coerce(distance, Type::big_int().with_nullable(distance->type.nullable()),
                                call.arguments[1].value->span, context_);
    if (rows) over.number_column = add_input(rows);
    return rows != nullptr;
  }
  // The least number has no opposite; no partition is that large.
  constexpr std::int64_t kLeast = -std::numeric_limits<std::int64_t>::max();
  over.number *= std::max(kLeast, distance->literal.as_integer());
  over.call.kind += " " + std::to_string(over.number);
  return true;
}

}  // namespace leat::plan
