// Scalar functions: what the binder asks of them, and the kernels that run them over columns.
//
// A `ScalarFunction` is one name with its overloads. `bind` looks at the argument types (and literal values),
// answers with the result type, the types the arguments must be cast to, and a kernel. A kernel works on
// whole columns, never on a row; it may hold what it prepared at bind time (a compiled pattern, a time zone).
//
// How syntax maps to names. Everything that is not NAME(argument, …) in SQL has a name here, too; units and
// field names come as STRING literals (`ArgumentInfo::literal`), in upper case for units:
//   a + b  a - b  a * b  a / b  a % b    "+" "-" "*" "/" "%"        also time point ± INTERVAL, and time
//   point −
//                                        time point = INTERVAL DAY TO SECOND
//   -a                                   "NEGATE"                   +a is a
//   a || b                               "||"
//   a = b  <>  <  <=  >  >=              "=" "<>" "<" "<=" ">" ">="  (!= is <>)
//   a IS [NOT] NULL                      "IS NULL" "IS NOT NULL"
//   a IS [NOT] DISTINCT FROM b           "IS DISTINCT FROM" "IS NOT DISTINCT FROM"
//   a IS [NOT] TRUE / FALSE / UNKNOWN    "IS TRUE" "IS NOT TRUE" "IS FALSE" …
//   NOT a                                "NOT"                      NOT LIKE, NOT IN, …: NOT around them
//   a BETWEEN x AND y                    planner: a >= x AND a <= y (SYMMETRIC: OR of both orders)
//   a LIKE p [ESCAPE e]                  "LIKE"(a, p [, e])
//   a SIMILAR TO p [ESCAPE e]            "SIMILAR TO"(a, p [, e])
//   a IN (x, y, …)                       "IN"(a, x, y, …), constants as well as columns
//   CASE, COALESCE, IF, NULLIF, IFNULL   planner: lazy nodes; AND, OR as well. The last four also exist as
//                                        functions that evaluate all arguments.
//   TRIM([BOTH|LEADING|TRAILING] [c] FROM s)   "TRIM"('BOTH', c, s), c is ' ' when left out; TRIM(s): one
//   POSITION(a IN b)                     "POSITION"(a, b)
//   SUBSTRING(s FROM i [FOR n])          "SUBSTRING"(s, i [, n])
//   OVERLAY(s PLACING r FROM i [FOR n])  "OVERLAY"(s, r, i [, n])
//   EXTRACT(YEAR FROM x)                 "EXTRACT"('YEAR', x)
//   FLOOR(x TO DAY)  CEIL(x TO DAY)      "FLOOR"(x, 'DAY')  "CEIL"(x, 'DAY'); CEILING is CEIL
//   TIMESTAMPADD(DAY, n, x)              "TIMESTAMPADD"('DAY', n, x)
//   TIMESTAMPDIFF(DAY, a, b)             "TIMESTAMPDIFF"('DAY', a, b); SQL_TSI_DAY is DAY
//   (a, b) OVERLAPS (c, d)               "OVERLAPS"(a, b, c, d)
//   CURRENT_TIMESTAMP, LOCALTIME, …      the same name, no arguments, parentheses or not
//   CURRENT_WATERMARK(ts)                "CURRENT_WATERMARK"(ts)
//   a[i]  m[k]                           "[]"(a, i)
//   r.f                                  "."(r, 'f')
//   ARRAY[…]  MAP[k, v, …]  ROW(…) (…)   "ARRAY" "MAP" "ROW"; ROW's fields are EXPR$0, EXPR$1, …
//   JSON_VALUE, JSON_QUERY, JSON_EXISTS   the same, with their clauses as arguments: json_value.cc,
//   json_read.cc JSON_OBJECT, JSON_ARRAY              the same, with words between the values: json_write.cc
//   a IS [NOT] JSON [OBJECT …]           "IS JSON" "IS NOT JSON OBJECT" …
//   CAST, TRY_CAST                       bind_cast
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"
#include "pipelines/column/column.h"
#include "pipelines/column/type.h"

