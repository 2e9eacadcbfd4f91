// Sub-queries that stand for a value: `(SELECT …)`, and EXISTS, IN, ANY, SOME and ALL wherever a join cannot
// take them (under OR, in CASE, in a SELECT list). Each is joined to the rows that need its value, LEFT, so
// that no row is lost; its value is computed of the columns that the join adds.
//
// - A scalar sub-query gives one row per key, NULL where it gives none. An aggregate without GROUP BY gives
// its
//   value over no rows there: COUNT is 0. Of any other query a second row fails, as in Flink.
// - EXISTS joins the keys that occur. IN joins the values that occur and, where NULLs may decide, the keys
// that
//   have a NULL, and those that have any row.
// - A comparison with ANY or ALL, and IN with a row, joins the outer values for which it is TRUE for some
// row,
//   and those for which it is not FALSE for some.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/plan/bind_correlated.h"

namespace leat::plan {

/// True if the query is one group of all its rows: aggregates, and no GROUP BY with keys.
bool single_group(const sql::Query& query);
/// The values that IN compares: of a row, its parts.
std::vector<const sql::Expression*> operands_of(const sql::Subquery& query);
/// "IN", "< ALL".
std::string comparison_text(const sql::Subquery& query);
/// Reports a query that has another number of columns than it is compared with.
bool check_width(const sql::Subquery& query, std::size_t columns, const BindContext& context);

class SubqueryValues {
 public:
  /// What reads the values: names, and what an interceptor makes of them first.
  struct Names {
    const Scope& scope;                   ///< Of operands and conditions.
    const Scope& outer;                   ///< Of the columns that a sub-query may read.
    ExprBinder::Interceptor values = {};  ///< May be empty.
  };
  /// Which sub-queries `collect` takes: in a grouped SELECT those inside of aggregates see rows, the others
  /// groups.
  enum class Reach : std::uint8_t { kAnywhere, kInsideAggregates, kOutsideAggregates };

  /// `names` are of `input`. The scopes outlive the object.
  SubqueryValues(QueryBinder& queries, Relation input, Names names)
      : queries_(queries),
        context_(queries.context()),
        relation_(std::move(input)),
        names_(std::move(names)) {}

  /// Joins the sub-queries of `expression`. False: reported.
  bool collect(const sql::Expression& expression, Reach reach = Reach::kAnywhere);
  /// The rows with their values, as far as they are collected.
  [[nodiscard]] const Relation& relation() const { return relation_; }
  /// Answers for the sub-queries, then as the names' values do; valid as long as the object.
  [[nodiscard]] ExprBinder::Interceptor interceptor() const;
  /// The rows for which all conditions, collected before, are TRUE. None: reported.
  std::optional<Relation> filter(std::span<const sql::Expression* const> conditions,
                                 std::string_view place) const;

 private:
  bool add(const sql::Subquery& query);
  ExprPtr group_value(const sql::Subquery& query);
  std::vector<ExprPtr> join_groups(const Relation& groups, std::span<const ExprPtr> keys,
                                   const Correlated& correlated, sql::SourceSpan span);
  ExprPtr value_of_group(const sql::Subquery& query, const std::vector<ExprPtr>& items,
                         const ExprPtr& having) const;
  ExprPtr scalar_value(const sql::Subquery& query);
  ExprPtr exists_value(const sql::Subquery& query);
  ExprPtr membership_value(const sql::Subquery& query);
  ExprPtr in_value(const sql::Subquery& query, const Relation& inner, const Correlated& correlated,
                   const ExprPtr& operand);
  ExprPtr counted_value(const sql::Subquery& query, const Relation& inner, const Correlated& correlated,
                        const std::vector<ExprPtr>& operands);
  ExprPtr is_among(const sql::Subquery& query, const Relation& pairs, const std::vector<std::size_t>& columns,
                   const ExprPtr& condition);
  std::optional<Relation> comparisons(const sql::Subquery& query, const Relation& inner,
                                      const Correlated& correlated, const std::vector<ExprPtr>& operands,
                                      const std::vector<std::size_t>& columns) const;
  ExprPtr compare(const sql::Subquery& query, std::span<const ExprPtr> left,
                  std::span<const ExprPtr> right) const;
  /// TRUE where the rows of `inner` with the outer row's keys, and of them those for which `condition` is
  /// TRUE, are any.
  ExprPtr mark(const sql::Subquery& query, const Relation& inner, const Correlated& correlated,
               const ExprPtr& condition);
  [[nodiscard]] ExprPtr is_joined(std::size_t mark, sql::SourceSpan span) const;
  std::optional<std::vector<ExprPtr>> bind_operands(const sql::Subquery& query) const;
  [[nodiscard]] OuterQuery outer() const;
  /// Joins `right`, LEFT, on conditions as key_conditions gives them; its first column in the result.
  std::optional<std::size_t> attach(const Relation& right, std::vector<ExprPtr> conditions,
                                    sql::SourceSpan span);
  std::optional<std::size_t> attach_by_keys(const Relation& right, std::size_t keys_at,
                                            const Correlated& correlated, sql::SourceSpan span);

  QueryBinder& queries_;
  const BindContext& context_;
  Relation relation_;
  Names names_;
  std::map<const sql::Subquery*, ExprPtr> found_;
};

}  // namespace leat::plan
