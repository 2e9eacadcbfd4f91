#include "pipelines/functions/json_path.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <limits>
#include <span>
#include <utility>

#include "pipelines/functions/json_function.h"

namespace leat::functions {

namespace {

struct Condition;
using Steps = std::vector<JsonPath::Step>;
using Nodes = std::vector<const JsonNode*>;

}  // namespace

struct JsonPath::Step {
  enum class Kind : std::uint8_t { kMember, kMembers, kEvery, kIndexes, kSlice, kDeep, kFilter, kFunction };
  Kind kind = Kind::kMember;
  std::string name = {};                   ///< kMember, kFunction
  std::vector<std::string> names = {};     ///< kMembers: several
  std::vector<std::int64_t> indexes = {};  ///< kIndexes; kSlice: from, to
  std::shared_ptr<const Condition> filter = {};
  [[nodiscard]] bool definite() const {
    return kind == Kind::kMember || kind == Kind::kFunction ||
           (kind == Kind::kIndexes && indexes.size() == 1);
  }
};

namespace {

using Kind = JsonPath::Step::Kind;

struct Operand {
  enum class From : std::uint8_t { kConstant, kCurrent, kRoot };
  From from = From::kConstant;
  JsonNode constant;
  Steps steps;
};

// A test of a filter: an operator over conditions, a comparison, or (kExists) one operand that must be there.
struct Condition {
  enum class Operator : std::uint8_t {
    kOr,
    kAnd,
    kNot,
    kExists,
    kEqual,
    kUnequal,
    kLess,
    kAtMost,
    kMore,
    kAtLeast
  };
  Operator op = Operator::kExists;
  std::vector<Condition> conditions;
  Operand left;
  Operand right;
};

using Operator = Condition::Operator;

// ---- Text to steps ---------------------------------------------------------------------------------------

class PathReader {
 public:
  explicit PathReader(std::string_view text) : rest_(text) {}

  /// The steps behind "$" or "@", up to what is no step.
  std::optional<Steps> steps() {
    Steps steps;
    while (!rest_.empty()) {
      if (take("..")) {
        steps.push_back({.kind = Kind::kDeep});
        if (!(rest_.starts_with('[') ? bracket(steps) : name(steps))) return std::nullopt;
      } else if (take(".")) {
        if (!(rest_.starts_with('[') ? bracket(steps) : name(steps))) return std::nullopt;
      } else if (rest_.starts_with('[')) {
        if (!bracket(steps)) return std::nullopt;
      } else {
        break;
      }
    }
    return steps;
  }
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  void skip_blanks() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  }
  bool take_token(std::string_view word) {
    skip_blanks();
    return take(word);
  }

  bool name(Steps& steps) {
    if (take("*")) {
      steps.push_back({.kind = Kind::kEvery});
      return true;
    }
    const std::size_t end = std::min(rest_.find_first_of(".[]()=<>!&|, "), rest_.size());
    if (end == 0) return false;
    std::string name(rest_.substr(0, end));
    rest_.remove_prefix(end);
    const bool function = take("()");
    if (function && !is_json_function(name)) return false;
    steps.push_back({.kind = function ? Kind::kFunction : Kind::kMember, .name = std::move(name)});
    return true;
  }

  bool bracket(Steps& steps) {
    if (!take("[")) return false;
    skip_blanks();
    if (take("*")) {
      steps.push_back({.kind = Kind::kEvery});
    } else if (take("?")) {
      if (!filter(steps)) return false;
    } else if (rest_.starts_with('\'') || rest_.starts_with('"')) {
      if (!names(steps)) return false;
    } else if (!positions(steps)) {
      return false;
    }
    return take_token("]");
  }

  bool names(Steps& steps) {
    std::vector<std::string> names;
    do {
      skip_blanks();
      if (!rest_.starts_with('\'') && !rest_.starts_with('"')) return false;
      std::optional<std::string> text = quoted();
      if (!text) return false;
      names.push_back(std::move(*text));
    } while (take_token(","));
    if (names.size() == 1)
      steps.push_back({.kind = Kind::kMember, .name = std::move(names[0])});
    else
      steps.push_back({.kind = Kind::kMembers, .names = std::move(names)});
    return true;
  }

