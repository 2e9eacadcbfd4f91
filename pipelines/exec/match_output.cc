#include "pipelines/exec/match_output.h"

#include <algorithm>

#include "pipelines/exec/named_errors.h"

namespace leat::exec {

using plan::MatchReference;

MatchOutput::MatchOutput(const plan::MatchNode& node, MatchRows& rows)
    : node_(node), rows_(rows), aggregates_(node.measured) {
  const Schema& input = node.inputs[0]->schema;
  for (const plan::ExprPtr& measure : node.measures) measures_.emplace_back(measure);
  for (const plan::MatchOutput& output : node.outputs) {
    if (output.kind != plan::MatchOutput::Kind::kColumn) continue;
    passed_on_.push_back(output.index);
    passed_.emplace_back(input.fields[output.index].type);
  }
  for (const MatchReference& reference : node.measured.references) {
    references_.emplace_back(reference.type);
    const bool column = reference.kind == MatchReference::Kind::kColumn;
    const std::string name = column ? input.fields[reference.column].name : "reference";
    reference_schema_.fields.push_back({name, reference.type});
  }
}

// ---- Which row a reference names -----------------------------------------------------------------------

/// Counted from 0 in the match; the number of its rows if there is none.
std::uint64_t MatchOutput::position_of(const MatchReference& reference, const View& view) const {
  std::uint64_t left = reference.offset;
  const bool last = reference.from == MatchReference::From::kLast;
  std::uint64_t before = last ? view.rows : 0;
  const std::size_t count = view.runs.size();
  for (std::size_t i = 0; i < count; ++i) {
    const PathRun& run = view.runs[last ? count - 1 - i : i];
    if (last) before -= run.count;
    if ((reference.variables >> variable_of(run) & 1) != 0) {
      if (left < run.count) return last ? before + run.count - 1 - left : before + left;
      left -= run.count;
    }
    if (!last) before += run.count;
  }
  return view.rows;
}

std::string_view MatchOutput::classifier(const View& view, std::uint64_t position) const {
  for (const PathRun& run : view.runs) {
    if (position < run.count) return node_.variables[variable_of(run)].name;
    position -= run.count;
  }
  return {};
}

// ---- Rows ------------------------------------------------------------------------------------------------

void MatchOutput::add(const FoundMatch& match) {
  View whole{&match, *match.runs, 0};
  for (const PathRun& run : whole.runs) whole.rows += run.count;
  if (!aggregates_.empty()) {
    final_ = aggregates_.take();
    aggregate(final_, whole);
  }
  if (node_.rows == plan::MatchNode::RowsPerMatch::kOne)
    add_row(whole, whole, match.start + whole.rows - 1, final_);
  else
    add_all_rows(whole);
  if (final_ != nullptr) aggregates_.release(std::exchange(final_, nullptr));
}

void MatchOutput::aggregate(std::byte* states, const View& view) {
  RowNumber row = view.match->start;
  for (const PathRun& run : view.runs)
    for (std::uint64_t i = 0; i < run.count; ++i, ++row)
      aggregates_.add(states, rows_.cells(view.match->partition->rows.row(row).place), variable_of(run));
}

void MatchOutput::add_all_rows(const View& whole) {
  std::byte* const running = aggregates_.empty() ? nullptr : aggregates_.take();
  std::vector<PathRun> runs;
  View view{whole.match, {}, 0};
  for (const PathRun& run : whole.runs) {
    runs.push_back({run.position, 0});
    view.runs = runs;
    for (std::uint64_t i = 0; i < run.count; ++i) {
      const RowNumber row = whole.match->start + view.rows;
      ++runs.back().count;
      ++view.rows;
      if (running != nullptr)
        aggregates_.add(running, rows_.cells(whole.match->partition->rows.row(row).place), variable_of(run));
      if (!node_.automaton.positions[run.position].excluded) add_row(view, whole, row, running);
    }
  }
  if (running != nullptr) aggregates_.release(running);
}

void MatchOutput::add_row(const View& running, const View& whole, RowNumber row,
                          const std::byte* aggregates) {
  for (std::size_t i = 0; i < passed_on_.size(); ++i) append_column(passed_[i], whole, passed_on_[i], row);
  for (std::size_t i = 0; i < references_.size(); ++i) {
    const bool all = node_.measured.references[i].extent == MatchReference::Extent::kFinal;
    append(i, all ? whole : running, all ? final_ : aggregates);
  }
  watermarks_.push_back(whole.match->watermark);
  intake_times_.push_back(whole.match->intake_time);
}

void MatchOutput::append_column(ColumnBuilder& out, const View& view, std::size_t column, RowNumber row) {
  const MatchRows::Cells at = rows_.cells(view.match->partition->rows.row(row).place);
  out.append_cell(*(*at.columns)[column], at.row);
}

void MatchOutput::append(std::size_t index, const View& view, const std::byte* aggregates) {
  const MatchReference& reference = node_.measured.references[index];
  ColumnBuilder& out = references_[index];
  if (reference.kind == MatchReference::Kind::kNumber) return out.append(view.match->partition->matches);
  if (reference.kind == MatchReference::Kind::kAggregate) return aggregates_.result(aggregates, index, out);
  const std::uint64_t position = position_of(reference, view);
  const MatchWindow& rows = view.match->partition->rows;
  const RowNumber row = view.match->start + position + static_cast<RowNumber>(reference.physical);
  if (position == view.rows || !rows.has(row)) return out.append_null();
  if (reference.kind == MatchReference::Kind::kPresent) return out.append<std::uint8_t>(1);
  if (reference.kind == MatchReference::Kind::kColumn) return append_column(out, view, reference.column, row);
  const std::uint64_t moved = row - view.match->start;
  if (moved < view.rows)
    out.append_string(classifier(view, moved));
  else
    out.append_null();
}

// ---- Batches ---------------------------------------------------------------------------------------------

Result<Batch> MatchOutput::take(std::int64_t watermark_after, const OperatorContext& context,
                                std::uint64_t& dead) {
  Batch batch;
  batch.watermark_after = watermark_after;
  if (watermarks_.empty()) return batch;
  Batch referred;
  referred.size = batch.size = watermarks_.size();
  for (ColumnBuilder& builder : references_) referred.columns.push_back(builder.finish());
  referred.watermarks = std::exchange(watermarks_, {});
  referred.intake_times = std::exchange(intake_times_, {});
  functions::RowErrors errors;
  std::size_t passed = 0;
  for (std::size_t i = 0; i < node_.outputs.size(); ++i) {
    const plan::MatchOutput& output = node_.outputs[i];
    if (output.kind == plan::MatchOutput::Kind::kColumn) {
      batch.columns.push_back(passed_[passed++].finish());
      continue;
    }
    const Evaluator& measure = measures_[output.index];
    batch.columns.push_back(with_named_errors(
        errors, [&] { return column_called(node_.schema.fields[i].name, measure.expr()); },
        [&](functions::RowErrors& own) { return measure.column(frame_of(referred), own); }));
  }
  batch.watermarks = referred.watermarks;
  batch.intake_times = referred.intake_times;
  if (errors.empty()) return batch;
  LEAT_ASSIGN(const Rejected rejected, reject_failed(context, reference_schema_, referred, errors));
  dead += rejected.dead;
  return gather(batch, rejected.survivors);
}

}  // namespace leat::exec
