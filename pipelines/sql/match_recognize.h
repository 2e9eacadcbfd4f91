// MATCH_RECOGNIZE as syntax: the whole of the standard's clause, more than Flink runs. What is not run is
// refused by the binder, which can say why.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "pipelines/sql/expression.h"

namespace leat::sql {

/// A regular expression over pattern variables.
struct RowPattern {
  enum class Kind : std::uint8_t {
    kVariable,     ///< `variable`
    kSequence,     ///< `A B C`: children
    kAlternation,  ///< `A | B`: children
    kPermute,      ///< PERMUTE(A, B): children
    kExclusion,    ///< `{- A -}`: children[0]
    kEmpty,        ///< `()`
  };
  enum class Greed : std::uint8_t { kGreedy, kReluctant };
  struct Quantifier {
    std::uint32_t minimum = 1;
    std::optional<std::uint32_t> maximum = 1;  ///< None: unbounded.
    Greed greed = Greed::kGreedy;              ///< kReluctant: a trailing `?`.
    SourceSpan span;
  };

  Kind kind = Kind::kVariable;
  Identifier variable;
  std::vector<RowPattern> children;
  /// None where nothing is written: exactly once.
  std::optional<Quantifier> quantifier;
  SourceSpan span;
};

struct MatchRecognize {
  struct Measure {
    ExpressionPtr value;  ///< FINAL and RUNNING are Calls of that name with one argument.
    Identifier name;
  };
  enum class RowsPerMatch : std::uint8_t {
    kOne,
    kAll,               ///< ALL ROWS PER MATCH [SHOW EMPTY MATCHES]
    kAllOmitEmpty,      ///< … OMIT EMPTY MATCHES
    kAllWithUnmatched,  ///< … WITH UNMATCHED ROWS
  };
  enum class Skip : std::uint8_t {
    kPastLastRow,
    kToNextRow,  ///< the default, as in Flink; the standard's is PAST LAST ROW
    kToFirst,    ///< TO FIRST v
    kToLast,     ///< TO LAST v, TO v
  };
  struct Subset {
    Identifier name;
    std::vector<Identifier> members;
  };
  struct Definition {
    Identifier variable;
    ExpressionPtr condition;
  };

  std::vector<ExpressionPtr> partition_by;
  std::vector<OrderItem> order_by;
  std::vector<Measure> measures;
  RowsPerMatch rows_per_match = RowsPerMatch::kOne;
  SourceSpan rows_per_match_span;
  Skip skip = Skip::kToNextRow;
  std::optional<Identifier> skip_to;  ///< The variable of kToFirst and kToLast.
  SourceSpan skip_span;
  RowPattern pattern;
  bool anchored_start = false;  ///< `^` before the pattern
  bool anchored_end = false;    ///< `$` behind it
  ExpressionPtr within;         ///< WITHIN INTERVAL …; null if not written.
  std::vector<Subset> subsets;
  std::vector<Definition> definitions;
  SourceSpan span;
};

}  // namespace leat::sql
