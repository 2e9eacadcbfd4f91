// Typed expressions from typed parts: calls, casts and common types by the rules of pipelines/functions, with
// constants folded as they arise. A null ExprPtr means that the error has been reported.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/plan/bind_context.h"
#include "pipelines/plan/expr.h"
#include "pipelines/sql/source_span.h"

namespace leat::plan {

/// True for `/`, `%` and MOD by a literal zero, whatever its type. Flink refuses to plan it; so does the
/// binder, except on a branch that only some rows reach.
bool divides_by_zero(std::string_view name, std::span<const ExprPtr> arguments);
/// Of such a division: a value that is not known is divided in floating point, which gives an infinity or NaN
/// for each row, and is planned.
bool is_infinite_at_zero(std::span<const ExprPtr> arguments);

/// The function or operator `name` over `arguments`, each cast to what the function wants. A division by zero
/// is made, too: it fails the rows that reach it.
ExprPtr make_call(std::string_view name, std::vector<ExprPtr> arguments, sql::SourceSpan span,
                  const BindContext& context);
/// CAST or TRY_CAST as the user wrote it.
ExprPtr make_cast(ExprPtr value, const Type& to, functions::CastKind kind, sql::SourceSpan span,
                  const BindContext& context);
/// The value as `to`, where no CAST was written; a value of the same shape stays as it is.
ExprPtr coerce(ExprPtr value, const Type& to, sql::SourceSpan span, const BindContext& context);
/// `value` as a condition; `clause` names where it stands: "WHERE", "the condition of CASE".
ExprPtr coerce_condition(ExprPtr value, std::string_view clause, sql::SourceSpan span,
                         const BindContext& context);
/// The least type of all; the type of NULL if all are NULL. Errors are reported at `span`.
std::optional<Type> unify(std::span<const Type> types, std::string_view what, sql::SourceSpan span,
                          const BindContext& context);

/// `kind` over BOOLEAN operands; constant operands are folded.
ExprPtr make_condition(ExprKind kind, std::vector<ExprPtr> operands);
/// CASE with children as in ExprKind::kCase, results already of type `type`.
ExprPtr make_case(std::vector<ExprPtr> children, Type type);

/// `value`, or a row error that names the column where it is NULL: what Flink's NOT NULL enforcer does.
ExprPtr make_not_null(ExprPtr value, const std::string& column);
/// A text or binary value, or a row error that names the column where it is longer than `wanted` allows, or
/// shorter than CHAR(n) and BINARY(n) are.
ExprPtr make_fitting(ExprPtr value, const Type& wanted, const std::string& column);

}  // namespace leat::plan
