// 'leat.late-rows': the rows that come too late for an operator go to a table in place of vanishing.
//
// The table's columns are filled by name, from the row as it reached the operator; what the operator would
// not have kept of it is carried along for that. Columns that the row has not are NULL. The table's sink has
// no input in the plan: Plan::late_rows says how the rows of each operator become rows of it.
#pragma once

#include <memory>

#include "pipelines/plan/bind_context.h"
#include "pipelines/plan/node.h"
#include "pipelines/plan/table.h"

namespace leat::plan {

/// True for operators that refuse rows behind the watermark.
bool drops_late_rows(const Node& node);

/// The sink of the table that 'leat.late-rows' names; null: an error has been reported at `span`. `read` are
/// the tables that the pipeline reads: each of the late-row table's columns is a column of one of them.
std::shared_ptr<const SinkNode> bind_late_sink(Table& table, std::span<const Table* const> read,
                                               sql::SourceSpan span, const BindContext& context);

/// Makes the columns that the late-row table names reach the operators that drop late rows. A rewrite; it
/// runs before columns are pruned.
void carry_late_columns(Plan& plan);
/// Fills Plan::late_rows of a plan that is rewritten.
void route_late_rows(Plan& plan, const BindContext& context);

}  // namespace leat::plan
