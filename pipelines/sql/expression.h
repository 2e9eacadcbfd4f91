// The expressions of the AST: what the user wrote, before any name is resolved. Immutable once parsed; a tree
// of unique_ptr. Most forms are one generic Call, so that the binder looks a name up in the function table
// and is done; only what has clauses of its own (CAST, CASE, sub-queries …) has its own node.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/sql/type_name.h"

namespace leat::sql {

struct JsonClauses;
struct Query;
struct Window;

enum class ExpressionKind : std::uint8_t {
  kLiteral,
  kColumn,      ///< a name: column, table.column, row.field, pattern variable.column
  kStar,        ///< `*`, `t.*`, `r.*`
  kCall,        ///< functions and operators
  kCast,        ///< CAST, TRY_CAST
  kCase,        ///< both forms
  kSubquery,    ///< scalar, EXISTS, IN
  kField,       ///< `.f` of something that is no name: `(r).f`, `a[1].f`
  kUnit,        ///< a unit of time as an argument
  kSymbol,      ///< a keyword as an argument: LEADING, TRAILING, BOTH
  kDescriptor,  ///< DESCRIPTOR(c, …)
  kTableArgument,
  kModelArgument,
};

/// No expression, query or type is a deeper tree than this: deeper text is an error with a span. So a
/// recursive walk is safe on the default stack.
inline constexpr std::uint32_t kMaxTreeHeight = 400;

struct Expression {
  explicit Expression(ExpressionKind expression_kind) : kind(expression_kind) {}
  virtual ~Expression() = default;
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;

  const ExpressionKind kind;
  SourceSpan span;
  /// Of the tree, 1 for a leaf, sub-queries included; at most kMaxTreeHeight.
  std::uint32_t height = 1;
};
using ExpressionPtr = std::unique_ptr<Expression>;

/// The node as its own type, or null if it is another kind: `if (const auto* call = as<Call>(e))`.
template <class Node>
const Node* as(const Expression& expression) {
  return expression.kind == Node::kKind ? static_cast<const Node*>(&expression) : nullptr;
}
template <class Node>
Node* as(Expression& expression) {
  return expression.kind == Node::kKind ? static_cast<Node*>(&expression) : nullptr;
}

enum class LiteralKind : std::uint8_t {
  kNull,
  kTrue,
  kFalse,
  kUnknown,    ///< the BOOLEAN NULL
  kInteger,    ///< `12`: text of digits; INT or BIGINT by size
  kDecimal,    ///< `1.50`: precision and scale are those of the text
  kDouble,     ///< `1e0`
  kString,     ///< CHAR(n); text decoded from '…', U&'…' or E'…'
  kBinary,     ///< x'0c': text holds the bytes
  kDate,       ///< DATE '…': text between the quotes, unchecked
  kTime,       ///< TIME '…'
  kTimestamp,  ///< TIMESTAMP '…': the precision is the number of fraction digits
  kInterval,   ///< INTERVAL [-] '…' units
};

struct Literal final : Expression {
  static constexpr auto kKind = ExpressionKind::kLiteral;
  Literal() : Expression(kKind) {}
  LiteralKind literal = LiteralKind::kNull;
  /// Numbers: as written, with "-" in front where a minus sign stands right before (not `a - 5`).
  std::string text;
  /// kInterval only: `INTERVAL -'5' DAY`; a sign inside the quotes stays in `text`.
  bool negative = false;
  IntervalUnits interval;
  SourceSpan text_span;  ///< Of the quoted part of DATE, TIME, TIMESTAMP, INTERVAL.
};

/// `temperature`, `t.temperature`, `r.f.g`: which part is a table, a column or a field, the binder decides.
struct ColumnName final : Expression {
  static constexpr auto kKind = ExpressionKind::kColumn;
  ColumnName() : Expression(kKind) {}
  Name name;
};

struct Star final : Expression {
  static constexpr auto kKind = ExpressionKind::kStar;
  Star() : Expression(kKind) {}
  std::optional<Name> qualifier;
};

/// How a Call was written; the meaning is in its name.
enum class CallSyntax : std::uint8_t {
  kFunction,  ///< `name(a, b)` and the keyword forms: EXTRACT(… FROM …), TRIM(…), POSITION(… IN …)
  kBare,      ///< `CURRENT_TIMESTAMP` without parentheses
  kPrefix,    ///< `-a`, `NOT a`, `FINAL LAST(x)`
  kInfix,     ///< `a + b`, `a AND b AND c`, `a LIKE b ESCAPE c`, `a IN (b, c)`, `a BETWEEN b AND c`
  kPostfix,   ///< `a IS NULL`, `a IS NOT JSON OBJECT`
  kItem,      ///< `a[1]`: the name is "ITEM"
  kBracket,   ///< `ARRAY[…]`, `MAP[…]`, `MULTISET[…]`
  kRow,       ///< `(a, b)`: the name is "ROW"
};

struct Argument {
  std::optional<Identifier> name;  ///< `name => value`
  ExpressionPtr value;
};

/// `expr [ASC|DESC] [NULLS FIRST|LAST]`
struct OrderItem {
  enum class Direction : std::uint8_t { kAscending, kDescending };
  enum class Nulls : std::uint8_t { kDefault, kFirst, kLast };
  ExpressionPtr value;
  Direction direction = Direction::kAscending;
  Nulls nulls = Nulls::kDefault;
  SourceSpan span;
};

/// A function or an operator. Operators have their symbol or words as name, upper case, one space between:
///   "+" "-" "*" "/" "%" "||" "=" "<>" "<" "<=" ">" ">="   two arguments ("-" and "+" also one)
///   "AND" "OR"          two or more: a chain is one node       "NOT"            one
///   "IS NULL" "IS NOT NULL" "IS TRUE" "IS NOT TRUE" "IS FALSE" … "IS UNKNOWN" … "IS JSON" "IS NOT JSON
///   OBJECT" … "IS DISTINCT FROM" "IS NOT DISTINCT FROM" "OVERLAPS"      two "BETWEEN" "BETWEEN SYMMETRIC" x,
///   low, high               "LIKE" "SIMILAR TO"   x, pattern [, escape] "IN"   x, then the list        (x IN
///   (query) is a Subquery)
/// NOT before LIKE, IN, BETWEEN, SIMILAR TO becomes a "NOT" around it: under three-valued logic it is the
/// same. Keyword forms are given in one order: EXTRACT(unit, x); FLOOR/CEIL(x, unit); POSITION(needle, text[,
/// from]); SUBSTRING(x, from[, for]); OVERLAY(x, new, from[, for]); TRIM(side, characters, x), always three;
/// TIMESTAMPADD(unit, n, x); TIMESTAMPDIFF(unit, a, b); JSON_OBJECT(key, value, key, value, …).
struct Call final : Expression {
  static constexpr auto kKind = ExpressionKind::kCall;
  Call();
  ~Call() override;

