#include "pipelines/plan/match_pattern.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace leat::plan {
namespace {

using Greed = sql::RowPattern::Greed;
using Kind = sql::RowPattern::Kind;
using Quantifier = sql::RowPattern::Quantifier;

/// More positions than this are no pattern that somebody means; each partial match looks at some of them.
constexpr std::size_t kMaxPositions = 4096;
constexpr std::size_t kMaxPermuted = 5;

bool is_fixed(const Quantifier& quantifier) {
  return quantifier.maximum && *quantifier.maximum == quantifier.minimum;
}
bool is_optional(const Quantifier& quantifier) {
  return quantifier.minimum == 0 && quantifier.maximum && *quantifier.maximum == 1;
}
bool is_greedy_loop(const Quantifier& quantifier) {
  return quantifier.greed == Greed::kGreedy && !is_fixed(quantifier) && !is_optional(quantifier);
}

/// The variables of a pattern that Flink runs, too; none if it does not.
std::optional<std::vector<const sql::RowPattern*>> flink_elements(const sql::RowPattern& pattern) {
  std::vector<const sql::RowPattern*> elements;
  if (pattern.kind == Kind::kVariable)
    elements.push_back(&pattern);
  else if (pattern.kind == Kind::kSequence && !pattern.quantifier)
    for (const sql::RowPattern& child : pattern.children) elements.push_back(&child);
  if (elements.empty()) return std::nullopt;
  std::vector<std::string> names;
  for (const sql::RowPattern* element : elements) {
    if (element->kind != Kind::kVariable || std::ranges::find(names, element->variable.text) != names.end())
      return std::nullopt;
    names.push_back(element->variable.text);
    const auto& quantifier = element->quantifier;
    if (quantifier && is_optional(*quantifier) && quantifier->greed == Greed::kReluctant) return std::nullopt;
  }
  const auto& last = elements.back()->quantifier;
  if (last && is_greedy_loop(*last)) return std::nullopt;
  return elements;
}

// ---- A program of takes, splits and jumps
// ------------------------------------------------------------------

constexpr std::uint32_t kNowhere = std::numeric_limits<std::uint32_t>::max();

struct Instruction {
  enum class Kind : std::uint8_t { kTake, kSplit, kJump, kAccept };
  Kind kind = Kind::kAccept;
  std::uint32_t first = kNowhere;   ///< kTake: the position. kSplit: the preferred way. kJump: where to.
  std::uint32_t second = kNowhere;  ///< kSplit: the other way.
};

class PatternCompiler {
 public:
  PatternCompiler(const std::vector<std::string>& variables, const BindContext& context)
      : variables_(variables), context_(context) {}

  std::optional<MatchAutomaton> compile(const sql::RowPattern& pattern) {
    const auto elements = flink_elements(pattern);
    automaton_.first_end_wins = elements.has_value();
    if (!emit(pattern)) return std::nullopt;
    program_.push_back({Instruction::Kind::kAccept});
    MatchPosition start;
    follow(0, start);
    if (start.accepts || start.next.empty()) return refuse_empty(pattern);
    for (std::uint32_t at = 0; at < program_.size(); ++at)
      if (program_[at].kind == Instruction::Kind::kTake)
        follow(at + 1, automaton_.positions[program_[at].first]);
    automaton_.start = std::move(start.next);
    if (elements) refuse_greedy_rows(*elements);
    return std::move(automaton_);
  }

 private:
  std::optional<MatchAutomaton> refuse_empty(const sql::RowPattern& pattern) const {
    context_.diagnostics.error(pattern.span, "this pattern can match without any row",
                               "one of its variables must be there: A+ in place of A*");
    return std::nullopt;
  }

  std::uint32_t here() const { return static_cast<std::uint32_t>(program_.size()); }

  bool emit(const sql::RowPattern& pattern) {
    if (!pattern.quantifier) return emit_once(pattern);
    const Quantifier& quantifier = *pattern.quantifier;
    const bool loops = !quantifier.maximum;
    const std::uint32_t plain = loops && quantifier.minimum > 0 ? quantifier.minimum - 1 : quantifier.minimum;
    for (std::uint32_t i = 0; i < plain; ++i)
      if (!emit_once(pattern)) return false;
    if (!loops) return emit_optional(pattern, *quantifier.maximum - quantifier.minimum);
    return quantifier.minimum > 0 ? emit_some(pattern) : emit_any(pattern);
  }

