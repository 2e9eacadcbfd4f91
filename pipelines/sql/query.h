// Queries of the AST. Chains (joins, UNION) are flat lists in the order of the text, not left-deep trees: the
// binder folds them in a loop and a thousand UNIONs need no stack.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "pipelines/sql/expression.h"
#include "pipelines/sql/match_recognize.h"
#include "pipelines/sql/window.h"

namespace leat::sql {

enum class TableReferenceKind : std::uint8_t { kTable, kDerived, kFunction, kUnnest, kMatch, kJoined };

/// Something in FROM that gives rows. `[AS] alias [(c, …)]` belongs to each kind.
struct TableReference {
  explicit TableReference(TableReferenceKind reference_kind) : kind(reference_kind) {}
  virtual ~TableReference() = default;
  TableReference(const TableReference&) = delete;
  TableReference& operator=(const TableReference&) = delete;

  const TableReferenceKind kind;
  SourceSpan span;
  bool lateral = false;  ///< LATERAL: it may name columns of the tables to its left.
  std::optional<Identifier> alias;
  std::vector<Identifier> column_aliases;
};
using TableReferencePtr = std::unique_ptr<TableReference>;

template <class Node>
const Node* as(const TableReference& reference) {
  return reference.kind == Node::kKind ? static_cast<const Node*>(&reference) : nullptr;
}
template <class Node>
Node* as(TableReference& reference) {
  return reference.kind == Node::kKind ? static_cast<Node*>(&reference) : nullptr;
}

/// A table or view by name.
struct NamedTable final : TableReference {
  static constexpr auto kKind = TableReferenceKind::kTable;
  NamedTable() : TableReference(kKind) {}
  Name name;
  std::vector<Hint> hints;
  ExpressionPtr system_time;  ///< FOR SYSTEM_TIME AS OF …; null if not written.
};

/// A query in parentheses.
struct DerivedTable final : TableReference {
  static constexpr auto kKind = TableReferenceKind::kDerived;
  DerivedTable() : TableReference(kKind) {}
  std::unique_ptr<Query> query;
};

/// `TABLE(f(…))`, `LATERAL TABLE(f(…))` or the bare `f(…)`: window table functions, table functions.
struct TableFunction final : TableReference {
  static constexpr auto kKind = TableReferenceKind::kFunction;
  TableFunction() : TableReference(kKind) {}
  std::unique_ptr<Call> call;
};

struct Unnest final : TableReference {
  static constexpr auto kKind = TableReferenceKind::kUnnest;
  Unnest() : TableReference(kKind) {}
  enum class Ordinality : std::uint8_t { kWithout, kWith };
  std::vector<ExpressionPtr> values;
  Ordinality ordinality = Ordinality::kWithout;
};

/// `input MATCH_RECOGNIZE (…)`.
struct MatchTable final : TableReference {
  static constexpr auto kKind = TableReferenceKind::kMatch;
  MatchTable() : TableReference(kKind) {}
  TableReferencePtr input;
  MatchRecognize match;
};

enum class JoinKind : std::uint8_t { kComma, kCross, kInner, kLeft, kRight, kFull };

/// One step of a chain of joins: `left so far JOIN right …`.
struct Join {
  JoinKind kind = JoinKind::kInner;
  bool natural = false;
  TableReferencePtr right;
  ExpressionPtr on;  ///< Null if not written.
  std::vector<Identifier> using_columns;
  SourceSpan span;  ///< Of the words, e.g. LEFT JOIN.
};

/// `first [join …]`.
struct From {
  TableReferencePtr first;
  std::vector<Join> joins;
  SourceSpan span;
};

/// `(a JOIN b ON …)`: a chain in parentheses.
struct JoinedTable final : TableReference {
  static constexpr auto kKind = TableReferenceKind::kJoined;
  JoinedTable() : TableReference(kKind) {}
  From from;
};

struct SelectItem {
  ExpressionPtr value;  ///< A Star for `*` and `t.*`.
  std::optional<Identifier> alias;
  SourceSpan span;
};

struct GroupItem {
  enum class Kind : std::uint8_t {
    kExpression,    ///< values[0]
    kSet,           ///< `(a, b)` or `()`: values
    kRollup,        ///< items, each kExpression or kSet
    kCube,          ///< items, each kExpression or kSet
    kGroupingSets,  ///< items, of any kind
  };
  Kind kind = Kind::kExpression;
  std::vector<ExpressionPtr> values;
  std::vector<GroupItem> items;
  SourceSpan span;
};

enum class QueryBodyKind : std::uint8_t { kSelect, kValues, kTable, kSetOperation, kNested };

/// What stands between WITH and ORDER BY.
struct QueryBody {
  explicit QueryBody(QueryBodyKind body_kind) : kind(body_kind) {}
  virtual ~QueryBody() = default;
  QueryBody(const QueryBody&) = delete;
  QueryBody& operator=(const QueryBody&) = delete;

