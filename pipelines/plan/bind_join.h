// What a join becomes: which conditions go below it, which of them are keys, and which kind of join can do
// the rest. The kinds are tried from the one that keeps the least state.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "pipelines/plan/bind_context.h"
#include "pipelines/plan/join_node.h"
#include "pipelines/plan/scope.h"

namespace leat::plan {

/// The two sides of a join while it is built. Conditions are over the columns of both, the right ones behind
/// the left ones.
struct JoinParts {
  JoinType type = JoinType::kInner;
  Relation left;
  Relation right;
  std::vector<ExprPtr> conditions;
  sql::SourceSpan span;
  /// What STATE_TTL says about the rows of each side.
  std::array<std::optional<Micros>, 2> state_ttl = {};

  [[nodiscard]] std::size_t left_width() const { return left.schema().size(); }
};

/// Columns of both sides that a condition makes equal, as expressions over the one and the other side.
struct Equality {
  ExprPtr left;
  ExprPtr right;
  JoinKey::Nulls nulls = JoinKey::Nulls::kNeverMatch;
};
std::optional<Equality> equality_of(const Expr& condition, std::size_t left_width);

/// Which side of a join an expression reads.
enum class SideOf : std::uint8_t { kNeither, kLeft, kRight, kBoth };
SideOf side_of(const Expr& expr, std::size_t left_width);

/// True if `condition` is never TRUE for a row whose columns in [first, first + count) are all NULL.
bool rejects_nulls(const Expr& condition, std::size_t first, std::size_t count);

/// `expr` over columns that begin at `first`, from one over columns that begin at 0, and the other way round.
ExprPtr shift_columns(const ExprPtr& expr, std::size_t from, std::size_t to);

/// What the keys of a join may be on its right side.
enum class KeyForm : std::uint8_t {
  kAny,           ///< Expressions, too; they are computed below the join.
  kRightColumns,  ///< Columns: the right side is asked by them. Other equalities are conditions.
};
/// Fills keys, condition, inputs and output of `join` from its parts and derives the rest.
void finish_join(JoinBase& join, const JoinParts& parts, KeyForm form = KeyForm::kAny);

/// The interval join of the parts, if their conditions bound the difference of their times.
std::optional<Relation> interval_join(JoinParts& parts);

/// The window join of the parts, if they are windows and their conditions make the windows equal.
std::optional<Relation> window_join(JoinParts& parts);

/// FOR SYSTEM_TIME AS OF column `time_column` of the left side, a rowtime. None: the error has been reported.
std::optional<Relation> temporal_join(JoinParts parts, std::size_t time_column, const BindContext& context);

/// FOR SYSTEM_TIME AS OF a processing time. None: the error has been reported.
std::optional<Relation> lookup_join(JoinParts parts, const BindContext& context);

/// The join of the parts, of the kind that fits. None: the error has been reported.
std::optional<Relation> make_join(JoinParts parts, const BindContext& context);

}  // namespace leat::plan
