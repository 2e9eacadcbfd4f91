// Regular expressions of the functions: compiled by RE2, which needs time linear in the text whatever the
// pattern. What Java's patterns have beyond that is named in the README.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/functions/binding.h"

namespace leat::functions {

using RegexPtr = std::shared_ptr<const RE2>;

/// Java's '.' in RE2's words: any character but those that end a line, of which RE2's knows \n alone.
inline constexpr std::string_view kAnyOfLine = "[^\\n\\r\\x{85}\\x{2028}\\x{2029}]";

inline re2::StringPiece regex_piece(std::string_view text) {
  return {text.data(), text.size()};
}

/// Bytes of the name of a class, [:name:], that `text`, behind the begin of a class, begins with; 0: of none.
std::size_t class_name_size(std::string_view text);

/// Errors: invalid; the message names `shown`.
Result<RegexPtr> compile_regex(std::string_view text, std::string_view shown);

/// What a pattern is that Java does not compile either.
enum class Malformed : std::uint8_t {
  kError,  ///< An error of the row, as what only RE2 does not know always is.
  kNone    ///< A null pointer: Flink's REGEXP_… functions answer NULL or FALSE and go on.
};

/// Of a pattern in a column. Errors: as `compile_regex`, but for what `malformed` takes out.
Result<RegexPtr> compile_regex_of_row(std::string_view text, Malformed malformed);

/// Keeps the pattern of the row before; the most columns of patterns repeat one.
class RegexCache {
 public:
  explicit RegexCache(Malformed malformed) : malformed_(malformed) {}
  const Result<RegexPtr>& get(std::string_view text) {
    if (text != text_) {
      text_ = text;
      compiled_ = compile_regex_of_row(text, malformed_);
    }
    return compiled_;
  }

 private:
  Malformed malformed_;
  std::string text_;
  Result<RegexPtr> compiled_ = compile_regex("", "");
};

/// Binds a function whose second argument is a regular expression; `f(text, Result<RegexPtr>, …)` gets it
/// compiled, as a null pointer where it is malformed. A literal that does not compile is an error of the
/// binding.
template <class... A, class F>
Binder with_regex(std::string signature, std::vector<Type> parameters, Type result, F f) {
  return [=](Arguments arguments, const Session& session) -> Result<BoundScalar> {
    if (arguments.size() == parameters.size())
      if (const std::optional<std::string> pattern = text_literal(arguments[1]))
        if (Result<RegexPtr> compiled = compile_regex(*pattern, *pattern); !compiled)
          return tl::unexpected(std::move(compiled).error());
    const Overload overload{parameters, result, true, [f](const Type& type) -> Kernel {
                              return [f, type](const CallContext& context, std::span<const Datum> a) {
                                RegexCache cache(Malformed::kNone);
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
