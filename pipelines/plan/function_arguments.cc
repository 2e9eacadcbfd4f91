#include "pipelines/plan/function_arguments.h"

#include <algorithm>

#include "pipelines/base/nearest.h"
#include "pipelines/plan/bind_expr.h"

namespace leat::plan {
namespace {

/// The place of an argument's name; none: it is unknown, reported.
std::optional<std::size_t> place_of(const sql::Identifier& name, std::span<const std::string> names,
                                    std::string_view form, const BindContext& context) {
  const std::string wanted = small_letters(name.text);
  const auto found = std::ranges::find(names, wanted);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  context.diagnostics.error(
      name.span, "unknown argument '" + name.text + "'" + did_you_mean(wanted, {names.begin(), names.end()}),
      std::string(form));
  return std::nullopt;
}

}  // namespace

std::optional<FunctionArguments> place_arguments(const sql::Call& call, std::span<const std::string> names,
                                                 std::string_view form, const BindContext& context) {
  FunctionArguments placed(names.size());
  std::size_t position = 0;
  for (const sql::Argument& argument : call.arguments) {
    std::optional<std::size_t> place = position++;
    if (argument.name) place = place_of(*argument.name, names, form, context);
    if (!place) return std::nullopt;
    std::string problem;
    if (*place >= names.size())
      problem = call.name + " takes " + std::to_string(names.size()) + " arguments";
    else if (placed[*place])
      problem = "this argument is given twice";
    if (!problem.empty()) {
      context.diagnostics.error(argument.value->span, problem, std::string(form));
      return std::nullopt;
    }
    placed[*place] = argument.value.get();
  }
  return placed;
}

std::optional<Relation> bind_table_argument(const sql::TableArgument& table, QueryBinder& queries) {
  return table.table ? queries.bind_name(*table.table) : queries.bind(*table.query);
}

std::optional<std::vector<std::size_t>> bind_partition(const sql::TableArgument& table, const Relation& input,
                                                       const FunctionForm& form, std::string_view why,
                                                       const BindContext& context) {
  const std::string name(form.name);
  if (input.node->updating) {
    context.diagnostics.error(
        table.span, name + " reads rows that come and stay, but the rows of this input change later",
        "give it the rows before they are aggregated");
    return std::nullopt;
  }
  if (table.partition_by.empty()) {
    context.diagnostics.error(table.span, name + " needs PARTITION BY: " + std::string(why),
                              std::string(form.form));
    return std::nullopt;
  }
  const Scope scope(input, table.table ? table.table->last() : "");
  std::vector<std::size_t> keys;
  for (const sql::ExpressionPtr& key : table.partition_by) {
    const ExprPtr expr = ExprBinder(scope, context, "PARTITION BY").bind(*key);
    if (!expr) return std::nullopt;
    if (expr->kind != ExprKind::kColumn) {
      context.diagnostics.error(key->span, "PARTITION BY takes columns", std::string(form.form));
      return std::nullopt;
    }
    keys.push_back(expr->column);
  }
  return keys;
}

std::optional<std::size_t> bind_rowtime(const sql::Expression& argument, const Relation& input,
                                        const FunctionForm& form, const BindContext& context) {
  const auto* descriptor = sql::as<sql::Descriptor>(argument);
  if (!descriptor || descriptor->columns.size() != 1) {
    context.diagnostics.error(argument.span, "expected DESCRIPTOR with one time column",
                              std::string(form.form));
    return std::nullopt;
  }
  const sql::Identifier& name = descriptor->columns[0];
  const std::optional<std::size_t> column = input.schema().find(name.text);
  if (!column) {
    std::vector<std::string> known;
    for (const Type::Field& field : input.schema().fields) known.push_back(field.name);
    context.diagnostics.error(name.span,
                              "unknown column '" + name.text + "'" + did_you_mean(name.text, known));
    return std::nullopt;
  }
  if (input.node->time_attributes[*column] != TimeAttribute::kRowTime) {
    context.diagnostics.error(name.span, "'" + name.text + "' is no rowtime",
                              "declare WATERMARK FOR " + name.text + " AS … in its table");
    return std::nullopt;
  }
  return column;
}

std::optional<Micros> bind_span(const sql::Expression& argument, std::string_view what,
                                const BindContext& context) {
  const Scope nothing;
  const ExprPtr expr = ExprBinder(nothing, context, what).bind(argument);
  if (!expr) return std::nullopt;
  const bool constant = expr->kind == ExprKind::kLiteral && expr->type.kind() == TypeKind::kIntervalDayTime &&
                        !expr->literal.is_null();
  if (constant && expr->literal.as_integer() > 0) return Micros(expr->literal.as_integer());
  context.diagnostics.error(argument.span,
                            "the " + std::string(what) + " must be a constant INTERVAL longer than 0",
                            "as in INTERVAL '30' SECOND");
  return std::nullopt;
}

}  // namespace leat::plan
