// FROM: its tables, and the joins between them. It is bound in two steps: first its tables and names, as a
// tree; then, when WHERE is known, the tree becomes nodes, because conditions of WHERE take part in a join
// and decide its kind (a range of time makes an interval join, equal windows a window join).
//
// All columns of FROM are counted through from left to right; the tree's conditions and its scope use these
// numbers.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "pipelines/plan/bind_query.h"
#include "pipelines/plan/bind_subquery.h"
#include "pipelines/plan/join_node.h"

namespace leat::plan {

struct FromItem;
struct LateralQuery;  // bind_lateral.h
using FromItemPtr = std::unique_ptr<FromItem>;

/// A table of FROM, or two items joined.
struct FromItem {
  sql::SourceSpan span;
  std::size_t first = 0;  ///< Its first column in FROM.
  std::size_t width = 0;  ///< Columns.

  Relation relation;                ///< Of a table.
  std::optional<Micros> state_ttl;  ///< Of a table: what STATE_TTL says.

  FromItemPtr left;  ///< Null: it is a table.
  FromItemPtr right;
  JoinType type = JoinType::kInner;
  std::vector<ExprPtr> on;  ///< Conditions that are all required, over the columns of FROM.
  /// FOR SYSTEM_TIME AS OF: the rowtime of `left` whose versions of `right` are meant, as a column of FROM.
  std::optional<std::size_t> as_of;
  sql::SourceSpan as_of_span;

  ExprPtr collection;  ///< UNNEST, over the columns of `left`, which is set then and `right` is not.
  bool ordinality = false;
};

/// Conditions of ON with sub-queries: they are applied behind the join, like those of WHERE.
struct DeferredCondition {
  WhereParts parts;
  Scope scope;
};

/// FROM with its names.
struct BoundFrom {
  FromItemPtr item;
  Scope scope;
  std::vector<DeferredCondition> deferred = {};
};

/// FROM of a query that has none: one row without columns.
BoundFrom one_row();

// ---- What the files of FROM share ------------------------------------------------------------------------

bool is_true(const Expr& expr);
JoinType type_of(sql::JoinKind kind);
/// LATERAL before a query.
bool is_lateral(const sql::TableReference& reference);
/// True if it may read the tables to its left.
bool reads_left(const sql::TableReference& reference);
/// The names of one table in FROM, whose columns begin at `first`: its alias, or the last part of its own
/// name.
ScopeTable names_of_table(const sql::TableReference& reference, const Schema& schema, std::size_t first);
/// The two joined, without conditions.
BoundFrom joined_items(BoundFrom left, BoundFrom right, JoinType type, sql::SourceSpan span);

class FromBinder {
 public:
  /// The binder of the query that has the FROM, and the hints of its SELECT; both outlive this one.
  FromBinder(QueryBinder& queries, std::span<const sql::Hint> hints)
      : queries_(queries), context_(queries.context()), hints_(hints) {}

  /// None: the error has been reported, as below.
  std::optional<BoundFrom> bind(const sql::From& from);

 private:
  std::optional<BoundFrom> bind_reference(const sql::TableReference& reference);
  std::optional<BoundFrom> bind_table(const sql::TableReference& reference);
  std::optional<Relation> bind_relation(const sql::TableReference& reference);
  std::optional<Relation> bind_named(const sql::NamedTable& table);
  std::optional<BoundFrom> join(BoundFrom left, const sql::Join& join);
  std::optional<BoundFrom> unnest(BoundFrom left, const sql::Join& join);
  std::optional<BoundFrom> unnest(BoundFrom left, const sql::Unnest& unnest, JoinType type);
  std::optional<BoundFrom> lateral(BoundFrom left, const sql::Join& join);
  BoundFrom lateral_side(const LateralQuery& query, const sql::TableReference& reference);
  /// False: it is no join that has a FOR SYSTEM_TIME AS OF.
  bool refuse_as_of(const sql::TableReference& reference) const;
  bool bind_as_of(const sql::NamedTable& table, const Scope& left, BoundFrom& joined) const;
  std::optional<BoundFrom> cross(std::vector<BoundFrom> parts);
  bool check_names(const Scope& left, const Scope& right, sql::SourceSpan span) const;
  bool check_deferred(const BoundFrom& padded, const sql::Join& join) const;
  bool bind_on(const sql::Join& join, const Scope& both, BoundFrom& joined) const;
  bool bind_condition(const sql::Join& join, const Scope& left, const Scope& right, BoundFrom& joined) const;
  bool bind_using(const sql::Identifier& name, const Scope& left, const Scope& right,
                  BoundFrom& joined) const;

  QueryBinder& queries_;
  const BindContext& context_;
  std::span<const sql::Hint> hints_;
  std::size_t next_column_ = 0;
};

/// The tree as nodes, with the conditions of WHERE that it can take; all of them hold for its rows. `where`
/// is over the columns of FROM. None: the error has been reported.
std::optional<Relation> build_from(FromItem& item, std::vector<ExprPtr> where, const BindContext& context);

}  // namespace leat::plan
