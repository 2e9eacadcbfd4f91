// Which calls give JSON, and what the calls of aggregates say beside their arguments.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/plan/bind_context.h"
#include "pipelines/sql/expression.h"

namespace leat::plan {

/// True if the text that the expression gives is JSON by itself.
bool gives_json(const sql::Expression& expression);

/// Part of the kind of an aggregate that values leave again: its state is another one.
inline constexpr std::string_view kRetracting = " retracting";

/// IGNORE NULLS, NULL ON NULL and their like as words that the aggregate's binding reads behind the arguments
/// (functions/aggregate_table.cc). None: the aggregate has no such clause; the error has been reported.
std::optional<std::vector<std::string>> aggregate_words(const sql::Call& call, const BindContext& context);

}  // namespace leat::plan
