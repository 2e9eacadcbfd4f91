#include "pipelines/plan/bind_gap_fill.h"

#include <array>

#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/function_arguments.h"
#include "pipelines/plan/gap_fill_node.h"
#include "pipelines/plan/order_node.h"

namespace leat::plan {
namespace {

constexpr FunctionForm kGapFill{"GAP_FILL",
                                "the form is GAP_FILL(input => TABLE t PARTITION BY k, on_time => "
                                "DESCRIPTOR(ts), step => INTERVAL '1' SECOND "
                                "[, fill => 'locf' | 'linear'] [, max_gap => INTERVAL '1' MINUTE])"};
constexpr std::int64_t kDefaultSteps = 100;
constexpr std::int64_t kMostSteps = 100'000;

std::optional<GapFillNode::Method> bind_method(const sql::Expression* argument, const BindContext& context) {
  if (!argument) return GapFillNode::Method::kLocf;
  const Scope nothing;
  const ExprPtr expr = ExprBinder(nothing, context, "fill").bind(*argument);
  if (!expr) return std::nullopt;
  const bool is_text =
      expr->kind == ExprKind::kLiteral && expr->type.is_character() && !expr->literal.is_null();
  const std::string text = is_text ? small_letters(expr->literal.as_string()) : "";
  if (text == "locf") return GapFillNode::Method::kLocf;
  if (text == "linear") return GapFillNode::Method::kLinear;
  context.diagnostics.error(argument->span, "fill is 'locf' (the last value goes on) or 'linear'",
                            std::string(kGapFill.form));
  return std::nullopt;
}

/// None: reported.
std::optional<Micros> bind_max_gap(const sql::Expression* argument, Micros step, const BindContext& context) {
  if (!argument) return kDefaultSteps * step;
  const std::optional<Micros> gap = bind_span(*argument, "max_gap", context);
  if (!gap || (*gap >= step && *gap / step <= kMostSteps)) return gap;
  context.diagnostics.error(argument->span, "max_gap is from one step to 100,000 of them",
                            "longer gaps are left as they are");
  return std::nullopt;
}

/// Rows in the order of their time.
NodePtr sorted(const Relation& input, std::size_t time) {
  auto sort = std::make_shared<SortNode>();
  sort->when = SortNode::When::kRowTime;
  sort->order = {SortKey{.column = time}};
  sort->inputs = {input.node};
  sort->pass_all();
  return sort;
}

}  // namespace

std::optional<Relation> bind_gap_fill(const sql::Call& call, QueryBinder& queries) {
  static const std::vector<std::string> kNames = {"input", "on_time", "step", "fill", "max_gap"};
  const BindContext& context = queries.context();
  const std::optional<FunctionArguments> placed = place_arguments(call, kNames, kGapFill.form, context);
  if (!placed) return std::nullopt;
  const FunctionArguments& given = *placed;
  const auto* table = given[0] ? sql::as<sql::TableArgument>(*given[0]) : nullptr;
  if (!table || !given[1] || !given[2]) {
    context.diagnostics.error(call.span, "GAP_FILL needs input, on_time and step",
                              std::string(kGapFill.form));
    return std::nullopt;
  }
  const std::optional<Relation> input = bind_table_argument(*table, queries);
  if (!input) return std::nullopt;
  auto keys = bind_partition(*table, *input, kGapFill, "whose rows are missing?", context);
  const std::optional<std::size_t> time = bind_rowtime(*given[1], *input, kGapFill, context);
  const std::optional<Micros> step = bind_span(*given[2], "step", context);
  const auto method = bind_method(given[3], context);
  if (!keys || !time || !step || !method) return std::nullopt;
  const std::optional<Micros> max_gap = bind_max_gap(given[4], *step, context);
  if (!max_gap) return std::nullopt;
  auto node = std::make_shared<GapFillNode>();
  node->keys = *std::move(keys);
  node->time_column = *time;
  node->step = *step;
  node->max_gap = *max_gap;
  node->method = *method;
  node->inputs = {sorted(*input, *time)};
  node->pass_all();
  return plain_relation(node);
}

}  // namespace leat::plan