namespace leat::functions {

/// An argument of a kernel: a column as long as the batch, or one value for all rows.
struct Datum {
  ColumnPtr column;  ///< Of size 1 when `constant`.
  bool constant = false;
  [[nodiscard]] std::size_t index(std::size_t row) const { return constant ? 0 : row; }
};

/// Rows that could not be computed (a CAST of "abc" to INT, a division by zero). The kernel writes NULL
/// there; the operator takes the row out and sends it to the dead letters with the first message.
class RowErrors {
 public:
  struct Entry {
    std::uint32_t row;
    std::string message;
  };
  void add(std::size_t row, std::string message) {
    entries_.push_back({static_cast<std::uint32_t>(row), std::move(message)});
  }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  void clear() { entries_.clear(); }

 private:
  std::vector<Entry> entries_;
};

/// What a kernel may look at beside its arguments.
struct CallContext {
  std::size_t rows = 0;
  RowErrors* errors = nullptr;                 ///< Never null.
  std::span<const std::int64_t> intake_times;  ///< Per row, microseconds: NOW(), PROCTIME(), CURRENT_DATE, …
  std::span<const std::int64_t> watermarks;    ///< Per row, before the row: CURRENT_WATERMARK().
};

/// Result: a column of `rows` rows of the bound result type.
using Kernel = std::function<ColumnPtr(const CallContext&, std::span<const Datum>)>;

/// Settings of the session that change what functions mean.
struct Session {
  std::string time_zone = "UTC";  ///< 'table.local-time-zone', an IANA name
};

struct ArgumentInfo {
  Type type;
  std::optional<Value> literal;  ///< Set when the argument is constant (folded).
};

struct BoundScalar {
  Type result;
  std::vector<Type> arguments;  ///< What each argument is cast to before the call; as many as arguments.
  Kernel kernel;
  /// False: depends on the row's time or on chance (NOW(), RAND(), UUID()); never folded.
  bool deterministic = true;
};

struct ScalarFunction {
  std::string name;       ///< Upper case; operators have theirs: "+", "=", "IS NULL", "LIKE", "[]", "||".
  std::string signature;  ///< For documentation and messages: "SUBSTRING(string, start [, length])".
  std::string doc;        ///< One sentence.
  std::string example;    ///< An expression, …
  std::string example_result;  ///< … and its CAST AS STRING; the tests execute it.
  /// Errors: invalid, with a message that names the function and the argument types it got.
  std::function<Result<BoundScalar>(std::span<const ArgumentInfo>, const Session&)> bind;
};

/// By upper-case name; nullptr if there is none.
const ScalarFunction* find_scalar(std::string_view name);
/// Every scalar function, in name order: documentation and "did you mean".
std::span<const ScalarFunction> all_scalars();

// ---- Types and casts -------------------------------------------------------------------------------------

enum class CastKind : std::uint8_t {
  kCast,     ///< CAST: a value that does not fit is a row error.
  kTryCast,  ///< TRY_CAST: it is NULL.
};
/// A kernel of one argument that casts `from` to `to`, by the rules of Flink's CAST.
/// Errors: invalid when the two types cannot be cast at all.
Result<Kernel> bind_cast(const Type& from, const Type& to, CastKind kind, const Session& session);

/// True if a value of `from` goes into `to` without loss and without CAST being written (INSERT, UNION,
/// arguments).
bool implicitly_castable(const Type& from, const Type& to);
/// The least type that all of `types` go into without loss; nullable if one is. Errors: invalid, names the
/// types.
Result<Type> common_type(std::span<const Type> types);

/// Result types of DECIMAL arithmetic, Flink's rules.
Type decimal_add_type(const Type& a, const Type& b);
Type decimal_multiply_type(const Type& a, const Type& b);
Type decimal_divide_type(const Type& a, const Type& b);
Type decimal_modulo_type(const Type& a, const Type& b);

/// Evaluates a bound function over constants. Errors: invalid (the row error's message).
Result<Value> fold(const BoundScalar& call, std::span<const Value> arguments);

}  // namespace leat::functions
