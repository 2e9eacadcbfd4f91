// LIKE, SIMILAR TO and the regular expressions. A pattern that is a literal is compiled at bind time and
// wrong ones are errors there; a pattern from a column is compiled when it changes from one row to the next.
#include <memory>

#include "pipelines/column/utf8.h"
#include "pipelines/functions/families.h"
#include "pipelines/functions/regex.h"

namespace leat::functions {
namespace {

// ---- LIKE ------------------------------------------------------------------------------------------------

// What Java's '.' passes over: Flink's patterns are Java's in the end, so _ does not match the end of a line.
bool ends_line(char32_t code) {
  return code == '\n' || code == '\r' || code == 0x85 || code == 0x2028 || code == 0x2029;
}

// A pattern as a list of steps: a literal text, any one character of a line, any run of characters.
struct LikeStep {
  enum class Kind : std::uint8_t { kText, kOne, kAny } kind = Kind::kText;
  std::string text;
};

class LikePattern {
 public:
  // `escape`: empty, or one character.
  static Result<LikePattern> compile(std::string_view pattern, std::string_view escape) {
    if (!escape.empty() && utf8_width(escape, 0) != escape.size())
      return fail(ErrorCode::kInvalid, "Invalid escape character '" + std::string(escape) + "'");
    LikePattern compiled;
    for (std::size_t at = 0; at < pattern.size();) {
      std::string_view character = pattern.substr(at, utf8_width(pattern, at));
      at += character.size();
      const bool escaped = !escape.empty() && character == escape;
      if (escaped) {
        character = at < pattern.size() ? pattern.substr(at, utf8_width(pattern, at)) : std::string_view();
        if (character != "%" && character != "_" && character != escape)
          return fail(ErrorCode::kInvalid, "Invalid escape sequence '" + std::string(pattern) + "'");
        at += character.size();
      }
      compiled.add(character, escaped);
    }
    return compiled;
  }

  [[nodiscard]] bool matches(std::string_view text) const {
    // Greedy with one point to come back to: the last run, lengthened character by character.
    std::size_t step = 0;
    std::size_t at = 0;
    std::size_t run_step = steps_.size();
    std::size_t run_at = 0;
    while (true) {
      if (step < steps_.size() && steps_[step].kind == LikeStep::Kind::kAny) {
        run_step = step++;
        run_at = at;
        if (step == steps_.size()) return true;
        continue;
      }
      if (step == steps_.size() && at == text.size()) return true;
      if (step < steps_.size() && take(steps_[step], text, at)) {
        ++step;
        continue;
      }
      if (run_step == steps_.size() || run_at >= text.size()) return false;
      run_at = next_start(run_step, text, run_at);
      if (run_at == std::string_view::npos) return false;
      step = run_step + 1;
      at = run_at;
    }
  }

 private:
  void add(std::string_view character, bool escaped) {
    using Kind = LikeStep::Kind;
    if (!escaped && character == "%") {
      if (steps_.empty() || steps_.back().kind != Kind::kAny) steps_.push_back({Kind::kAny, {}});
    } else if (!escaped && character == "_") {
      steps_.push_back({Kind::kOne, {}});
    } else {
      if (steps_.empty() || steps_.back().kind != Kind::kText) steps_.push_back({Kind::kText, {}});
      steps_.back().text += character;
    }
  }

  static bool take(const LikeStep& step, std::string_view text, std::size_t& at) {
    if (step.kind == LikeStep::Kind::kOne) {
      if (at >= text.size() || ends_line(utf8_decode(text, at))) return false;
      at += utf8_width(text, at);
      return true;
    }
    if (!text.substr(at).starts_with(step.text)) return false;
    at += step.text.size();
    return true;
  }

  // Where the run at `run_step` may end next, behind `run_at`: straight at the text that must follow it.
  [[nodiscard]] std::size_t next_start(std::size_t run_step, std::string_view text,
                                       std::size_t run_at) const {
    const std::size_t next = run_at + utf8_width(text, run_at);
    const LikeStep& follower = steps_[run_step + 1];
    return follower.kind == LikeStep::Kind::kText ? text.find(follower.text, next) : next;
  }

  std::vector<LikeStep> steps_;
};

// ---- SIMILAR TO ------------------------------------------------------------------------------------------

// What an escape character may stand before, beside itself.
constexpr std::string_view kSimilarSpecials = "[]()|^-+*_%?{}";

// SQL's regular expression in RE2's words. % is any run of characters and _ one of a line. Flink quotes $ and
// \, but not . and ^, which therefore mean what they do in Java.
class SimilarReader {
 public:
  SimilarReader(std::string_view pattern, std::string_view escape) : pattern_(pattern), escape_(escape) {}

