// Hints: /*+ OPTIONS('k'='v') */ behind a table changes the options of its WITH for one reader or one INSERT.
#pragma once

#include <memory>
#include <span>

#include "pipelines/plan/table.h"

namespace leat::plan {

/// `table` with the options of its hints, unread and unwritten; its keys are checked like those of WITH.
/// Null: a hint is unknown, reported.
std::unique_ptr<Table> with_hints(const Table& table, std::span<const sql::Hint> hints,
                                  const BindContext& context);
/// The options of the hints as text: equal ones make equal tables.
std::string text_of_hints(std::span<const sql::Hint> hints);
/// Reports a hint that has no meaning where it stands.
void refuse_hint(const sql::Hint& hint, const BindContext& context);

}  // namespace leat::plan
