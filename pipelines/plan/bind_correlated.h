// Queries that read columns of the query around them: sub-queries in expressions, LATERAL. They are bound
// once, for all outer rows: what they ask of an outer row becomes columns of their own, the keys, by which
// they are grouped, ranked and then joined with the outer rows.
//
// Where WHERE only compares columns of the two sides by `=`, the inner sides are the keys. Anything else is
// computed for each different combination of outer values that occurs, which are the keys then.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "pipelines/plan/bind_query.h"
#include "pipelines/plan/join_node.h"

namespace leat::plan {

/// The query around: its names and its rows.
struct OuterQuery {
  const Scope& scope;
  /// The rows; column `first` of `scope` is their first. None: reported.
  std::function<std::optional<Relation>()> rows;
  std::size_t first = 0;
};

struct Correlated {
  explicit Correlated(OuterQuery query) : outer(std::move(query)) {}

  /// A key, and what it is equal to in the outer query.
  struct Match {
    ExprPtr outer;  ///< Over the columns of the outer query.
    JoinKey::Nulls nulls = JoinKey::Nulls::kNeverMatch;
  };

  OuterQuery outer;
  std::vector<ExprPtr> conditions;  ///< Of WHERE, as long as they have not become keys.
  std::vector<Match> matches;
  std::vector<ExprPtr> keys;  ///< One per match, over the rows below the list.
};

/// While it lives, a query is bound that may have another one around it.
class QueryInside {
 public:
  /// `around` has the names of the queries around, outermost first; `correlated` may be null.
  QueryInside(std::vector<const Scope*>& around, const Correlated* correlated)
      : around_(around), size_(around.size()) {
    if (correlated) around_.push_back(&correlated->outer.scope);
  }
  ~QueryInside() { around_.resize(size_); }
  QueryInside(const QueryInside&) = delete;
  QueryInside& operator=(const QueryInside&) = delete;

 private:
  std::vector<const Scope*>& around_;
  std::size_t size_;
};

/// Refuses names of `select` that only a query further out than the one around it has. `scope` has its own
/// names; `correlated` may be null.
bool check_reach(const sql::Select& select, const Scope& scope, const Correlated* correlated,
                 std::span<const Scope* const> around, const BindContext& context);

/// Outer columns in conditions count from kOuterColumns: `expr` over the columns of a join, the inner query's
/// behind the `left_width` outer ones.
ExprPtr joined_columns(const ExprPtr& expr, std::size_t left_width);
/// The conditions by which rows with the keys of `correlated`, from column `first` of `inner` on, meet the
/// outer rows. None: reported.
std::optional<std::vector<ExprPtr>> key_conditions(const Correlated& correlated, const Node& inner,
                                                   std::size_t first, sql::SourceSpan span,
                                                   const BindContext& context);
/// The same for the keys as columns of the inner query.
std::optional<std::vector<ExprPtr>> match_conditions(const Correlated& correlated,
                                                     std::span<const ExprPtr> keys, sql::SourceSpan span,
                                                     const BindContext& context);
/// Makes the conditions of `correlated` keys of `input`, whose names are in `scope`. `select` is the query.
bool make_keys(const sql::Select& select, Relation& input, Scope& scope, Correlated& correlated,
               const BindContext& context);
/// Each combination of the columns that occurs in `rows`, once.
Relation distinct_columns(const Relation& rows, std::span<const std::size_t> columns,
                          const BindContext& context);

}  // namespace leat::plan
