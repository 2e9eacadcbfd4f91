// Bound expressions: typed, with every name resolved to a column index and every function to a kernel.
// Immutable and shared.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
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
/// The same expression with column i replaced by `replacements[i]`: what an expression over a projection is
/// over the projection's input.
ExprPtr substitute_columns(const ExprPtr& expr, std::span<const ExprPtr> replacements);

/// The text of `expr` with columns printed by `column_text`; literals carry their types when `typed`.
struct ExprTextStyle {
  std::function<std::string(const Expr& column)> column_text;
  enum class Literals : std::uint8_t { kPlain, kTyped } literals = Literals::kPlain;
};
std::string to_string(const Expr& expr, const ExprTextStyle& style);

/// Two expressions over the same columns are the same if their identities are: columns count by index,
/// literals with their types.
std::string identity_of(const Expr& expr);

/// Conditions that are all required: the operands of nested ANDs, in the order in which they are evaluated.
std::vector<ExprPtr> conjuncts_of(const ExprPtr& predicate);
/// The AND of all of them, evaluated in this order; null if there is none.
ExprPtr conjunction_of(std::span<const ExprPtr> conjuncts);
/// `kind` (kAnd or kOr) over one or more BOOLEAN operands, as a balanced tree: a list of thousands of values
/// needs no deep stack.
ExprPtr make_logical(ExprKind kind, std::span<const ExprPtr> operands);
/// True if evaluating it can never fail for a row, so that it may run on rows that it was not written for:
/// comparisons, NULL tests and logic over columns and literals.
bool is_total(const Expr& expr);

}  // namespace leat::plan
