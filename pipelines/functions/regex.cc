#include "pipelines/functions/regex.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace leat::functions {

namespace {

// A pattern in RE2's words, or why it has none there.
struct Translation {
  std::string text;
  std::string refused;     ///< Empty: it is translated.
  bool malformed = false;  ///< Java refuses it, too.
};

// (?<name>…); look-behind, which begins alike, stays and is refused.
bool opens_named_group(std::string_view text) {
  return text.starts_with("(?<") && text.size() > 3 && text[3] != '=' && text[3] != '!';
}

// Bytes of the escape sequence that `text` begins with; what is quoted from \Q on is one.
std::size_t escape_size(std::string_view text) {
  return text.starts_with("\\Q") ? text.find("\\E") : 2;
}

// Bytes up to the first member of the class that `text` begins with. A bracket there does not end it.
std::size_t class_begin(std::string_view text) {
  const std::size_t at = text.starts_with("[^") ? 2 : 1;
  return text.substr(at).starts_with(']') ? at + 1 : at;
}

// Bytes of the class that `text` begins with.
std::size_t class_size(std::string_view text) {
  std::size_t at = class_begin(text);
  while (at < text.size() && text[at] != ']') {
    const std::size_t name = class_name_size(text.substr(at));
    at += name > 0 ? name : text[at] == '\\' ? 2 : 1;
  }
  return at + 1;
}

// Whether Java finds the end of the class that `text` begins with, and of those inside of it.
bool class_ends_in_java(std::string_view text) {
  std::size_t depth = 0;
  while (!text.empty()) {
    const std::size_t size = text[0] == '[' ? class_begin(text) : text[0] == '\\' ? 2 : 1;
    if (text[0] == '[') ++depth;
    if (text[0] == ']' && --depth == 0) return true;
    text.remove_prefix(std::min(size, text.size()));
  }
  return false;
}

// What `text` begins with and has one meaning: a class, an escape sequence, or a character.
std::string_view first_piece(std::string_view text) {
  if (text[0] == '[') return text.substr(0, class_size(text));
  return text.substr(0, text[0] == '\\' ? escape_size(text) : 1);
}

// Whether '.' means any character somewhere, as behind (?s).
bool sets_dotall(std::string_view text) {
  static const RE2 flag("^\\(\\?[A-Za-z]*s");
  for (; !text.empty(); text.remove_prefix(first_piece(text).size()))
    if (text.starts_with("(?") && RE2::PartialMatch(regex_piece(text), flag)) return true;
  return false;
}

constexpr std::string_view kBlanks =
    " \\t\\x{A0}\\x{1680}\\x{180E}\\x{2000}-\\x{200A}\\x{202F}\\x{205F}\\x{3000}";
constexpr std::string_view kLineEnds = "\\n\\x{0B}\\f\\r\\x{85}\\x{2028}\\x{2029}";

// \p{Alpha} and its like are POSIX's names in ASCII.
constexpr std::array<std::string_view, 13> kPosixNames = {"Lower", "Upper", "ASCII", "Alpha", "Digit",
                                                          "Alnum", "Punct", "Graph", "Print", "Blank",
                                                          "Cntrl", "Space", "XDigit"};

// The members of the class of Java's \p{name} or \P{name}.
std::string members_of_property(char letter, std::string_view name) {
  if (std::ranges::find(kPosixNames, name) != kPosixNames.end()) {
    std::string lower(name);
    for (char& c : lower) c = static_cast<char>(c | 0x20);
    return (letter == 'P' ? "[:^" : "[:") + lower + ":]";
  }
  for (const std::string_view prefix : {"Is", "script=", "sc=", "general_category=", "gc="})
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  // Unlike scripts and categories these have another name there.
  if (name == "Digit") name = "Nd";
  return std::string("\\") + letter + "{" + std::string(name) + "}";
}

// Writes a pattern of Java's in RE2's words. What it does not know it leaves, for RE2 to say what is wrong.
class Translator {
 public:
  explicit Translator(std::string_view text) : rest_(text), any_(sets_dotall(text) ? "." : kAnyOfLine) {}

  Translation run() {
    while (!rest_.empty() && done_.refused.empty()) {
      if (rest_[0] == '[')
        add_class();
      else if (rest_[0] == '\\')
        add_escape(Place::kOutside);
      else if (opens_named_group(rest_))
        add("(?P<", 3);
      else if (!add_flags())
        add(rest_[0] == '.' ? any_ : rest_.substr(0, 1), 1);
    }
    return std::move(done_);
  }

 private:
  enum class Place : std::uint8_t { kOutside, kClass };

  void add(std::string_view text, std::size_t taken) {
    done_.text += text;
    rest_.remove_prefix(std::min(taken, rest_.size()));
  }

  void add_class() {
    const std::string_view begin = rest_;
    add(rest_.substr(0, class_begin(rest_)), class_begin(rest_));
    while (!rest_.empty() && rest_[0] != ']') {
      if (const std::size_t name = class_name_size(rest_)) {
        add(rest_.substr(0, name), name);
      } else if (rest_[0] == '[' || rest_.starts_with("&&")) {
        done_.refused = "RE2 has no classes inside of classes and no &&";
        done_.malformed = !class_ends_in_java(begin);
        return;
      } else if (rest_[0] == '\\') {
        add_escape(Place::kClass);
      } else {
        add(rest_.substr(0, 1), 1);
      }
    }
    add(rest_.substr(0, 1), 1);
  }

