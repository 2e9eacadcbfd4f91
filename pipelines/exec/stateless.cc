#include "pipelines/exec/stateless.h"

#include "pipelines/exec/named_errors.h"

namespace leat::exec {
namespace {

std::vector<Evaluator> evaluators_of(const std::vector<plan::ExprPtr>& exprs) {
  std::vector<Evaluator> evaluators;
  evaluators.reserve(exprs.size());
  for (const plan::ExprPtr& expr : exprs) evaluators.emplace_back(expr);
  return evaluators;
}

}  // namespace

Status StatelessOperator::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  return out.advance(watermark, now);
}

Filter::Filter(const plan::FilterNode& node, OperatorContext context)
    : context_(std::move(context)), schema_(node.inputs[0]->schema), predicate_(node.predicate) {}

Status Filter::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size == 0) return out.emit(batch);
  functions::RowErrors errors;
  const functions::Datum truth = with_named_errors(
      errors, [this] { return condition_called(predicate_.expr()); },
      [&](functions::RowErrors& own) { return predicate_.evaluate(frame_of(batch), own); });
  std::vector<std::uint32_t> rows = rows_where_true(truth, all_rows(batch.size));
  std::size_t dead = 0;
  if (!errors.empty()) {
    LEAT_ASSIGN(const Rejected rejected, reject_failed(context_, schema_, batch, errors));
    dead = rejected.dead;
    rows = rows_in_both(rows, rejected.survivors);  // A failed row may be TRUE all the same: NULL OR TRUE.
  }
  counters_.rows_in += batch.size;
  counters_.passed += rows.size();
  counters_.rows_out += rows.size();
  counters_.dead += dead;
  counters_.filtered += batch.size - rows.size() - dead;
  return out.emit(rows.size() == batch.size ? batch : gather(batch, rows));
}

Project::Project(const plan::ProjectNode& node, OperatorContext context)
    : context_(std::move(context)),
      input_schema_(node.inputs.empty() ? Schema{} : node.inputs[0]->schema),
      schema_(node.schema),
      exprs_(evaluators_of(node.exprs)) {}

Status Project::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  Batch result;
  result.size = batch.size;
  result.kinds = batch.kinds;
  result.watermarks = batch.watermarks;
  result.intake_times = batch.intake_times;
  result.watermark_after = batch.watermark_after;
  if (batch.size == 0) return out.emit(std::move(result));
  functions::RowErrors errors;
  const Frame frame = frame_of(batch);
  result.columns.reserve(exprs_.size());
  for (std::size_t i = 0; i < exprs_.size(); ++i)
    result.columns.push_back(with_named_errors(
        errors, [&] { return column_called(schema_.fields[i].name, exprs_[i].expr()); },
        [&](functions::RowErrors& own) { return exprs_[i].column(frame, own); }));
  counters_.rows_in += batch.size;
  if (!errors.empty()) {
    LEAT_ASSIGN(const Rejected rejected, reject_failed(context_, input_schema_, batch, errors));
    counters_.dead += rejected.dead;
    counters_.filtered += rejected.taken_back;
    result = gather(result, rejected.survivors);
  }
  counters_.passed += result.size;
  counters_.rows_out += result.size;
  return out.emit(std::move(result));
}

Status SinkOutput::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  counters_.rows_in += batch.size;
  counters_.applied += batch.size;
  if (batch.size > 0) LEAT_TRY(receiver_(batch));
  return out.emit(only_time(batch.watermark_after));
}

}  // namespace leat::exec
