#include "pipelines/plan/bind_expr.h"

#include <algorithm>

#include "pipelines/base/nearest.h"
#include "pipelines/functions/aggregate.h"
#include "pipelines/plan/bind_series.h"
#include "pipelines/plan/bind_type.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/language_forms.h"

namespace leat::plan {
namespace {

ExprPtr word(std::string text) {
  return make_literal(Type::string().with_nullable(false), Value::string(std::move(text)));
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const functions::ScalarFunction& function : functions::all_scalars()) names.push_back(function.name);
  for (const functions::AggregateFunction& function : functions::all_aggregates())
    names.push_back(function.name);
  for (const std::string_view name : series_function_names()) names.emplace_back(name);
  return names;
}

/// Name in the function table, where it differs from the AST's.
std::string_view table_name(const sql::Call& call) {
  if (call.syntax == sql::CallSyntax::kItem) return "[]";
  if (call.syntax == sql::CallSyntax::kPrefix && call.name == "-") return "NEGATE";
  if (call.name == "CEILING") return "CEIL";
  return call.name;
}

}  // namespace

ExprPtr ExprBinder::bind(const sql::Expression& expression) const {
  if (interceptor_)
    if (std::optional<ExprPtr> answer = interceptor_(expression)) return *answer;
  if (const auto* literal = sql::as<sql::Literal>(expression)) return bind_literal(*literal, context_);
  if (const auto* column = sql::as<sql::ColumnName>(expression))
    return scope_.resolve(column->name, context_);
  if (const auto* call = sql::as<sql::Call>(expression)) return bind_call(*call);
  if (const auto* cast = sql::as<sql::Cast>(expression)) return bind_cast(*cast);
  if (const auto* node = sql::as<sql::Case>(expression)) return bind_case(*node);
  if (const auto* unit = sql::as<sql::UnitArgument>(expression))
    return word(std::string(to_string(unit->unit)));
  if (const auto* symbol = sql::as<sql::SymbolArgument>(expression)) return word(symbol->symbol);
  const auto* field = sql::as<sql::FieldAccess>(expression);
  if (!field || field->star) return refuse(expression);
  ExprPtr row = bind(*field->value);
  return row ? bind_field(std::move(row), field->field, context_) : nullptr;
}

ExprPtr ExprBinder::bind_branch(const sql::Expression& expression) const {
  ExprBinder branch = *this;
  branch.reach_ = Reach::kSomeRows;
  return branch.bind(expression);
}

ExprPtr ExprBinder::bind_condition(const sql::Expression& expression) const {
  ExprPtr condition = bind(expression);
  return condition ? coerce_condition(std::move(condition), place_, expression.span, context_) : nullptr;
}

ExprPtr ExprBinder::refuse(const sql::Expression& expression) const {
  switch (expression.kind) {
    case sql::ExpressionKind::kSubquery:
      context_.not_yet(expression.span, "a sub-query in " + std::string(place_),
                       "join the sub-query in FROM, or use it in WHERE, HAVING or the list of a SELECT");
      break;
    case sql::ExpressionKind::kStar:
    case sql::ExpressionKind::kField:
      context_.diagnostics.error(expression.span, "'*' is only allowed in SELECT and COUNT(*)");
      break;
    case sql::ExpressionKind::kDescriptor:
    case sql::ExpressionKind::kTableArgument:
    case sql::ExpressionKind::kModelArgument:
    default:
      context_.diagnostics.error(expression.span, "this belongs into a table function in FROM");
      break;
  }
  return nullptr;
}

namespace {
/// What to write in place of a function of Flink that is not there; empty: it is none.
std::string_view instead_of(std::string_view function) {
  if (function == "PARSE_JSON" || function == "TRY_PARSE_JSON")
    return "keep the JSON as STRING: JSON_VALUE, JSON_QUERY and JSON_EXISTS read it, and IS JSON tests it";
  if (function == "SOURCE_WATERMARK")
    return "no connector has watermarks of its own: WATERMARK FOR ts AS ts - INTERVAL '5' SECOND";
  if (function.starts_with("BITMAP_"))
    return "COUNT(DISTINCT x) counts different values, ARRAY_AGG(DISTINCT x) keeps them";
  return {};
}
}  // namespace