  void add_escape(Place place) {
    const char letter = rest_.size() > 1 ? rest_[1] : 0;
    const bool outside = place == Place::kOutside;
    if (letter == 'h' || letter == 'v')
      return add_members(letter == 'h' ? kBlanks : kLineEnds, "[", place, 2);
    if ((letter == 'H' || letter == 'V') && outside)
      return add_members(letter == 'H' ? kBlanks : kLineEnds, "[^", place, 2);
    if (letter == 'R' && outside) return add("(?:\\r\\n|[" + std::string(kLineEnds) + "])", 2);
    if (letter == 'u' && add_code()) return;
    if ((letter == 'p' || letter == 'P') && add_property(place)) return;
    const std::size_t size = outside ? std::min(escape_size(rest_), rest_.size()) : 2;
    add(rest_.substr(0, size), size);
  }

  void add_members(std::string_view members, std::string_view open, Place place, std::size_t taken) {
    if (place == Place::kClass) return add(members, taken);
    add((std::string(open) += members) += ']', taken);
  }

  // \uXXXX; two of them where they are the halves of one character.
  bool add_code() {
    static const RE2 pair(R"(^\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2}))");
    static const RE2 unit(R"(^\\u([0-9a-fA-F]{4}))");
    unsigned high = 0;
    unsigned low = 0;
    if (RE2::PartialMatch(regex_piece(rest_), pair, RE2::Hex(&high), RE2::Hex(&low)))
      add(fmt::format("\\x{{{:X}}}", 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)), 12);
    else if (RE2::PartialMatch(regex_piece(rest_), unit, RE2::Hex(&high)) && (high < 0xD800 || high > 0xDFFF))
      add(fmt::format("\\x{{{:X}}}", high), 6);
    else
      return false;
    return true;
  }

  bool add_property(Place place) {
    const std::size_t end = rest_.find('}');
    if (!rest_.substr(2).starts_with('{') || end == std::string_view::npos) return false;
    add_members(members_of_property(rest_[1], rest_.substr(3, end - 3)), "[", place, end + 1);
    return true;
  }

  // (?u) is what RE2 does anyway. (?U) is another thing there.
  bool add_flags() {
    static const RE2 flags(R"(^\(\?([a-zA-Z]*(?:-[a-zA-Z]*)?)([:)]))");
    std::string letters;
    std::string end;
    if (rest_[0] != '(' || !RE2::PartialMatch(regex_piece(rest_), flags, &letters, &end)) return false;
    const std::size_t size = 2 + letters.size() + 1;
    if (letters.find('U') != std::string::npos) done_.refused = "RE2 has no (?U)";
    std::erase(letters, 'u');
    if (letters.ends_with('-')) letters.pop_back();
    if (letters.empty())
      add(end == ")" ? "(?:)" : "(?:", size);
    else
      add("(?" + letters + end, size);
    return true;
  }

  std::string_view rest_;
  std::string_view any_;
  Translation done_;
};

struct Compiled {
  RegexPtr regex;  ///< Null: it was refused before RE2 saw it.
  std::string error;
  bool malformed = false;  ///< Java refuses it, too.
};

// Whether Java does not take it either. Look-around, back references, possessive quantifiers and Java's own
// classes have other codes: there Flink has an answer, and a NULL would be a wrong one.
bool malformed_in_java(const RE2& regex) {
  switch (regex.error_code()) {
    case RE2::ErrorMissingBracket:
    case RE2::ErrorMissingParen:
    case RE2::ErrorUnexpectedParen:
    case RE2::ErrorTrailingBackslash:
    case RE2::ErrorRepeatArgument:
      return !std::string_view(regex.error_arg()).starts_with("(?");
    case RE2::ErrorBadCharRange:  // Of unknown names \p{…} and [:…:], too.
      return !regex.error_arg().starts_with('\\') && !regex.error_arg().starts_with("[:");
    case RE2::ErrorRepeatOp:
      return regex.error_arg().back() == '*';
    default:
      return false;
  }
}

Compiled compile(std::string_view text) {
  Translation translation = Translator(text).run();
  if (!translation.refused.empty())
    return {.error = std::move(translation.refused), .malformed = translation.malformed};
  RE2::Options options(RE2::Quiet);
  options.set_dot_nl(false);
  Compiled compiled{.regex = std::make_shared<const RE2>(regex_piece(translation.text), options)};
  if (compiled.regex->ok()) return compiled;
  return {.error = compiled.regex->error(), .malformed = malformed_in_java(*compiled.regex)};
}

Result<RegexPtr> checked(Compiled compiled, std::string_view shown) {
  if (compiled.error.empty()) return std::move(compiled.regex);
  return fail(ErrorCode::kInvalid,
              "invalid regular expression '" + std::string(shown) + "': " + compiled.error);
}

}  // namespace

std::size_t class_name_size(std::string_view text) {
  const std::size_t end = text.starts_with("[:") ? text.find(":]", 2) : std::string_view::npos;
  return end == std::string_view::npos ? 0 : end + 2;
}

Result<RegexPtr> compile_regex(std::string_view text, std::string_view shown) {
  return checked(compile(text), shown);
}

Result<RegexPtr> compile_regex_of_row(std::string_view text, Malformed malformed) {
  Compiled compiled = compile(text);
  if (malformed == Malformed::kNone && compiled.malformed) return RegexPtr();
  return checked(std::move(compiled), text);
}

}  // namespace leat::functions