  enum class Nulls : std::uint8_t { kDefault, kRespect, kIgnore };

  CallSyntax syntax = CallSyntax::kFunction;
  /// Upper case, for look-ups. Functions' names ignore case in Flink.
  std::string name;
  Identifier written;  ///< As the user wrote it; its span is where "unknown function" points.
  std::vector<Argument> arguments;

  bool distinct = false;  ///< COUNT(DISTINCT x)
  bool star = false;      ///< COUNT(*): no arguments
  Nulls nulls = Nulls::kDefault;
  std::vector<OrderItem> order_by;    ///< WITHIN GROUP (ORDER BY …) or ARRAY_AGG(x ORDER BY …)
  ExpressionPtr filter;               ///< FILTER (WHERE …)
  std::unique_ptr<Window> over;       ///< OVER (…) or OVER w; see window.h
  std::unique_ptr<JsonClauses> json;  ///< Of the JSON_… functions that have any; see json_clauses.h
};

struct Cast final : Expression {
  static constexpr auto kKind = ExpressionKind::kCast;
  Cast() : Expression(kKind) {}
  enum class OnError : std::uint8_t { kFail, kNull };
  ExpressionPtr value;
  TypeName type;
  OnError on_error = OnError::kFail;  ///< kNull: TRY_CAST
};

struct Case final : Expression {
  static constexpr auto kKind = ExpressionKind::kCase;
  Case() : Expression(kKind) {}
  struct Branch {
    std::vector<ExpressionPtr> when;  ///< Several only with an operand: `WHEN 1, 2 THEN`.
    ExpressionPtr then;
  };
  ExpressionPtr operand;  ///< CASE operand WHEN …; null in the searched form.
  std::vector<Branch> branches;
  ExpressionPtr otherwise;  ///< ELSE; null: NULL.
};

struct Subquery final : Expression {
  static constexpr auto kKind = ExpressionKind::kSubquery;
  Subquery();
  ~Subquery() override;
  enum class Use : std::uint8_t {
    kScalar,  ///< `(SELECT …)`
    kExists,  ///< `EXISTS (…)`
    kIn,      ///< `operand IN (…)`, `operand = ANY (…)`; a row is a Call "ROW"
    kAny,     ///< `operand < ANY (…)`, `operand < SOME (…)`
    kAll,     ///< `operand < ALL (…)`
    kArray,   ///< `ARRAY(SELECT …)`
  };
  Use use = Use::kScalar;
  ExpressionPtr operand;  ///< Of kIn, kAny and kAll.
  std::string op = "=";   ///< The comparison of kAny and kAll.
  std::unique_ptr<Query> query;
};

struct FieldAccess final : Expression {
  static constexpr auto kKind = ExpressionKind::kField;
  FieldAccess() : Expression(kKind) {}
  ExpressionPtr value;
  Identifier field;
  bool star = false;  ///< `(r).*`: no field name.
};

struct UnitArgument final : Expression {
  static constexpr auto kKind = ExpressionKind::kUnit;
  UnitArgument() : Expression(kKind) {}
  TimeUnit unit = TimeUnit::kSecond;
};

struct SymbolArgument final : Expression {
  static constexpr auto kKind = ExpressionKind::kSymbol;
  SymbolArgument() : Expression(kKind) {}
  std::string symbol;  ///< Upper case.
};

struct Descriptor final : Expression {
  static constexpr auto kKind = ExpressionKind::kDescriptor;
  Descriptor() : Expression(kKind) {}
  std::vector<Identifier> columns;
};

/// `TABLE t [PARTITION BY …] [ORDER BY …]` or `(query) …` as an argument of a table function.
struct TableArgument final : Expression {
  static constexpr auto kKind = ExpressionKind::kTableArgument;
  TableArgument();
  ~TableArgument() override;
  std::optional<Name> table;  ///< Exactly one of the two is set.
  std::unique_ptr<Query> query;
  std::vector<ExpressionPtr> partition_by;
  std::vector<OrderItem> order_by;
};

/// `MODEL m` as an argument of a table function.
struct ModelArgument final : Expression {
  static constexpr auto kKind = ExpressionKind::kModelArgument;
  ModelArgument() : Expression(kKind) {}
  Name model;
};

}  // namespace leat::sql
