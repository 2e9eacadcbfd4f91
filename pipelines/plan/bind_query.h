// Binds queries: from the AST of a query to a relation. One file per clause: bind_query.cc (bodies),
// bind_from.cc (FROM), bind_select.cc (SELECT lists), bind_group.cc (GROUP BY), bind_window.cc (window table
// functions).
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipelines/plan/bind_context.h"
#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/scope.h"
#include "pipelines/sql/ast.h"

namespace leat::plan {

/// Where FROM finds its tables and views; the statements before this one have declared them.
class TableLookup {
 public:
  virtual ~TableLookup() = default;
  /// None: it is unknown (reported, with the nearest name) or broken (reported where it was declared).
  /// `hints` stand behind the name; the options in them hold for this reader alone.
  virtual std::optional<Relation> find_relation(const sql::Name& name, std::span<const sql::Hint> hints) = 0;
};

struct Correlated;  // bind_correlated.h

/// One column of a SELECT list, bound.
struct SelectColumn {
  ExprPtr expr;  ///< Null: it had an error.
  std::string name;
  ColumnRole role = ColumnRole::kPlain;
};

class QueryBinder {
 public:
  /// Both outlive the binder.
  QueryBinder(TableLookup& tables, const BindContext& context) : tables_(tables), context_(context) {}

  /// None: at least one error has been reported; as many of the query as can be found are.
  std::optional<Relation> bind(const sql::Query& query);
  /// A table, a view or a name of WITH.
  std::optional<Relation> bind_name(const sql::Name& name, std::span<const sql::Hint> hints = {});

  /// A query that may read columns of the query around it. Its own columns, then `correlated.keys`.
  std::optional<Relation> bind_correlated(const sql::Query& query, Correlated& correlated);
  /// FROM and WHERE; `scope` gets their names. Conditions that read outer columns are put into `correlated`,
  /// which may be null. A condition that has an error is left out, so that the errors of the other clauses
  /// are found, too.
  std::optional<Relation> bind_from_where(const sql::Select& select, Scope& scope, Correlated* correlated);

  [[nodiscard]] const BindContext& context() const { return context_; }

 private:
  std::optional<Relation> bind_body(const sql::QueryBody& body);
  std::optional<Relation> bind_values(const sql::Values& values);
  std::optional<Relation> bind_set_operation(const sql::SetOperation& operation);
  std::optional<Relation> bind_select(const sql::Select& select);
  /// ORDER BY of the query whose SELECT is being bound: it may use columns that are not in the list, which
  /// then follow the list's `visible` columns.
  struct Ordering {
    const std::vector<sql::OrderItem>& items;
    std::vector<std::size_t> columns = {};  ///< One per item, as far as they are found.
    std::size_t visible = 0;
  };
  /// What a SELECT list stands on.
  struct ListPlace {
    ExprBinder::Interceptor values =
        {};                          ///< Answers for what the nodes below the list compute; may be empty.
    Ordering* ordering = nullptr;    ///< May be null.
    std::vector<ExprPtr> keys = {};  ///< Over the list's input: they follow the list, unseen.

    [[nodiscard]] std::span<const sql::OrderItem> order_items() const;
  };
  std::optional<Relation> bind_items(const sql::Select& select, const Relation& input, const Scope& scope,
                                     const ListPlace& place);
  std::optional<Relation> bind_over_select(const sql::Select& select, const Relation& input,
                                           const Scope& scope, ListPlace place);
  std::optional<Relation> bind_grouped_select(const sql::Select& select, Relation input, const Scope& scope,
                                              ListPlace place);
  std::optional<Relation> bind_plain_select(const sql::Select& select, Relation input, const Scope& scope,
                                            ListPlace place);
  /// The list, with OVER and QUALIFY.
  std::optional<Relation> bind_list(const sql::Select& select, const Relation& input, const Scope& scope,
                                    ListPlace place);
  /// The first `listed` of the columns have names that ORDER BY may use.
  void add_order_columns(std::vector<SelectColumn>& columns, std::size_t listed, const ExprBinder& binder,
                         Ordering& ordering);
  bool find_order_columns(const Relation& relation, Ordering& ordering);
  std::optional<Relation> bind_ordered(const sql::Query& query, Correlated* correlated);
  bool bind_with(const sql::Query& query);

  TableLookup& tables_;
  const BindContext& context_;
  /// The names of WITH that are in sight, innermost last; none for one that is broken.
  std::vector<std::pair<std::string, std::optional<Relation>>> common_tables_;
  Ordering* ordering_ = nullptr;      ///< For the SELECT that is bound next.
  Correlated* correlated_ = nullptr;  ///< For the query that is bound next.
  std::size_t depth_ = 0;             ///< Queries that are being bound, one in the other.
  std::vector<const Scope*> around_;  ///< The names of those that have sub-queries, outermost first.
};

/// Names for a SELECT list: the alias, the column's or field's own name, or EXPR$i; repeated ones get a
/// number.
std::string column_name_of(const sql::SelectItem& item, std::size_t position);
void make_names_unique(std::vector<SelectColumn>& columns);
/// The projection onto `columns`; none if one of them had an error.
std::optional<Relation> project(const Relation& input, std::vector<SelectColumn> columns);
/// True if the expression calls an aggregate outside of sub-queries.
bool contains_aggregate(const sql::Expression& expression);
/// True if the rows of the SELECT are groups.
bool is_grouped(const sql::Select& select);

/// `relation` with other column names; reports a wrong number of them.
std::optional<Relation> rename(Relation relation, const std::vector<sql::Identifier>& names,
                               const BindContext& context);

}  // namespace leat::plan