  Result<std::string> regex() {
    if (escape_.size() > 1)
      return fail(ErrorCode::kInvalid, "Invalid escape character '" + std::string(escape_) + "'");
    while (at_ < pattern_.size()) {
      if (at_escape())
        LEAT_TRY(add_escaped());
      else if (pattern_[at_] == '[')
        LEAT_TRY(add_class());
      else
        add(pattern_[at_++]);
    }
    return std::move(regex_);
  }

 private:
  [[nodiscard]] bool at_escape() const {
    return !escape_.empty() && pattern_.substr(at_).starts_with(escape_);
  }

  Status add_escaped() {
    const std::string_view escaped = pattern_.substr(++at_, 1);
    if (escaped.empty() || (escaped != escape_ && kSimilarSpecials.find(escaped) == std::string_view::npos))
      return fail(ErrorCode::kInvalid, "Invalid escape sequence '" + std::string(pattern_) + "'");
    regex_ += RE2::QuoteMeta(regex_piece(escaped));
    ++at_;
    return {};
  }

  // A bracket that is the first member does not end the class, as RE2 has it.
  Status add_class() {
    regex_ += pattern_[at_++];
    for (const char first : {'^', ']'})
      if (pattern_.substr(at_).starts_with(first)) regex_ += pattern_[at_++];
    while (at_ < pattern_.size() && pattern_[at_] != ']') {
      if (at_escape())
        LEAT_TRY(add_escaped());
      else if (const std::size_t size = class_name_size(pattern_.substr(at_)))
        add_class_name(size);
      else
        regex_ += pattern_[at_++];
    }
    if (at_ < pattern_.size()) regex_ += pattern_[at_++];
    return {};
  }

  // RE2 writes names in lower case. Flink's [:SPACE:] is the blank alone.
  void add_class_name(std::size_t size) {
    std::string name(pattern_.substr(at_, size));
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    regex_ += name == "[:space:]" ? " " : name == "[:whitespace:]" ? "[:space:]" : name;
    at_ += size;
  }

  void add(char c) {
    if (c == '%')
      regex_ += "(?s:.*)";
    else if (c == '_' || c == '.')
      regex_ += kAnyOfLine;
    else if (c == '$' || c == '\\')
      (regex_ += '\\') += c;
    else
      regex_ += c;
  }

  std::string_view pattern_;
  std::string_view escape_;
  std::size_t at_ = 0;
  std::string regex_;
};

// ---- Compiled patterns -----------------------------------------------------------------------------------

Result<RegexPtr> compile_similar(std::string_view text, std::string_view escape) {
  LEAT_ASSIGN(const std::string regex, SimilarReader(text, escape).regex());
  return compile_regex(regex, text);
}

// Keeps the pattern of the row before; the most columns of patterns repeat one.
template <class Compiled>
class PatternCache {
 public:
  using Compile = Result<Compiled> (*)(std::string_view text, std::string_view escape);
  explicit PatternCache(Compile compile) : compile_(compile), compiled_(compile("", "")) {}

  const Result<Compiled>& get(std::string_view text, std::string_view escape) {
    if (text != text_ || escape != escape_) {
      text_ = text;
      escape_ = escape;
      compiled_ = compile_(text, escape);
    }
    return compiled_;
  }

