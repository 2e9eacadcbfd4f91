// Hints: /*+ OPTIONS('k'='v') */ behind a table changes the options of its WITH for one reader or one INSERT;
// /*+ STATE_TTL('t'='1 d') */ behind SELECT says how long its joins and groups keep the rows of a table.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "pipelines/plan/scope.h"
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

/// What STATE_TTL among the hints of a SELECT says about the table `name` of its FROM; none: nothing.
std::optional<Micros> state_ttl_of(std::span<const sql::Hint> hints, std::string_view name);
/// The same for the groups of a SELECT: they keep what comes from the only table of FROM.
std::optional<Micros> group_ttl_of(const sql::Select& select);
/// Reports hints of a SELECT that are none of a SELECT, have errors, or that nothing in it follows. `tables`
/// are those of FROM.
bool check_select_hints(const sql::Select& select, std::span<const ScopeTable> tables,
                        const BindContext& context);

}  // namespace leat::plan
