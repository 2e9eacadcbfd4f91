// The AST of a pipeline file, whole: what the parser makes and the binder reads. Nodes are plain structs with
// a SourceSpan each; those that come in kinds (statements, table references, query bodies, expressions)
// derive from a base with a `kind`, and `as<Node>(base)` gives the node as what it is or null. The parser
// owns and fills them, everybody else reads. Nothing is resolved or typed here.
#pragma once

#include <functional>

#include "pipelines/sql/expression.h"
#include "pipelines/sql/json_clauses.h"
#include "pipelines/sql/match_recognize.h"
#include "pipelines/sql/query.h"
#include "pipelines/sql/statement.h"
#include "pipelines/sql/type_name.h"

namespace leat::sql {

/// Calls `visit` for each direct sub-expression in the order of the text: arguments, clauses, PARTITION BY
/// and ORDER BY of OVER; for Subquery the operand. Does not enter queries.
void for_each_child(const Expression& expression, const std::function<void(const Expression&)>& visit);

}  // namespace leat::sql