 private:
  Compile compile_;
  std::string text_;
  std::string escape_;
  Result<Compiled> compiled_;
};

bool matches(const LikePattern& pattern, std::string_view text) {
  return pattern.matches(text);
}
bool matches(const RegexPtr& regex, std::string_view text) {
  return RE2::FullMatch(regex_piece(text), *regex);
}

template <class Compiled>
Binder matching(std::string signature, typename PatternCache<Compiled>::Compile compile) {
  return [=](Arguments arguments, const Session&) -> Result<BoundScalar> {
    if (arguments.size() < 2 || arguments.size() > 3) return wrong_arguments(signature, arguments);
    for (const ArgumentInfo& argument : arguments)
      if (!implicitly_castable(argument.type, Type::string())) return wrong_arguments(signature, arguments);
    const bool has_escape = arguments.size() == 3;
    const std::optional<std::string> pattern = text_literal(arguments[1]);
    const std::optional<std::string> escape = has_escape ? text_literal(arguments[2]) : "";
    if (has_escape && escape && escape->empty())
      return fail(ErrorCode::kInvalid, "Invalid escape character ''");
    if (pattern && escape)
      if (Result<Compiled> compiled = compile(*pattern, *escape); !compiled)
        return tl::unexpected(std::move(compiled).error());
    const Type type = nullable_like(Type::boolean(), arguments);
    return BoundScalar{
        type, std::vector(arguments.size(), Type::string()),
        [=](const CallContext& context, std::span<const Datum> a) {
          PatternCache<Compiled> cache(compile);
          const auto test = [&](std::string_view text, std::string_view with,
                                std::string_view by) -> Result<bool> {
            const Result<Compiled>& compiled = cache.get(with, by);
            if (!compiled) return tl::unexpected(compiled.error());
            return matches(*compiled, text);
          };
          if (has_escape)
            return map_rows<std::string_view, std::string_view, std::string_view>(context, type, a, test);
          return map_rows<std::string_view, std::string_view>(
              context, type, a,
              [&](std::string_view text, std::string_view with) { return test(text, with, ""); });
        }};
  };
}

// ---- Regular expressions ---------------------------------------------------------------------------------

Result<bool> find_regex(std::string_view text, const Result<RegexPtr>& regex) {
  if (!regex) return tl::unexpected(regex.error());
  return *regex && !(*regex)->pattern().empty() && RE2::PartialMatch(regex_piece(text), **regex);
}

Result<std::optional<std::string_view>> extract(std::string_view text, const Result<RegexPtr>& regex,
                                                std::int32_t group) {
  if (!regex) return tl::unexpected(regex.error());
  if (!*regex || group < 0 || group > (*regex)->NumberOfCapturingGroups()) return std::nullopt;
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(group) + 1);
  if (!(*regex)->Match(regex_piece(text), 0, text.size(), RE2::UNANCHORED, groups.data(), group + 1))
    return std::nullopt;
  const re2::StringPiece& found = groups.back();
  if (found.data() == nullptr) return std::nullopt;
  return std::string_view(found.data(), found.size());
}

// The replacement is taken as it is, backslashes and dollars included.
Result<std::optional<std::string>> replace(std::string_view text, const Result<RegexPtr>& regex,
                                           std::string_view with) {
  if (!regex) return tl::unexpected(regex.error());
  if (!*regex) return std::nullopt;
  std::string rewrite;
  for (const char c : with) rewrite.append(c == '\\' ? 2 : 1, c);
  std::string out(text);
  RE2::GlobalReplace(&out, **regex, regex_piece(rewrite));
  return out;
}

Binder regexp_extract() {
  const std::string signature = "REGEXP_EXTRACT(string, regex [, group])";
  const Type text = Type::string();
  const Binder with_group = with_regex<std::int32_t>(signature, {text, text, Type::integer()}, text, extract);
  const Binder whole =
      with_regex<>(signature, {text, text}, text,
                   [](std::string_view in, const Result<RegexPtr>& regex) { return extract(in, regex, 0); });
  return [=](Arguments arguments, const Session& session) {
    return arguments.size() == 2 ? whole(arguments, session) : with_group(arguments, session);
  };
}

}  // namespace

ScalarFunctions pattern_functions() {
  const Type text = Type::string();
  return {
      {"LIKE", "a LIKE pattern [ESCAPE character]",
       "True if the pattern fits, where % is any run of characters and _ any one but the end of a line.",
       "'abcdef' LIKE 'a%d_f'", "TRUE",
       matching<LikePattern>("a LIKE pattern [ESCAPE character]", LikePattern::compile)},
      {"SIMILAR TO", "a SIMILAR TO pattern [ESCAPE character]",
       "True if SQL's regular expression fits the whole text.", "'abc' SIMILAR TO '(a|b)%'", "TRUE",
       matching<RegexPtr>("a SIMILAR TO pattern [ESCAPE character]", compile_similar)},
      {"REGEXP", "REGEXP(string, regex)", "True if the regular expression is found in the text.",
       "REGEXP('abc', '[bx]c')", "TRUE",
       with_regex<>("REGEXP(string, regex)", {text, text}, Type::boolean(), find_regex)},
      {"REGEXP_EXTRACT", "REGEXP_EXTRACT(string, regex [, group])",
       "What a group (0: all) of the regular expression matched first; NULL: nothing.",
       "REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 2)", "bar", regexp_extract()},
      {"REGEXP_REPLACE", "REGEXP_REPLACE(string, regex, replacement)", "With every match replaced.",
       "REGEXP_REPLACE('foobar', 'oo|ar', '')", "fb",
       with_regex<std::string_view>("REGEXP_REPLACE(string, regex, replacement)", {text, text, text}, text,
                                    replace)},
  };
}

}  // namespace leat::functions