/// Clauses that only aggregates have, functions of Flink that are not there, and names that nobody knows.
ExprPtr ExprBinder::refuse_call(const sql::Call& call) const {
  if (call.over) {
    context_.diagnostics.error(
        call.span, call.name + " OVER (…) is not allowed in " + std::string(place_),
        "put it into the list of a SELECT; QUALIFY or the WHERE of a query around it can use its name");
  } else if (is_series_function(call.name)) {
    context_.diagnostics.error(call.written.span, call.name + " needs OVER",
                               "OVER (PARTITION BY device ORDER BY ts RANGE BETWEEN UNBOUNDED PRECEDING AND "
                               "CURRENT ROW)");
  } else if (functions::find_aggregate(call.name)) {
    context_.diagnostics.error(call.written.span,
                               "the aggregate " + call.name + " is not allowed in " + std::string(place_),
                               place_ == "WHERE" ? "conditions on aggregates belong into HAVING" : "");
  } else if (functions::find_scalar(table_name(call))) {
    context_.diagnostics.error(call.span,
                               call.name + " takes no DISTINCT, FILTER, ORDER BY or argument names");
  } else if (const std::string_view other = instead_of(call.name); !other.empty()) {
    context_.not_yet(call.written.span, "the function " + call.name, std::string(other));
  } else if (const LanguageForm* form = find_language_form(call.name)) {
    context_.diagnostics.error(call.written.span, call.name + " is not allowed here", "write " + form->form);
  } else {
    context_.diagnostics.error(call.written.span, "unknown function '" + call.written.text + "'" +
                                                      did_you_mean(call.name, function_names()));
  }
  return nullptr;
}

std::optional<std::vector<ExprPtr>> ExprBinder::bind_arguments(const sql::Call& call,
                                                               Arguments evaluated) const {
  std::vector<ExprPtr> arguments;
  bool whole = true;
  for (const sql::Argument& argument : call.arguments) {
    const bool always = evaluated == Arguments::kAll || arguments.empty();
    arguments.push_back(always ? bind(*argument.value) : bind_branch(*argument.value));
    whole = whole && arguments.back();
  }
  if (!whole) return std::nullopt;
  return arguments;
}

ExprPtr ExprBinder::bind_call(const sql::Call& call) const {
  bool special = false;
  ExprPtr bound = bind_special(call, special);
  if (special) return bound;
  const bool named =
      std::ranges::any_of(call.arguments, [](const sql::Argument& a) { return a.name.has_value(); });
  const bool clauses =
      call.distinct || call.star || call.filter || call.over || !call.order_by.empty() || call.json;
  if (named || clauses || !functions::find_scalar(table_name(call))) return refuse_call(call);
  std::optional<std::vector<ExprPtr>> arguments = bind_arguments(call);
  if (!arguments) return nullptr;
  if (reach_ == Reach::kEveryRow && divides_by_zero(table_name(call), *arguments) &&
      !is_infinite_at_zero(*arguments)) {
    context_.diagnostics.error(call.span, "division by zero");
    return nullptr;
  }
  return make_call(table_name(call), std::move(*arguments), call.span, context_);
}

ExprPtr ExprBinder::bind_cast(const sql::Cast& cast) const {
  ExprPtr value = bind(*cast.value);
  const std::optional<Type> type = bind_type(cast.type, context_, BareLength::kUnlimited);
  if (!value || !type) return nullptr;
  const bool lenient = cast.on_error == sql::Cast::OnError::kNull;
  return make_cast(std::move(value), *type,
                   lenient ? functions::CastKind::kTryCast : functions::CastKind::kCast, cast.span, context_);
}

}  // namespace leat::plan
