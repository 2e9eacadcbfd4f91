// Regular expressions of the functions: compiled by RE2, which needs time linear in the text whatever the
// pattern. What Java's patterns have beyond that is named in the README.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/functions/binding.h"

namespace leat::functions {

using RegexPtr = std::shared_ptr<const RE2>;

inline re2::StringPiece regex_piece(std::string_view text) {
  return {text.data(), text.size()};
}

/// Errors: invalid; the message names `shown`.
Result<RegexPtr> compile_regex(std::string_view text, std::string_view shown);

/// Keeps the pattern of the row before; the most columns of patterns repeat one.
class RegexCache {
 public:
  const Result<RegexPtr>& get(std::string_view text) {
    if (text != text_) {
      text_ = text;
      compiled_ = compile_regex(text, text);
    }
    return compiled_;
  }

 private:
  std::string text_;
  Result<RegexPtr> compiled_ = compile_regex("", "");
};

/// Binds a function whose second argument is a regular expression; `f(text, Result<RegexPtr>, …)` gets it
/// compiled. A literal that does not compile is an error of the binding.
template <class... A, class F>
Binder with_regex(std::string signature, std::vector<Type> parameters, Type result, F f) {
  return [=](Arguments arguments, const Session& session) -> Result<BoundScalar> {
    if (arguments.size() == parameters.size())
      if (const std::optional<std::string> pattern = text_literal(arguments[1]))
        if (Result<RegexPtr> compiled = compile_regex(*pattern, *pattern); !compiled)
          return tl::unexpected(std::move(compiled).error());
    const Overload overload{parameters, result, true, [f](const Type& type) -> Kernel {
                              return [f, type](const CallContext& context, std::span<const Datum> a) {
                                RegexCache cache;
                                return map_rows<std::string_view, std::string_view, A...>(
                                    context, type, a,
                                    [&](std::string_view text, std::string_view with, A... rest) {
                                      return f(text, cache.get(with), rest...);
                                    });
                              };
                            }};
    return choose(signature, {overload})(arguments, session);
  };
}

}  // namespace leat::functions
