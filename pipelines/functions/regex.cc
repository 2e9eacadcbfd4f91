#include "pipelines/functions/regex.h"

namespace leat::functions {

namespace {

// Java's (?<name>…) as RE2 writes it; look-behind, which begins alike, stays and is refused.
std::string with_named_groups(std::string_view text) {
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '\\' && i + 1 < text.size()) {
      out += text[++i];
      continue;
    }
    in_class = text[i] == '[' || (in_class && text[i] != ']');
    const std::string_view rest = text.substr(i + 1);
    if (in_class || text[i] != '(' || !rest.starts_with("?<") || rest.size() < 3) continue;
    if (rest[2] == '=' || rest[2] == '!') continue;
    out += "?P<";
    i += 2;
  }
  return out;
}

RegexPtr compile(std::string_view text) {
  RE2::Options options(RE2::Quiet);
  options.set_dot_nl(false);
  return std::make_shared<const RE2>(regex_piece(with_named_groups(text)), options);
}

// Whether Java does not take it either. Look-around, back references, possessive quantifiers and Java's own
// classes have other codes: there Flink has an answer, and a NULL would be a wrong one.
bool malformed_in_java(const RE2& regex) {
  switch (regex.error_code()) {
    case RE2::ErrorMissingBracket:
    case RE2::ErrorMissingParen:
    case RE2::ErrorUnexpectedParen:
    case RE2::ErrorTrailingBackslash:
    case RE2::ErrorBadCharRange:
    case RE2::ErrorRepeatArgument:
      return !std::string_view(regex.error_arg()).starts_with("(?");
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

Result<RegexPtr> compile_regex(std::string_view text, std::string_view shown) {
  return checked(compile(text), shown);
}

Result<RegexPtr> compile_regex_of_row(std::string_view text, Malformed malformed) {
  RegexPtr regex = compile(text);
  if (malformed == Malformed::kNone && malformed_in_java(*regex)) return RegexPtr();
  return checked(std::move(regex), text);
}

}  // namespace leat::functions
