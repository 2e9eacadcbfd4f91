#include "pipelines/functions/regex.h"

namespace leat::functions {

namespace {

// (?<name>…); look-behind, which begins alike, stays and is refused.
bool opens_named_group(std::string_view text) {
  return text.starts_with("(?<") && text.size() > 3 && text[3] != '=' && text[3] != '!';
}

// Bytes of the escape sequence that `text` begins with; what is quoted from \Q on is one.
std::size_t escape_size(std::string_view text) {
  return text.starts_with("\\Q") ? text.find("\\E") : 2;
}

// Bytes of the class that `text` begins with. A bracket that is its first member does not end it.
std::size_t class_size(std::string_view text) {
  std::size_t at = text.starts_with("[^") ? 2 : 1;
  if (text.substr(at).starts_with(']')) ++at;
  while (at < text.size() && text[at] != ']') {
    const std::size_t name = class_name_size(text.substr(at));
    at += name > 0 ? name : text[at] == '\\' ? 2 : 1;
  }
  return at + 1;
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

// Java's '.' and named groups as RE2 writes them.
std::string in_re2(std::string_view text) {
  const bool dotall = sets_dotall(text);
  std::string out;
  while (!text.empty()) {
    if (opens_named_group(text)) {
      out += "(?P<";
      text.remove_prefix(3);
      continue;
    }
    const std::string_view piece = first_piece(text);
    out += piece == "." && !dotall ? kAnyOfLine : piece;
    text.remove_prefix(piece.size());
  }
  return out;
}

RegexPtr compile(std::string_view text) {
  RE2::Options options(RE2::Quiet);
  options.set_dot_nl(false);
  return std::make_shared<const RE2>(regex_piece(in_re2(text)), options);
}

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

Result<RegexPtr> checked(RegexPtr regex, std::string_view shown) {
  if (regex->ok()) return regex;
  return fail(ErrorCode::kInvalid,
              "invalid regular expression '" + std::string(shown) + "': " + regex->error());
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
  RegexPtr regex = compile(text);
  if (malformed == Malformed::kNone && malformed_in_java(*regex)) return RegexPtr();
  return checked(std::move(regex), text);
}

}  // namespace leat::functions