  std::optional<std::string> quoted() {
    const char quote = rest_[0];
    std::string text;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == quote) {
        rest_.remove_prefix(i + 1);
        return text;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      text += rest_[i];
    }
    return std::nullopt;
  }

  std::optional<std::int64_t> index() {
    skip_blanks();
    std::int64_t number = 0;
    const auto read = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (read.ec != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(read.ptr - rest_.data()));
    return number;
  }

  bool positions(Steps& steps) {
    const std::optional<std::int64_t> first = index();
    if (take_token(":")) {
      const std::optional<std::int64_t> last = index();
      steps.push_back(
          {.kind = Kind::kSlice,
           .indexes = {first.value_or(0), last.value_or(std::numeric_limits<std::int64_t>::max())}});
      return first || last;
    }
    if (!first) return false;
    steps.push_back({.kind = Kind::kIndexes, .indexes = {*first}});
    while (take_token(",")) {
      const std::optional<std::int64_t> next = index();
      if (!next) return false;
      steps.back().indexes.push_back(*next);
    }
    return true;
  }

  bool filter(Steps& steps) {
    Condition condition;
    if (!take_token("(") || !any(condition) || !take_token(")")) return false;
    steps.push_back(
        {.kind = Kind::kFilter, .filter = std::make_shared<const Condition>(std::move(condition))});
    return true;
  }

  bool any(Condition& out) { return chain(out, Operator::kOr, "||", &PathReader::all); }
  bool all(Condition& out) { return chain(out, Operator::kAnd, "&&", &PathReader::test); }
  bool chain(Condition& out, Operator op, std::string_view word, bool (PathReader::*part)(Condition&)) {
    out.op = op;
    do {
      if (!(this->*part)(out.conditions.emplace_back())) return false;
    } while (take_token(word));
    return true;
  }

  bool test(Condition& out) {
    // "!=" stands behind an operand only, so a "!" here is a NOT.
    if (take_token("!")) {
      out.op = Operator::kNot;
      return test(out.conditions.emplace_back());
    }
    if (take_token("(")) {
      out.op = Operator::kOr;
      return any(out.conditions.emplace_back()) && take_token(")");
    }
    if (!operand(out.left)) return false;
    constexpr std::pair<std::string_view, Operator> kComparisons[] = {
        {"==", Operator::kEqual},   {"!=", Operator::kUnequal}, {"<=", Operator::kAtMost},
        {">=", Operator::kAtLeast}, {"<", Operator::kLess},     {">", Operator::kMore}};
    for (const auto& [word, op] : kComparisons) {
      if (!take_token(word)) continue;
      out.op = op;
      return operand(out.right);
    }
    return out.left.from != Operand::From::kConstant;
  }

  bool operand(Operand& out) {
    skip_blanks();
    const bool current = take("@");
    if (current || take("$")) {
      out.from = current ? Operand::From::kCurrent : Operand::From::kRoot;
      std::optional<Steps> path = steps();
      if (path) out.steps = std::move(*path);
      return path.has_value();
    }
    if (rest_.starts_with('\'') || rest_.starts_with('"')) {
      std::optional<std::string> text = quoted();
      if (!text) return false;
      out.constant = {.kind = JsonNode::Kind::kString, .text = std::move(*text), .items = {}, .names = {}};
      return true;
    }
    const std::size_t end = std::min(rest_.find_first_of(" )=<>!&|"), rest_.size());
    std::optional<JsonNode> constant = parse_json(rest_.substr(0, end));
    if (!constant || !constant->is_scalar()) return false;
    out.constant = std::move(*constant);
    rest_.remove_prefix(end);
    return true;
  }

  std::string_view rest_;
};

// ---- Steps over a document -------------------------------------------------------------------------------

class Finder {
 public:
  Finder(const JsonNode& root, std::deque<JsonNode>& made) : root_(root), made_(made) {}

