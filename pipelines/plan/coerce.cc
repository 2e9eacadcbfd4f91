#include "pipelines/plan/coerce.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pipelines/plan/fold.h"

namespace leat::plan {
namespace {

bool is_constant(const Expr& expr) {
  return expr.kind == ExprKind::kLiteral;
}

bool is_zero(const Expr& expr) {
  if (!is_constant(expr) || expr.literal.is_null()) return false;
  if (expr.type.is_integer()) return expr.literal.as_integer() == 0;
  if (expr.type.kind() == TypeKind::kDecimal) return expr.literal.as_decimal() == 0;
  return expr.type.is_approximate() && expr.literal.as_double() == 0;
}

std::vector<functions::ArgumentInfo> describe(const std::vector<ExprPtr>& arguments) {
  std::vector<functions::ArgumentInfo> infos;
  for (const ExprPtr& argument : arguments) {
    functions::ArgumentInfo info{argument->type, std::nullopt};
    if (is_constant(*argument)) info.literal = argument->literal;
    infos.push_back(std::move(info));
  }
  return infos;
}

ExprPtr cast_with(ExprPtr value, const Type& to, std::string name, functions::Kernel kernel) {
  Expr cast{.kind = ExprKind::kCast, .type = to, .name = std::move(name)};
  cast.call = {.result = to, .arguments = {value->type}, .kernel = std::move(kernel)};
  cast.children = {std::move(value)};
  return fold_call(std::make_shared<const Expr>(std::move(cast)));
}

}  // namespace

ExprPtr make_cast(ExprPtr value, const Type& to, functions::CastKind kind, sql::SourceSpan span,
                  const BindContext& context) {
  const bool try_cast = kind == functions::CastKind::kTryCast;
  const Type type = to.with_nullable(try_cast || value->type.nullable());
  if (value->type.kind() == TypeKind::kNull) return make_literal(to.with_nullable(true), Value::null());
  if (value->type == type) return value;
  Result<functions::Kernel> kernel = functions::bind_cast(value->type, type, kind, context.session);
  if (!kernel) {
    context.diagnostics.error(span, kernel.error().message);
    return nullptr;
  }
  return cast_with(std::move(value), type, try_cast ? "TRY_CAST" : "CAST", std::move(*kernel));
}

ExprPtr coerce(ExprPtr value, const Type& to, sql::SourceSpan span, const BindContext& context) {
  if (value->type.same_shape(to) || to.kind() == TypeKind::kNull) return value;
  return make_cast(std::move(value), to, functions::CastKind::kCast, span, context);
}

ExprPtr coerce_condition(ExprPtr value, std::string_view clause, sql::SourceSpan span,
                         const BindContext& context) {
  if (value->type.kind() == TypeKind::kBoolean) return value;
  if (value->type.kind() == TypeKind::kNull) return make_literal(Type::boolean(), Value::null());
  context.diagnostics.error(span, std::string(clause) + " must be BOOLEAN, but this is " +
                                      value->type.with_nullable(true).to_string());
  return nullptr;
}

bool divides_by_zero(std::string_view name, std::span<const ExprPtr> arguments) {
  static constexpr std::array<std::string_view, 3> kDivisions = {"/", "%", "MOD"};
  return arguments.size() == 2 && std::ranges::find(kDivisions, name) != kDivisions.end() &&
         is_zero(*arguments[1]);
}

bool is_infinite_at_zero(std::span<const ExprPtr> arguments) {
  const auto approximate = [](const ExprPtr& argument) { return argument->type.is_approximate(); };
  return !is_constant(*arguments[0]) && std::ranges::any_of(arguments, approximate);
}

namespace {

// Text that meets a time point: only comparisons ask for that.
bool is_text_for_time(const Type& from, const Type& to) {
  const bool time = to.kind() == TypeKind::kDate || to.kind() == TypeKind::kTime || to.is_timestamp();
  return from.is_character() && time;
}

// As the time point, or NULL where it is none, as in Flink. A literal that is none is a mistake.
ExprPtr text_as_time(const ExprPtr& text, const Type& to, sql::SourceSpan span, const BindContext& context) {
  ExprPtr time = make_cast(text, to, functions::CastKind::kTryCast, span, context);
  const bool known = time && is_constant(*text) && is_constant(*time);
  if (!known || text->literal.is_null() || !time->literal.is_null()) return time;
  context.diagnostics.error(span, to_string(*text) + " is no " + to.with_nullable(true).to_string());
  return nullptr;
}

}  // namespace

ExprPtr make_call(std::string_view name, std::vector<ExprPtr> arguments, sql::SourceSpan span,
                  const BindContext& context) {
  const functions::ScalarFunction* function = functions::find_scalar(name);
  if (!function) {
    context.not_yet(span, "the function " + std::string(name));
    return nullptr;
  }
  std::vector<functions::ArgumentInfo> infos = describe(arguments);
  // The function refuses a divisor that it knows to be zero. What comes here stands on a branch: its rows are
  // to fail, as if the zero came from a column.
  if (divides_by_zero(name, arguments)) infos[1].literal.reset();
  Result<functions::BoundScalar> bound = function->bind(infos, context.session);
  if (!bound) {
    const Expr written{.kind = ExprKind::kCall, .children = std::move(arguments), .name = std::string(name)};
    context.diagnostics.error(span, to_string(written) + ": " + bound.error().message);
    return nullptr;
  }
  bool changed = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool parsed = is_text_for_time(arguments[i]->type, bound->arguments[i]);
    changed = changed || parsed;
    arguments[i] = parsed ? text_as_time(arguments[i], bound->arguments[i], span, context)
                          : coerce(std::move(arguments[i]), bound->arguments[i], span, context);
    if (!arguments[i]) return nullptr;
  }
  // What may be NULL by now makes another result type.
  if (changed) return make_call(name, std::move(arguments), span, context);
  Type type = bound->result;
  return fold_call(std::make_shared<const Expr>(Expr{.kind = ExprKind::kCall,
                                                     .type = std::move(type),
                                                     .children = std::move(arguments),
                                                     .call = std::move(*bound),
                                                     .name = std::string(name)}));
}

