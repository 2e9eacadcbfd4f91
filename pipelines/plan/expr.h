// Bound expressions: typed, with every name resolved to a column index and every function to a kernel.
// Immutable and shared.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/column/type.h"
#include "pipelines/column/value.h"
#include "pipelines/functions/scalar.h"

namespace leat::plan {

struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;

enum class ExprKind : std::uint8_t {
  kColumn,   ///< `column`: index into the input batch
  kLiteral,  ///< `literal`
  kCall,     ///< `call` over `children`; all children are evaluated for all rows
  kCase,     ///< children: condition, result, condition, result, …, [else]; branches run only on their rows
  kAnd,      ///< three-valued; the right side runs only where the left is not FALSE
  kOr,       ///< three-valued; the right side runs only where the left is not TRUE
  kCoalesce,  ///< the first child that is not NULL; a child runs only where all before it are NULL
  kCast,      ///< children[0] to `type` by `call.kernel`
};

struct Expr {
  ExprKind kind = ExprKind::kLiteral;
  Type type;
  std::vector<ExprPtr> children = {};
  std::size_t column = 0;
  Value literal = {};
  functions::BoundScalar call = {};
  /// Name of the function for EXPLAIN and fingerprints: "SUBSTRING", "+"; the column's name for kColumn.
  std::string name = {};
};

ExprPtr make_column(std::size_t index, Type type, std::string name);
ExprPtr make_literal(Type type, Value value);

/// As EXPLAIN prints it: "(temperature > 80.0)", "SUBSTRING(name, 1, 2)"; also the text that fingerprints
/// hash.
std::string to_string(const Expr& expr);
/// True if no part of it depends on the row's time or on chance.
bool is_deterministic(const Expr& expr);
/// Indexes of all columns that the expression reads, ascending, each once.
std::vector<std::size_t> columns_of(const Expr& expr);
/// The same expression with column i read from `new_index[i]`.
ExprPtr remap_columns(const ExprPtr& expr, const std::vector<std::size_t>& new_index);

}  // namespace leat::plan