  /// False: something on a definite way is missing.
  bool find(std::span<const JsonPath::Step> steps, const JsonNode& node, bool definite, Nodes& found) {
    if (steps.empty()) {
      found.push_back(&node);
      return true;
    }
    const JsonPath::Step& step = steps[0];
    const auto rest = steps.subspan(1);
    switch (step.kind) {
      case Kind::kMember: {
        const JsonNode* const member = node.member(step.name);
        return member != nullptr ? find(rest, *member, definite, found) : !definite;
      }
      case Kind::kMembers:
        return find_members(step, rest, node, definite, found);
      case Kind::kFunction: {
        std::optional<JsonNode> value = apply_json_function(step.name, node);
        return value ? find(rest, made_.emplace_back(std::move(*value)), definite, found) : !definite;
      }
      case Kind::kIndexes:
      case Kind::kSlice:
        return find_positions(step, rest, node, definite, found);
      case Kind::kEvery:
        for (const JsonNode& item : node.items) find(rest, item, false, found);
        return true;
      case Kind::kDeep:
        find_deep(rest, node, found);
        return true;
      case Kind::kFilter:
        return find_filtered(step, rest, node, definite, found);
    }
    return false;
  }

 private:
  // At the end an object of the members that are there; else each of them.
  bool find_members(const JsonPath::Step& step, std::span<const JsonPath::Step> rest, const JsonNode& node,
                    bool definite, Nodes& found) {
    if (node.kind != JsonNode::Kind::kObject) return !definite;
    JsonNode chosen{.kind = JsonNode::Kind::kObject, .text = {}, .items = {}, .names = {}};
    for (const std::string& name : step.names) {
      const JsonNode* const member = node.member(name);
      if (member == nullptr) continue;
      if (!rest.empty()) {
        find(rest, *member, false, found);
      } else if (chosen.member(name) == nullptr) {
        chosen.names.push_back(name);
        chosen.items.push_back(*member);
      }
    }
    if (rest.empty()) found.push_back(&made_.emplace_back(std::move(chosen)));
    return true;
  }

  bool find_positions(const JsonPath::Step& step, std::span<const JsonPath::Step> rest, const JsonNode& node,
                      bool definite, Nodes& found) {
    if (node.kind != JsonNode::Kind::kArray) return !definite;
    const auto size = static_cast<std::int64_t>(node.items.size());
    const auto from_front = [size](std::int64_t index) { return index < 0 ? size + index : index; };
    const bool one = step.definite();
    const auto visit = [&](std::int64_t index) {
      if (index < 0 || index >= size) return !(one && definite);
      return find(rest, node.items[static_cast<std::size_t>(index)], definite && one, found);
    };
    if (one) return visit(from_front(step.indexes[0]));
    if (step.kind == Kind::kIndexes) {
      for (const std::int64_t index : step.indexes) visit(from_front(index));
      return true;
    }
    const std::int64_t end = std::min(from_front(step.indexes[1]), size);
    for (std::int64_t i = std::max<std::int64_t>(from_front(step.indexes[0]), 0); i < end; ++i) visit(i);
    return true;
  }

  void find_deep(std::span<const JsonPath::Step> rest, const JsonNode& node, Nodes& found) {
    if (!node.is_scalar()) find(rest, node, false, found);
    for (const JsonNode& item : node.items) find_deep(rest, item, found);
  }

  bool find_filtered(const JsonPath::Step& step, std::span<const JsonPath::Step> rest, const JsonNode& node,
                     bool definite, Nodes& found) {
    if (node.is_scalar()) return !definite;
    if (node.kind == JsonNode::Kind::kObject) {
      if (holds(*step.filter, node)) find(rest, node, false, found);
      return true;
    }
    for (const JsonNode& item : node.items)
      if (holds(*step.filter, item)) find(rest, item, false, found);
    return true;
  }

  bool holds(const Condition& condition, const JsonNode& current) {
    const auto test = [&](const Condition& part) { return holds(part, current); };
    switch (condition.op) {
      case Operator::kOr:
        return std::any_of(condition.conditions.begin(), condition.conditions.end(), test);
      case Operator::kAnd:
        return std::all_of(condition.conditions.begin(), condition.conditions.end(), test);
      case Operator::kNot:
        return !test(condition.conditions[0]);
      case Operator::kExists:
        return value_of(condition.left, current) != nullptr;
      default:
        return compares(condition, current);
    }
  }

