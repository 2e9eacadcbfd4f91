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

}  // namespace

Result<RegexPtr> compile_regex(std::string_view text, std::string_view shown) {
  RE2::Options options(RE2::Quiet);
  options.set_dot_nl(false);
  auto regex = std::make_shared<const RE2>(regex_piece(with_named_groups(text)), options);
  if (!regex->ok())
    return fail(ErrorCode::kInvalid,
                "invalid regular expression '" + std::string(shown) + "': " + regex->error());
  return regex;
}

}  // namespace leat::functions
