// Sub-queries of WHERE: [NOT] IN (query) and [NOT] EXISTS (query) as conditions of their own become semi and
// anti joins. All others stand for a value; see bind_subquery_value.h.
#pragma once

#include <optional>
#include <vector>

#include "pipelines/plan/bind_query.h"

namespace leat::plan {

/// One test of WHERE against a sub-query.
struct SubqueryTest {
  const sql::Subquery* query = nullptr;  ///< EXISTS or IN.
  bool negated = false;
};

/// WHERE in its conditions that are all required.
struct WhereParts {
  std::vector<const sql::Expression*> conditions;  ///< Without sub-queries.
  std::vector<SubqueryTest> tests;
  std::vector<const sql::Expression*> valued;  ///< With sub-queries that stand for values.
};
WhereParts parts_of(const sql::Expression& where);
bool contains_subquery(const sql::Expression& expression);

/// A query that is joined with the outer one: its columns, and conditions on them. Both may read outer
/// columns, which begin at kOuterColumns.
struct InnerQuery {
  Relation relation;
  std::vector<SelectColumn> items;
  std::vector<ExprPtr> conditions;
};
/// None: reported. A plain SELECT stays as it is, with all conditions left to the join.
std::optional<InnerQuery> bind_inner(const sql::Query& query, Correlated& correlated, QueryBinder& queries);
/// All columns are computed below the join, which only compares keys.
std::optional<InnerQuery> bind_keyed(const sql::Query& query, Correlated& correlated, QueryBinder& queries);

/// `input` without the rows that the test refuses. `scope` has its names. None: the error has been reported.
std::optional<Relation> apply_test(const SubqueryTest& test, const Relation& input, const Scope& scope,
                                   QueryBinder& queries);

}  // namespace leat::plan
