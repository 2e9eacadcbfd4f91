// Types and literals of the text as values of leat::Type and leat::Value, by Flink's rules.
#pragma once

#include <optional>

#include "pipelines/plan/bind_context.h"
#include "pipelines/plan/expr.h"
#include "pipelines/sql/expression.h"
#include "pipelines/sql/type_name.h"

namespace leat::plan {

/// What VARCHAR and VARBINARY without a length mean.
enum class BareLength : std::uint8_t {
  kOne,        ///< In a table, as SQL has it.
  kUnlimited,  ///< In a CAST, which would cut everything otherwise.
};
/// None: the error has been reported. Precisions of time beyond microseconds are accepted with a warning.
std::optional<Type> bind_type(const sql::TypeName& name, const BindContext& context,
                              BareLength bare = BareLength::kOne);
/// Null: the error has been reported.
ExprPtr bind_literal(const sql::Literal& literal, const BindContext& context);

}  // namespace leat::plan
