// Forms that are not plain calls: those that evaluate lazily (CASE, AND, COALESCE …) and those that stand for
// others (BETWEEN, NULLIF).
#include <span>
#include <utility>

#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/bind_json.h"
#include "pipelines/plan/coerce.h"

namespace leat::plan {

namespace {

// `(a - b) SECOND`, Calcite's MINUS_DATE: an interval of months, whole ones, or of time.
ExprPtr time_difference(const std::vector<ExprPtr>& parts, sql::SourceSpan span, const BindContext& context) {
  const ExprPtr& unit = parts[2];
  if (unit->literal.as_string() != "YEAR" && unit->literal.as_string() != "MONTH") {
    ExprPtr difference = make_call("-", {parts[0], parts[1]}, span, context);
    if (!difference || difference->type.kind() == TypeKind::kIntervalDayTime) return difference;
    context.diagnostics.error(span, "(a - b) " + unit->literal.as_string() + " is a distance of two times");
    return nullptr;
  }
  const ExprPtr month = make_literal(Type::string().with_nullable(false), Value::string("MONTH"));
  const ExprPtr one =
      make_literal(Type(TypeKind::kIntervalYearMonth).with_nullable(false), Value::integer(1));
  ExprPtr months = make_call("TIMESTAMPDIFF", {month, parts[1], parts[0]}, span, context);
  return months ? make_call("*", {std::move(months), one}, span, context) : nullptr;
}

/// The fields of a row that is written out, as in (a, b); none: it comes from elsewhere.
std::vector<ExprPtr> written_fields(const Expr& row) {
  if (row.kind == ExprKind::kCall && row.name == "ROW") return row.children;
  std::vector<ExprPtr> fields;
  if (row.kind != ExprKind::kLiteral || row.type.kind() != TypeKind::kRow || row.literal.is_null())
    return fields;
  for (std::size_t i = 0; i < row.type.fields().size(); ++i)
    fields.push_back(make_literal(row.type.fields()[i].type, row.literal.as_list()[i]));
  return fields;
}

/// `left = right`. Two rows that are written out are equal if all their fields are: unknown where a NULL
/// might make the difference.
ExprPtr equality(const ExprPtr& left, const ExprPtr& right, sql::SourceSpan span,
                 const BindContext& context) {
  const std::vector<ExprPtr> left_fields = written_fields(*left);
  const std::vector<ExprPtr> right_fields = written_fields(*right);
  if (left_fields.empty() || left_fields.size() != right_fields.size())
    return make_call("=", {left, right}, span, context);
  std::vector<ExprPtr> equal;
  for (std::size_t i = 0; i < left_fields.size(); ++i) {
    equal.push_back(equality(left_fields[i], right_fields[i], span, context));
    if (!equal.back()) return nullptr;
  }
  return make_condition(ExprKind::kAnd, std::move(equal));
}

}  // namespace

ExprPtr ExprBinder::bind_special(const sql::Call& call, bool& special) const {
  special = true;
  const bool function = call.syntax == sql::CallSyntax::kFunction;
  if (call.name == "AND") return bind_logical(ExprKind::kAnd, call);
  if (call.name == "OR") return bind_logical(ExprKind::kOr, call);
  if (call.name == "BETWEEN" || call.name == "BETWEEN SYMMETRIC") return bind_between(call);
  if (call.name == "IN") return bind_in(call);
  if (!function && call.name == "=") {
    const std::optional<std::vector<ExprPtr>> sides = bind_arguments(call);
    return sides ? equality((*sides)[0], (*sides)[1], call.span, context_) : nullptr;
  }
  if (call.name == "OVERLAPS") return bind_overlaps(call);
  if (call.name == "+" && call.arguments.size() == 1) return bind(*call.arguments[0].value);
  if (!function && call.name == "MINUS_DATE") {
    const std::optional<std::vector<ExprPtr>> parts = bind_arguments(call);
    return parts ? time_difference(*parts, call.span, context_) : nullptr;
  }
  if (function && call.name == "COALESCE" && !call.arguments.empty()) return bind_coalesce(call);
  if (function && call.name == "IFNULL" && call.arguments.size() == 2) return bind_coalesce(call);
  if (function && call.name == "IF" && call.arguments.size() == 3) return bind_if(call);
  if (function && call.name == "NULLIF" && call.arguments.size() == 2) return bind_nullif(call);
  // What is JSON already stays as it is.
  if (function && call.name == "JSON_STRING" && call.arguments.size() == 1 &&
      gives_json(*call.arguments[0].value))
    return bind(*call.arguments[0].value);
  const bool aggregate = call.name == "JSON_OBJECTAGG" || call.name == "JSON_ARRAYAGG";
  if (function && call.json && !aggregate) return bind_json(call);
  special = false;
  return nullptr;
}

ExprPtr ExprBinder::bind_logical(ExprKind kind, const sql::Call& call) const {
  std::vector<ExprPtr> operands;
  bool whole = true;
  for (const sql::Argument& argument : call.arguments) {
    ExprPtr operand = operands.empty() ? bind(*argument.value) : bind_branch(*argument.value);
    if (operand)
      operand =
          coerce_condition(std::move(operand), "an operand of " + call.name, argument.value->span, context_);
    whole = whole && operand;
    operands.push_back(std::move(operand));
  }
  return whole ? make_condition(kind, std::move(operands)) : nullptr;
}

ExprPtr ExprBinder::bind_between(const sql::Call& call) const {
  const std::optional<std::vector<ExprPtr>> bound = bind_arguments(call);
  if (!bound) return nullptr;
  const auto within = [&](const ExprPtr& low, const ExprPtr& high) -> ExprPtr {
    ExprPtr above = make_call(">=", {(*bound)[0], low}, call.span, context_);
    ExprPtr below = above ? make_call("<=", {(*bound)[0], high}, call.span, context_) : nullptr;
    return below ? make_condition(ExprKind::kAnd, {std::move(above), std::move(below)}) : nullptr;
  };
  ExprPtr straight = within((*bound)[1], (*bound)[2]);
  if (!straight || call.name == "BETWEEN") return straight;
  ExprPtr swapped = within((*bound)[2], (*bound)[1]);
  return swapped ? make_condition(ExprKind::kOr, {std::move(straight), std::move(swapped)}) : nullptr;
}

namespace {
/// `(a, b) IN ((1, 2), …)`: the row equals one of the others, each of which may have types of its own.
ExprPtr row_in(std::span<const ExprPtr> rows, sql::SourceSpan span, const BindContext& context) {
  std::vector<ExprPtr> equal;
  for (const ExprPtr& other : rows.subspan(1)) {
    equal.push_back(equality(rows[0], other, span, context));
    if (!equal.back()) return nullptr;
  }
  return make_condition(ExprKind::kOr, std::move(equal));
}
}  // namespace

ExprPtr ExprBinder::bind_in(const sql::Call& call) const {
  std::optional<std::vector<ExprPtr>> arguments = bind_arguments(call);
  if (!arguments) return nullptr;
  if ((*arguments)[0]->type.kind() == TypeKind::kRow) return row_in(*arguments, call.span, context_);
  return make_call("IN", std::move(*arguments), call.span, context_);
}

/// `(a, b) OVERLAPS (c, d)`: the two rows are four arguments.
ExprPtr ExprBinder::bind_overlaps(const sql::Call& call) const {
  std::vector<ExprPtr> points;
  for (const sql::Argument& argument : call.arguments) {
    const auto* row = sql::as<sql::Call>(*argument.value);
    if (!row || row->arguments.size() != 2) {
      context_.diagnostics.error(argument.value->span,
                                 "OVERLAPS needs two periods: (start, end) OVERLAPS (start, end)");
      return nullptr;
    }
    std::optional<std::vector<ExprPtr>> pair = bind_arguments(*row);
    if (!pair) return nullptr;
    points.insert(points.end(), pair->begin(), pair->end());
  }
  return make_call("OVERLAPS", std::move(points), call.span, context_);
}

ExprPtr ExprBinder::bind_coalesce(const sql::Call& call) const {
  std::optional<std::vector<ExprPtr>> values = bind_arguments(call, Arguments::kFirst);
  if (!values) return nullptr;
  std::vector<Type> types;
  bool nullable = true;
  for (const ExprPtr& value : *values) {
    types.push_back(value->type);
    nullable = nullable && value->type.nullable();
  }
  const std::optional<Type> type = unify(types, call.name, call.span, context_);
  if (!type) return nullptr;
  for (std::size_t i = 0; i < values->size(); ++i) {
    (*values)[i] = coerce((*values)[i], *type, call.arguments[i].value->span, context_);
    if (!(*values)[i]) return nullptr;
  }
  if (values->size() == 1) return (*values)[0];
  return std::make_shared<const Expr>(Expr{.kind = ExprKind::kCoalesce,
                                           .type = type->with_nullable(nullable),
                                           .children = std::move(*values),
                                           .name = "COALESCE"});
}

/// Children as in ExprKind::kCase: brings the results to one type; without ELSE it is NULL.
ExprPtr ExprBinder::bind_case_of(std::vector<ExprPtr> children, sql::SourceSpan span) const {
  if (children.size() % 2 == 0) children.push_back(make_literal(Type(), Value::null()));
  std::vector<Type> types;
  for (std::size_t i = 1; i < children.size(); i += 2) types.push_back(children[i]->type);
  types.push_back(children.back()->type);
  const std::optional<Type> type = unify(types, "CASE", span, context_);
  if (!type) return nullptr;
  const auto to_common = [&](ExprPtr& result) {
    result = coerce(std::move(result), *type, span, context_);
    return result != nullptr;
  };
  for (std::size_t i = 1; i < children.size(); i += 2)
    if (!to_common(children[i])) return nullptr;
  if (!to_common(children.back())) return nullptr;
  return make_case(std::move(children), *type);
}

ExprPtr ExprBinder::bind_case(const sql::Case& node) const {
  const ExprPtr operand = node.operand ? bind(*node.operand) : nullptr;
  bool whole = !node.operand || operand;
  std::vector<ExprPtr> children;
  for (const sql::Case::Branch& branch : node.branches) {
    std::vector<ExprPtr> tests;
    for (const sql::ExpressionPtr& when : branch.when) {
      const bool first = children.empty() && tests.empty();
      ExprPtr test = first ? bind(*when) : bind_branch(*when);
      if (test && operand) test = make_call("=", {operand, std::move(test)}, when->span, context_);
      if (test) test = coerce_condition(std::move(test), "the condition of CASE", when->span, context_);
      whole = whole && test;
      tests.push_back(std::move(test));
    }
    children.push_back(whole ? make_condition(ExprKind::kOr, std::move(tests)) : nullptr);
    children.push_back(bind_branch(*branch.then));
    whole = whole && children.back();
  }
  if (node.otherwise) {
    children.push_back(bind_branch(*node.otherwise));
    whole = whole && children.back();
  }
  return whole ? bind_case_of(std::move(children), node.span) : nullptr;
}

ExprPtr ExprBinder::bind_if(const sql::Call& call) const {
  std::optional<std::vector<ExprPtr>> parts = bind_arguments(call, Arguments::kFirst);
  if (!parts) return nullptr;
  (*parts)[0] = coerce_condition((*parts)[0], "the condition of IF", call.arguments[0].value->span, context_);
  return (*parts)[0] ? bind_case_of(std::move(*parts), call.span) : nullptr;
}

ExprPtr ExprBinder::bind_nullif(const sql::Call& call) const {
  const std::optional<std::vector<ExprPtr>> parts = bind_arguments(call);
  if (!parts) return nullptr;
  const ExprPtr equal = make_call("=", {(*parts)[0], (*parts)[1]}, call.span, context_);
  if (!equal) return nullptr;
  return bind_case_of({equal, make_literal(Type(), Value::null()), (*parts)[0]}, call.span);
}

}  // namespace leat::plan
