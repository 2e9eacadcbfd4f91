#include "pipelines/exec/match_conditions.h"

#include <algorithm>

namespace leat::exec {

using plan::MatchReference;

MatchConditions::MatchConditions(const plan::MatchNode& node, MatchRows& rows, const MatchPaths& paths,
                                 const MatchAggregates& aggregates)
    : node_(node),
      rows_(rows),
      paths_(paths),
      aggregates_(aggregates),
      width_(node.inputs[0]->schema.size()) {
  for (std::size_t v = 0; v < node.variables.size(); ++v) all_ |= plan::VariableSet{1} << v;
  for (const MatchReference& reference : node.conditions.references) add_reference(reference);
  for (Group& group : groups_) {
    group.slot = slot_count_;
    slot_count_ += group.lasts + group.firsts;
  }
  for (const plan::MatchVariable& variable : node.variables) add_definition(variable);
  columns_.resize(width_ + references_.size());
}

void MatchConditions::add_reference(const MatchReference& what) {
  Reference reference{.what = what};
  const bool of_row = what.kind != MatchReference::Kind::kAggregate;
  const bool last = what.from == MatchReference::From::kLast;
  if (!of_row) forget_start_ = forget_path_ = false;
  if (what.kind == MatchReference::Kind::kClassifier && (what.offset > 0 || what.physical != 0 || !last))
    forget_start_ = forget_path_ = false;
  if (of_row && what.variables == all_ && (!last || what.offset > 0)) forget_start_ = false;
  if (of_row && what.variables != all_) {
    const auto known = std::ranges::find(groups_, what.variables, &Group::variables);
    reference.group = static_cast<std::size_t>(known - groups_.begin());
    if (known == groups_.end()) groups_.push_back({.variables = what.variables});
    std::uint32_t& reach = last ? groups_[reference.group].lasts : groups_[reference.group].firsts;
    reach = std::max(reach, what.offset + 1);
  }
  if (what.kind == MatchReference::Kind::kColumn && fits_cell(what.type))
    reference.cell = cell_of_column(what.column);
  references_.push_back(std::move(reference));
}

std::uint32_t MatchConditions::cell_of_column(std::size_t column) {
  const auto known = std::ranges::find(cell_columns_, column);
  const auto index = static_cast<std::uint32_t>(known - cell_columns_.begin());
  if (known == cell_columns_.end()) cell_columns_.push_back(column);
  return index;
}

void MatchConditions::add_definition(const plan::MatchVariable& variable) {
  Definition& definition = definitions_.emplace_back();
  definition.name = variable.name;
  if (!variable.condition) return;
  definition.fast = RowExpr::compile(*variable.condition);
  if (!definition.fast) {
    definition.general.emplace(variable.condition);
    definition.reads = plan::columns_of(*variable.condition);
    return;
  }
  for (const std::size_t column : definition.fast->columns()) {
    if (column < width_)
      definition.sources.push_back({.own_row = true, .cell = cell_of_column(column)});
    else
      definition.sources.push_back({.own_row = false, .reference = column - width_});
  }
}

void MatchConditions::read_cells(const MatchRows::Cells& row, RowCell* cells) const {
  for (std::size_t i = 0; i < cell_columns_.size(); ++i)
    cells[i] = cell_of(*(*row.columns)[cell_columns_[i]], row.row);
}

// ---- Which row a reference names -----------------------------------------------------------------------

void MatchConditions::add(RowNumber* slots, RowNumber row, std::uint32_t variable) const {
  for (const Group& group : groups_) {
    if ((group.variables >> variable & 1) == 0) continue;
    RowNumber* const lasts = slots + group.slot;
    RowNumber* const firsts = lasts + group.lasts;
    if (group.lasts > 0) {
      std::copy_backward(lasts, lasts + group.lasts - 1, lasts + group.lasts);
      *lasts = row;
    }
    RowNumber* const free = std::find(firsts, firsts + group.firsts, 0);
    if (free != firsts + group.firsts) *free = row;
  }
}

RowNumber MatchConditions::row_of(const Reference& reference, const MatchCandidate& candidate) const {
  const MatchReference& what = reference.what;
  const bool last = what.from == MatchReference::From::kLast;
  RowNumber row = 0;
  if (what.variables == all_) {
    row = last ? candidate.row - what.offset : candidate.start + what.offset;
    if (row < candidate.start || row > candidate.row || what.offset > candidate.row) return 0;
  } else {
    const Group& group = groups_[reference.group];
    const bool member = (what.variables >> candidate.variable & 1) != 0;
    const RowNumber* const slots = candidate.slots + group.slot + (last ? 0 : group.lasts);
    if (last && member)
      row = what.offset == 0 ? candidate.row : slots[what.offset - 1];
    else
      row = slots[what.offset];
    if (!last && member && row == 0 && (what.offset == 0 || slots[what.offset - 1] != 0)) row = candidate.row;
    if (row == 0) return 0;
  }
  const RowNumber moved = row + static_cast<RowNumber>(what.physical);
  return candidate.partition->rows.has(moved) ? moved : 0;
}

std::string_view MatchConditions::classifier(const MatchCandidate& candidate, RowNumber row) const {
  if (row == candidate.row) return node_.variables[candidate.variable].name;
  if (!candidate.path || row < candidate.start || row > candidate.row) return {};
  std::vector<PathRun> runs;
  paths_.read(*candidate.path, row - candidate.start + 1, runs);
  return node_.variables[node_.automaton.positions[runs.back().position].variable].name;
}

// ---- Evaluation ----------------------------------------------------------------------------------------

bool MatchConditions::hold(const MatchCandidate& candidate, std::string& error) {
  const Definition& definition = definitions_[candidate.variable];
  if (!definition.fast) return hold_general(definition, candidate, error);
  scratch_.clear();
  for (const Source& source : definition.sources) scratch_.push_back(value(source, candidate));
  const RowCell truth = definition.fast->evaluate(scratch_);
  return !truth.is_null && truth.bits != 0;
}

RowCell MatchConditions::value(const Source& source, const MatchCandidate& candidate) const {
  if (source.own_row)
    return candidate.partition->rows.cells(candidate.row, cell_columns_.size())[source.cell];
  return value_of(source.reference, candidate);
}

RowCell MatchConditions::value_of(std::size_t index, const MatchCandidate& candidate) const {
  const Reference& reference = references_[index];
  if (reference.what.kind == MatchReference::Kind::kAggregate) {
    ColumnBuilder builder(reference.what.type);
    aggregates_.result(candidate.aggregates, index, builder);
    return cell_of(*builder.finish(), 0);
  }
  const RowNumber row = row_of(reference, candidate);
  if (row == 0) return {};
  if (reference.what.kind == MatchReference::Kind::kPresent) return {1, false};
  return candidate.partition->rows.cells(row, cell_columns_.size())[reference.cell];
}

bool MatchConditions::hold_general(const Definition& definition, const MatchCandidate& candidate,
                                   std::string& error) {
  for (const std::size_t index : definition.reads) columns_[index] = column(index, candidate);
  constexpr std::int64_t kNoWatermark = kMinWatermark;
  functions::RowErrors errors;
  const Frame frame{1, columns_, {&candidate.intake_time, 1}, {&kNoWatermark, 1}};
  const ColumnPtr truth = definition.general->column(frame, errors);
  if (!errors.empty()) {
    error = "DEFINE " + definition.name + ": " + errors.entries()[0].message;
    return false;
  }
  return !truth->is_null(0) && truth->values<std::uint8_t>()[0] != 0;
}

ColumnPtr MatchConditions::column(std::size_t index, const MatchCandidate& candidate) {
  if (index >= width_) return reference_column(index - width_, candidate);
  const MatchRows::Cells at = rows_.cells(candidate.partition->rows.row(candidate.row).place);
  return gather((*at.columns)[index], {&at.row, 1});
}

ColumnPtr MatchConditions::reference_column(std::size_t index, const MatchCandidate& candidate) {
  const Reference& reference = references_[index];
  ColumnBuilder builder(reference.what.type);
  if (reference.what.kind == MatchReference::Kind::kAggregate) {
    aggregates_.result(candidate.aggregates, index, builder);
    return builder.finish();
  }
  const RowNumber row = row_of(reference, candidate);
  if (row == 0) return Column::nulls(reference.what.type, 1);
  if (reference.what.kind == MatchReference::Kind::kPresent) {
    builder.append<std::uint8_t>(1);
  } else if (reference.what.kind == MatchReference::Kind::kClassifier) {
    builder.append_string(classifier(candidate, row));
  } else {
    const MatchRows::Cells at = rows_.cells(candidate.partition->rows.row(row).place);
    builder.append_cell(*(*at.columns)[reference.what.column], at.row);
  }
  return builder.finish();
}

}  // namespace leat::exec