  // The first value: comparisons are between single values.
  const JsonNode* value_of(const Operand& operand, const JsonNode& current) {
    if (operand.from == Operand::From::kConstant) return &operand.constant;
    Nodes found;
    find(operand.steps, operand.from == Operand::From::kCurrent ? current : root_, false, found);
    return found.empty() ? nullptr : found[0];
  }

  bool compares(const Condition& condition, const JsonNode& current) {
    const JsonNode* const left = value_of(condition.left, current);
    const JsonNode* const right = value_of(condition.right, current);
    if (left == nullptr || right == nullptr) return condition.op == Operator::kUnequal && left != right;
    const bool numbers = left->kind == JsonNode::Kind::kNumber && right->kind == JsonNode::Kind::kNumber;
    const bool texts = left->kind == JsonNode::Kind::kString && right->kind == JsonNode::Kind::kString;
    if (!numbers && !texts) {
      const bool equal = left->is_scalar() && left->kind == right->kind && left->text == right->text;
      return condition.op == Operator::kEqual ? equal : condition.op == Operator::kUnequal && !equal;
    }
    const double difference =
        numbers ? std::strtod(left->text.c_str(), nullptr) - std::strtod(right->text.c_str(), nullptr)
                : left->text.compare(right->text);
    switch (condition.op) {
      case Operator::kEqual:
        return difference == 0;
      case Operator::kUnequal:
        return difference != 0;
      case Operator::kLess:
        return difference < 0;
      case Operator::kAtMost:
        return difference <= 0;
      case Operator::kMore:
        return difference > 0;
      default:
        return difference >= 0;
    }
  }

  const JsonNode& root_;
  std::deque<JsonNode>& made_;
};

// Takes the mode in front of a path, in any case of letters.
JsonPath::Mode take_mode(std::string_view& text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  std::string_view rest = text;
  while (!rest.empty() && blank(rest[0])) rest.remove_prefix(1);
  for (const auto& [word, mode] : {std::pair<std::string_view, JsonPath::Mode>{"lax", JsonPath::Mode::kLax},
                                   {"strict", JsonPath::Mode::kStrict}}) {
    const bool same =
        rest.size() > word.size() && blank(rest[word.size()]) &&
        std::equal(word.begin(), word.end(), rest.begin(), [](char a, char b) { return a == (b | 0x20); });
    if (!same) continue;
    rest.remove_prefix(word.size());
    while (!rest.empty() && blank(rest[0])) rest.remove_prefix(1);
    text = rest;
    return mode;
  }
  return JsonPath::Mode::kStrict;
}

// Several names count as one value at the end only.
bool is_definite(std::span<const JsonPath::Step> steps) {
  const bool chosen = !steps.empty() && steps.back().kind == Kind::kMembers;
  const auto front = steps.first(steps.size() - (chosen ? 1 : 0));
  return std::ranges::all_of(front, &JsonPath::Step::definite);
}

// At the end, behind a definite path.
bool functions_stand_well(std::span<const JsonPath::Step> steps) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].kind != Kind::kFunction) continue;
    if (i + 1 < steps.size() || !std::ranges::all_of(steps.first(i), &JsonPath::Step::definite)) return false;
  }
  return true;
}

}  // namespace

Result<JsonPath> JsonPath::parse(std::string_view text) {
  JsonPath path;
  path.text_ = text;
  path.mode_ = take_mode(text);
  while (text.ends_with(' ')) text.remove_suffix(1);
  const bool from_root = text.starts_with('$');
  const std::string written = from_root ? std::string(text.substr(1)) : "." + std::string(text);
  PathReader reader(written);
  std::optional<Steps> steps = reader.steps();
  if (!steps || !reader.at_end() || !functions_stand_well(*steps))
    return fail(ErrorCode::kInvalid,
                "'" + path.text_ + "' is no JSON path; expected one like 'lax $.a[0].b'");
  path.definite_ = is_definite(*steps);
  path.steps_ = std::make_shared<const Steps>(std::move(*steps));
  return path;
}

Result<std::vector<const JsonNode*>> JsonPath::find(const JsonNode& root, std::deque<JsonNode>& made) const {
  Nodes found;
  if (!Finder(root, made).find(*steps_, root, true, found))
    return fail(ErrorCode::kInvalid, "the JSON document has nothing at '" + text_ + "'");
  return found;
}

}  // namespace leat::functions
