// Sub-queries of WHERE: [NOT] IN (query) and [NOT] EXISTS (query), which become semi and anti joins.
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

/// WHERE in its conditions that are all required: tests against sub-queries, and the others.
struct WhereParts {
  std::vector<const sql::Expression*> conditions;
  std::vector<SubqueryTest> tests;
};
WhereParts parts_of(const sql::Expression& where);

/// A query whose WHERE may read columns of the query around it.
struct InnerQuery {
  Relation relation;
  std::vector<ExprPtr> items;       ///< Its SELECT list, over `relation`.
  std::vector<ExprPtr> correlated;  ///< Conditions over `relation`, and over the outer query's columns, which
                                    ///< begin at kOuterColumns.
};

/// `input` without the rows that the test refuses. `scope` has its names. None: the error has been reported.
std::optional<Relation> apply_test(const SubqueryTest& test, const Relation& input, const Scope& scope,
                                   QueryBinder& queries);

}  // namespace leat::plan