  // Where the first end wins, a reluctant variable needs no more to stop early.
  [[nodiscard]] bool goes_on(const sql::RowPattern& pattern) const {
    return automaton_.first_end_wins || pattern.quantifier->greed == Greed::kGreedy;
  }
  void aim(std::uint32_t split, const sql::RowPattern& pattern, std::uint32_t body, std::uint32_t out) {
    program_[split].kind = Instruction::Kind::kSplit;
    program_[split].first = goes_on(pattern) ? body : out;
    program_[split].second = goes_on(pattern) ? out : body;
  }

  // body; split(body, out)
  bool emit_some(const sql::RowPattern& pattern) {
    const std::uint32_t body = here();
    if (!emit_once(pattern)) return false;
    const std::uint32_t split = here();
    program_.emplace_back();
    aim(split, pattern, body, here());
    return true;
  }
  // split(body, out); body; jump split
  bool emit_any(const sql::RowPattern& pattern) {
    const std::uint32_t split = here();
    program_.emplace_back();
    if (!emit_once(pattern)) return false;
    program_.push_back({Instruction::Kind::kJump, split});
    aim(split, pattern, split + 1, here());
    return true;
  }
  // split(body, out); body; split(body, out); body; …
  bool emit_optional(const sql::RowPattern& pattern, std::uint32_t times) {
    std::vector<std::uint32_t> splits;
    for (std::uint32_t i = 0; i < times; ++i) {
      splits.push_back(here());
      program_.emplace_back();
      if (!emit_once(pattern)) return false;
    }
    for (const std::uint32_t split : splits) aim(split, pattern, split + 1, here());
    return true;
  }

  bool emit_once(const sql::RowPattern& pattern) {
    switch (pattern.kind) {
      case Kind::kVariable:
        return emit_variable(pattern);
      case Kind::kSequence:
        return std::ranges::all_of(pattern.children, [this](const auto& child) { return emit(child); });
      case Kind::kAlternation:
        return emit_choice(pattern.children.size(), [&](std::size_t i) { return emit(pattern.children[i]); });
      case Kind::kPermute:
        return emit_permutations(pattern);
      case Kind::kExclusion: {
        const bool outer = std::exchange(excluded_, true);
        const bool whole = emit(pattern.children[0]);
        excluded_ = outer;
        return whole;
      }
      case Kind::kEmpty:
        return true;
    }
    return true;
  }

  bool emit_variable(const sql::RowPattern& pattern) {
    if (automaton_.positions.size() == kMaxPositions) {
      context_.diagnostics.error(pattern.span,
                                 "the pattern has more than " + std::to_string(kMaxPositions) +
                                     " steps when its repetitions are written out",
                                 "count the rows with a condition: DEFINE A AS COUNT(A.x) <= 5000");
      return false;
    }
    const auto variable = std::ranges::find(variables_, pattern.variable.text) - variables_.begin();
    program_.push_back({Instruction::Kind::kTake, static_cast<std::uint32_t>(automaton_.positions.size())});
    automaton_.positions.push_back({.variable = static_cast<std::uint32_t>(variable), .excluded = excluded_});
    return true;
  }

  // split(way 0, rest); way 0; jump out; split(way 1, rest); …; way n; out:
  template <class Emit>
  bool emit_choice(std::size_t ways, const Emit& emit_way) {
    std::vector<std::uint32_t> jumps;
    for (std::size_t i = 0; i < ways; ++i) {
      const bool last = i + 1 == ways;
      const std::uint32_t split = here();
      if (!last) program_.push_back({Instruction::Kind::kSplit, split + 1});
      if (!emit_way(i)) return false;
      if (last) break;
      jumps.push_back(here());
      program_.push_back({Instruction::Kind::kJump});
      program_[split].second = here();
    }
    for (const std::uint32_t jump : jumps) program_[jump].first = here();
    return true;
  }