  const QueryBodyKind kind;
  SourceSpan span;
};
using QueryBodyPtr = std::unique_ptr<QueryBody>;

template <class Node>
const Node* as(const QueryBody& body) {
  return body.kind == Node::kKind ? static_cast<const Node*>(&body) : nullptr;
}

struct Select final : QueryBody {
  static constexpr auto kKind = QueryBodyKind::kSelect;
  Select() : QueryBody(kKind) {}
  std::vector<Hint> hints;
  bool distinct = false;
  std::vector<SelectItem> items;
  std::optional<From> from;
  ExpressionPtr where;
  /// GROUP BY was written; with no items it is GROUP BY ().
  bool grouped = false;
  std::vector<GroupItem> group_by;
  ExpressionPtr having;
  std::vector<NamedWindow> windows;
  ExpressionPtr qualify;
};

/// VALUES (1, 'a'), (2, 'b'); a row without parentheses has one value.
struct Values final : QueryBody {
  static constexpr auto kKind = QueryBodyKind::kValues;
  Values() : QueryBody(kKind) {}
  struct Row {
    std::vector<ExpressionPtr> values;
    SourceSpan span;
  };
  std::vector<Row> rows;
};

/// `TABLE t` as a query.
struct ExplicitTable final : QueryBody {
  static constexpr auto kKind = QueryBodyKind::kTable;
  ExplicitTable() : QueryBody(kKind) {}
  Name name;
};

/// `first op second op third`, from left to right; INTERSECT binds tighter and is a body of its own then.
struct SetOperation final : QueryBody {
  static constexpr auto kKind = QueryBodyKind::kSetOperation;
  SetOperation() : QueryBody(kKind) {}
  enum class Operator : std::uint8_t { kUnion, kIntersect, kExcept };
  enum class Quantifier : std::uint8_t { kDistinct, kAll };
  struct Step {
    Operator op = Operator::kUnion;
    Quantifier quantifier = Quantifier::kDistinct;
    QueryBodyPtr right;
    SourceSpan span;  ///< Of the words, e.g. UNION ALL.
  };
  QueryBodyPtr first;
  std::vector<Step> steps;
};

/// A query in parentheses, with clauses of its own.
struct NestedQuery final : QueryBody {
  static constexpr auto kKind = QueryBodyKind::kNested;
  NestedQuery() : QueryBody(kKind) {}
  std::unique_ptr<Query> query;
};

/// `WITH name [(c, …)] AS (query)`.
struct CommonTable {
  Identifier name;
  std::vector<Identifier> columns;
  std::unique_ptr<Query> query;
};

struct Query {
  std::vector<CommonTable> with;
  QueryBodyPtr body;
  std::vector<OrderItem> order_by;
  ExpressionPtr offset;
  ExpressionPtr limit;  ///< LIMIT n or FETCH FIRST n ROWS ONLY; LIMIT ALL is none.
  SourceSpan span;
  /// Of the tallest tree in it, plus one; at most kMaxTreeHeight.
  std::uint32_t height = 1;
};

}  // namespace leat::sql
