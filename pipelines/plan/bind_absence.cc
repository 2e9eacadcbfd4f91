#include "pipelines/plan/bind_absence.h"

#include <algorithm>

#include "pipelines/plan/absence_node.h"
#include "pipelines/plan/function_arguments.h"

namespace leat::plan {
namespace {

constexpr FunctionForm kAbsence{"ABSENCE",
                                "the form is ABSENCE(input => TABLE t PARTITION BY k, on_time => "
                                "DESCRIPTOR(ts), timeout => INTERVAL '30' "
                                "SECOND)"};

}  // namespace

std::optional<Relation> bind_absence(const sql::Call& call, QueryBinder& queries) {
  static const std::vector<std::string> kNames = {"input", "on_time", "timeout"};
  const BindContext& context = queries.context();
  const std::optional<FunctionArguments> placed = place_arguments(call, kNames, kAbsence.form, context);
  if (!placed) return std::nullopt;
  if (std::ranges::count(*placed, nullptr) > 0) {
    context.diagnostics.error(call.span, "ABSENCE needs input, on_time and timeout",
                              std::string(kAbsence.form));
    return std::nullopt;
  }
  const auto* table = sql::as<sql::TableArgument>(*(*placed)[0]);
  if (!table) {
    context.diagnostics.error((*placed)[0]->span, "expected TABLE, its name and PARTITION BY",
                              std::string(kAbsence.form));
    return std::nullopt;
  }
  const std::optional<Relation> input = bind_table_argument(*table, queries);
  if (!input) return std::nullopt;
  auto keys = bind_partition(*table, *input, kAbsence, "whose silence is it?", context);
  const std::optional<std::size_t> time = bind_rowtime(*(*placed)[1], *input, kAbsence, context);
  const std::optional<Micros> timeout = bind_span(*(*placed)[2], "timeout", context);
  if (!keys || !time || !timeout) return std::nullopt;
  auto node = std::make_shared<AbsenceNode>();
  node->keys = *std::move(keys);
  node->time_column = *time;
  node->timeout = *timeout;
  node->inputs = {input->node};
  node->state_ttl = context.settings.state_ttl;
  derive_absence_schema(*node);
  return plain_relation(node);
}

}  // namespace leat::plan
