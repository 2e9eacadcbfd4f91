// The pattern of MATCH_RECOGNIZE as an automaton: the positions of its variables, and from each position the
// ways on, the preferred one first (Glushkov's construction, with bounded quantifiers written out). Pure
// data: the binder makes it, the operator runs it.
//
// Which of several matches of one first row is reported? A pattern that Flink runs, too (variables in a row,
// each once, the last one not greedy), follows Flink: a row that a greedy variable could take goes to no
// later variable; the match that ends first counts, and of several that end there the one that gives each
// row, in turn, to the earliest variable, reluctant or not. Every other pattern follows the SQL standard:
// greedy quantifiers prefer to go on, reluctant ones to stop, `|` its left side, and where the preferred way
// fails, the next one counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/plan/bind_context.h"
#include "pipelines/sql/match_recognize.h"

namespace leat::plan {

/// A set of variables: bit v is variable v of the pattern.
using VariableSet = std::uint64_t;
inline constexpr std::size_t kMaxVariables = 64;

/// The way to a position: the row satisfies the position's variable and none of `refused`.
struct MatchStep {
  std::uint32_t position = 0;
  VariableSet refused = 0;
};

struct MatchPosition {
  std::uint32_t variable = 0;
  std::vector<MatchStep> next;  ///< The preferred one first.
  /// The match may end here; every way of `next` is preferred to that, unless the first end wins.
  bool accepts = false;
  bool excluded = false;  ///< Inside {- -}: not among ALL ROWS PER MATCH.
};

struct MatchAutomaton {
  std::vector<MatchStep> start;
  std::vector<MatchPosition> positions;
  bool first_end_wins = false;  ///< Of the matches of one first row, whatever is preferred.
};

/// `variables` are the names of the pattern's variables, in the order of `variables_of`. None: an error has
/// been reported (a pattern that can match without rows, or is too large).
std::optional<MatchAutomaton> compile_pattern(const sql::RowPattern& pattern,
                                              const std::vector<std::string>& variables,
                                              const BindContext& context);
/// The variables of the pattern, in the order of the text.
std::vector<std::string> variables_of(const sql::RowPattern& pattern);
/// The pattern as text, for EXPLAIN and fingerprints: "A B{1,} (C | D)".
std::string to_string(const sql::RowPattern& pattern);

}  // namespace leat::plan
