#include "pipelines/functions/regex.h"

namespace leat::functions {

Result<RegexPtr> compile_regex(std::string_view text, std::string_view shown) {
  RE2::Options options(RE2::Quiet);
  options.set_dot_nl(false);
  auto regex = std::make_shared<const RE2>(regex_piece(text), options);
  if (!regex->ok())
    return fail(ErrorCode::kInvalid,
                "invalid regular expression '" + std::string(shown) + "': " + regex->error());
  return regex;
}

}  // namespace leat::functions