  bool emit_permutations(const sql::RowPattern& pattern) {
    const std::size_t count = pattern.children.size();
    if (count > kMaxPermuted) {
      context_.diagnostics.error(pattern.span,
                                 "PERMUTE takes at most " + std::to_string(kMaxPermuted) + " patterns",
                                 "write the orders that may occur as alternatives: (A B C | C A B)");
      return false;
    }
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), 0);
    std::vector<std::vector<std::size_t>> orders;
    do orders.push_back(order);
    while (std::ranges::next_permutation(order).found);
    return emit_choice(orders.size(), [&](std::size_t i) {
      return std::ranges::all_of(orders[i], [&](std::size_t child) { return emit(pattern.children[child]); });
    });
  }

  /// Collects what may come from `at` on without taking a row, in order of preference; what is less preferred
  /// than the end of the match is cut off, and a position counts at its first place.
  void follow(std::uint32_t at, MatchPosition& from) const {
    std::vector<bool> seen(program_.size());
    std::vector<std::uint32_t> open = {at};
    while (!open.empty() && !from.accepts) {
      const std::uint32_t now = open.back();
      open.pop_back();
      if (seen[now]) continue;
      seen[now] = true;
      const Instruction& instruction = program_[now];
      switch (instruction.kind) {
        case Instruction::Kind::kTake:
          from.next.push_back({.position = instruction.first});
          break;
        case Instruction::Kind::kSplit:
          open.push_back(instruction.second);
          open.push_back(instruction.first);
          break;
        case Instruction::Kind::kJump:
          open.push_back(instruction.first);
          break;
        case Instruction::Kind::kAccept:
          from.accepts = true;
          break;
      }
    }
  }

  // Flink adds "and not the greedy variable's condition" to every way that leaves the variable or steps over
  // it.
  void refuse_greedy_rows(const std::vector<const sql::RowPattern*>& elements) {
    const auto refused = [&](std::size_t from, std::size_t to) {
      VariableSet set = 0;
      for (std::size_t i = from; i < to; ++i)
        if (elements[i]->quantifier && is_greedy_loop(*elements[i]->quantifier)) set |= VariableSet{1} << i;
      return set;
    };
    for (MatchStep& step : automaton_.start)
      step.refused = refused(0, automaton_.positions[step.position].variable);
    for (MatchPosition& position : automaton_.positions)
      for (MatchStep& step : position.next)
        step.refused = refused(position.variable, automaton_.positions[step.position].variable);
  }

  const std::vector<std::string>& variables_;
  const BindContext& context_;
  bool excluded_ = false;
  std::vector<Instruction> program_;
  MatchAutomaton automaton_;
};

void collect_variables(const sql::RowPattern& pattern, std::vector<std::string>& names) {
  if (pattern.kind == Kind::kVariable && std::ranges::find(names, pattern.variable.text) == names.end())
    names.push_back(pattern.variable.text);
  for (const sql::RowPattern& child : pattern.children) collect_variables(child, names);
}

std::string joined(const sql::RowPattern& pattern, std::string_view between) {
  std::string text;
  for (const sql::RowPattern& child : pattern.children)
    text += (text.empty() ? "" : std::string(between)) + to_string(child);
  return text;
}

std::string once_to_string(const sql::RowPattern& pattern) {
  switch (pattern.kind) {
    case Kind::kVariable:
      return pattern.variable.text;
    case Kind::kSequence:
      return pattern.quantifier ? "(" + joined(pattern, " ") + ")" : joined(pattern, " ");
    case Kind::kAlternation:
      return "(" + joined(pattern, " | ") + ")";
    case Kind::kPermute:
      return "PERMUTE(" + joined(pattern, ", ") + ")";
    case Kind::kExclusion:
      return "{- " + joined(pattern, " ") + " -}";
    case Kind::kEmpty:
      return "()";
  }
  return "";
}

}  // namespace

std::optional<MatchAutomaton> compile_pattern(const sql::RowPattern& pattern,
                                              const std::vector<std::string>& variables,
                                              const BindContext& context) {
  return PatternCompiler(variables, context).compile(pattern);
}

std::vector<std::string> variables_of(const sql::RowPattern& pattern) {
  std::vector<std::string> names;
  collect_variables(pattern, names);
  return names;
}

std::string to_string(const sql::RowPattern& pattern) {
  std::string text = once_to_string(pattern);
  if (!pattern.quantifier) return text;
  const Quantifier& quantifier = *pattern.quantifier;
  text += "{" + std::to_string(quantifier.minimum) + ",";
  if (quantifier.maximum) text += std::to_string(*quantifier.maximum);
  return text + (quantifier.greed == Greed::kReluctant ? "}?" : "}");
}

}  // namespace leat::plan
