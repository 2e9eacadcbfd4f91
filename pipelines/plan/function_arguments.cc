#include "pipelines/plan/function_arguments.h"

#include <algorithm>

#include "pipelines/base/nearest.h"

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

}  // namespace leat::plan