std::optional<Type> unify(std::span<const Type> types, std::string_view what, sql::SourceSpan span,
                          const BindContext& context) {
  std::vector<Type> known;
  for (const Type& type : types)
    if (type.kind() != TypeKind::kNull) known.push_back(type);
  if (known.empty()) return Type();
  Result<Type> common = functions::common_type(known);
  if (!common) {
    context.diagnostics.error(span, std::string(what) + ": " + common.error().message);
    return std::nullopt;
  }
  return common->with_nullable(common->nullable() || known.size() < types.size());
}

ExprPtr make_condition(ExprKind kind, std::vector<ExprPtr> operands) {
  const bool deciding = kind == ExprKind::kOr;  // TRUE decides an OR, FALSE an AND; the other one is neutral.
  std::vector<ExprPtr> open;
  for (ExprPtr& operand : operands) {
    const bool known = is_constant(*operand) && !operand->literal.is_null();
    if (known && operand->literal.as_boolean() == deciding) return operand;
    if (!known) open.push_back(std::move(operand));
  }
  if (open.empty()) return make_literal(Type::boolean().with_nullable(false), Value::boolean(!deciding));
  return make_logical(kind, open);
}

ExprPtr make_case(std::vector<ExprPtr> children, Type type) {
  std::vector<ExprPtr> open;
  std::size_t i = 0;
  for (; i + 1 < children.size(); i += 2) {
    const Expr& when = *children[i];
    const bool never = is_constant(when) && (when.literal.is_null() || !when.literal.as_boolean());
    if (never) continue;
    if (is_constant(when) && open.empty()) return children[i + 1];
    open.insert(open.end(), {children[i], children[i + 1]});
  }
  if (i < children.size()) open.push_back(children[i]);
  if (open.empty()) return make_literal(type.with_nullable(true), Value::null());
  if (open.size() == 1) return open[0];
  return std::make_shared<const Expr>(
      Expr{.kind = ExprKind::kCase, .type = std::move(type), .children = std::move(open), .name = "CASE"});
}

ExprPtr make_not_null(ExprPtr value, const std::string& column) {
  if (!value->type.nullable()) return value;
  const Type type = value->type.with_nullable(false);
  functions::Kernel kernel = [column](const functions::CallContext& call,
                                      std::span<const functions::Datum> arguments) {
    const functions::Datum& datum = arguments[0];
    for (std::size_t row = 0; datum.column->may_have_nulls() && row < call.rows; ++row)
      if (datum.column->is_null(datum.index(row)))
        call.errors->add(row, "column '" + column + "' is NOT NULL, but the row has NULL");
    return datum.constant ? gather(datum.column, std::vector<std::uint32_t>(call.rows, 0)) : datum.column;
  };
  Expr expr{.kind = ExprKind::kCall, .type = type, .name = "NOT_NULL"};
  expr.call = {.result = type, .arguments = {value->type}, .kernel = std::move(kernel)};
  expr.children = {std::move(value)};
  return std::make_shared<const Expr>(std::move(expr));
}

namespace {

std::int64_t length_of(std::string_view text, const Type& type) {
  if (type.is_binary()) return static_cast<std::int64_t>(text.size());
  return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

}  // namespace

ExprPtr make_fitting(ExprPtr value, const Type& wanted, const std::string& column) {
  const Type type = value->type;
  const bool fixed = wanted.kind() == TypeKind::kChar || wanted.kind() == TypeKind::kBinary;
  functions::Kernel kernel = [=](const functions::CallContext& call,
                                 std::span<const functions::Datum> arguments) {
    const functions::Datum& datum = arguments[0];
    for (std::size_t row = 0; row < call.rows; ++row) {
      const std::size_t index = datum.index(row);
      if (datum.column->is_null(index)) continue;
      const std::int64_t length = length_of(datum.column->strings()[index], wanted);
      if (length > wanted.precision() || (fixed && length < wanted.precision()))
        call.errors->add(row, "column '" + column + "' is " + wanted.with_nullable(true).to_string() +
                                  ", but the value has a length of " + std::to_string(length));
    }
    return datum.constant ? gather(datum.column, std::vector<std::uint32_t>(call.rows, 0)) : datum.column;
  };
  Expr expr{.kind = ExprKind::kCall, .type = type, .name = "FITTING " + wanted.to_string()};
  expr.call = {.result = type, .arguments = {type}, .kernel = std::move(kernel)};
  expr.children = {std::move(value)};
  return std::make_shared<const Expr>(std::move(expr));
}

}  // namespace leat::plan
