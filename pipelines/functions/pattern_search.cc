// REGEXP_COUNT, REGEXP_EXTRACT_ALL, REGEXP_INSTR, REGEXP_SUBSTR: every match of a regular expression, or the
// first one.
#include "pipelines/column/utf8.h"
#include "pipelines/functions/families.h"
#include "pipelines/functions/regex.h"

namespace leat::functions {
namespace {

/// Calls `f(groups)` for each match from left to right; behind an empty one the search goes on a character
/// on.
template <class F>
void for_matches(std::string_view text, const RE2& regex, int groups, F f) {
  std::vector<re2::StringPiece> found(static_cast<std::size_t>(groups) + 1);
  std::size_t at = 0;
  while (at <= text.size() &&
         regex.Match(regex_piece(text), at, text.size(), RE2::UNANCHORED, found.data(), groups + 1)) {
    f(found);
    const auto end = static_cast<std::size_t>(found[0].data() - text.data()) + found[0].size();
    at = found[0].empty() ? end + (end < text.size() ? utf8_width(text, end) : 1) : end;
  }
}

Result<std::optional<std::int32_t>> count(std::string_view text, const Result<RegexPtr>& regex) {
  if (!regex) return tl::unexpected(regex.error());
  if (!*regex) return std::nullopt;
  std::int32_t matches = 0;
  for_matches(text, **regex, 0, [&](const auto&) { ++matches; });
  return matches;
}

Result<std::optional<std::string_view>> first(std::string_view text, const Result<RegexPtr>& regex) {
  if (!regex) return tl::unexpected(regex.error());
  re2::StringPiece found;
  if (!*regex || !(*regex)->Match(regex_piece(text), 0, text.size(), RE2::UNANCHORED, &found, 1))
    return std::nullopt;
  return std::string_view(found.data(), found.size());
}

Result<std::optional<std::int32_t>> position(std::string_view text, const Result<RegexPtr>& regex) {
  const Result<std::optional<std::string_view>> found = first(text, regex);
  if (!found) return tl::unexpected(found.error());
  if (!*regex) return std::nullopt;
  if (!*found) return 0;
  const auto at = static_cast<std::size_t>((*found)->data() - text.data());
  return static_cast<std::int32_t>(utf8_length(text.substr(0, at)) + 1);
}

constexpr std::string_view kAllSignature = "REGEXP_EXTRACT_ALL(string, regex [, group])";

ColumnPtr extract_all(const CallContext& context, const Type& type, std::span<const Datum> a) {
  ColumnBuilder out(type);
  RegexCache cache(Malformed::kNone);
  for (std::size_t row = 0; row < context.rows; ++row) {
    const auto null = [row](const Datum& datum) { return datum.column->is_null(datum.index(row)); };
    if (null(a[0]) || null(a[1]) || (a.size() > 2 && null(a[2]))) {
      out.append_null();
      continue;
    }
    const std::int32_t group = a.size() > 2 ? a[2].column->values<std::int32_t>()[a[2].index(row)] : 1;
    const Result<RegexPtr>& regex = cache.get(a[1].column->strings()[a[1].index(row)]);
    if (!regex) context.errors->add(row, regex.error().message);
    if (!regex || !*regex || group < 0 || group > (*regex)->NumberOfCapturingGroups()) {
      out.append_null();
      continue;
    }
    for_matches(a[0].column->strings()[a[0].index(row)], **regex, group, [&](const auto& groups) {
      const re2::StringPiece& found = groups.back();
      if (found.data() == nullptr)
        out.child(0).append_null();
      else
        out.child(0).append_string({found.data(), found.size()});
    });
    out.close_nested();
  }
  return out.finish();
}

Result<BoundScalar> bind_extract_all(Arguments arguments, const Session&) {
  const std::size_t size = arguments.size();
  const bool texts = (size == 2 || size == 3) && implicitly_castable(arguments[0].type, Type::string()) &&
                     implicitly_castable(arguments[1].type, Type::string());
  if (!texts || (size == 3 && !implicitly_castable(arguments[2].type, Type::integer())))
    return wrong_arguments(kAllSignature, arguments);
  if (const std::optional<std::string> pattern = text_literal(arguments[1]))
    if (const Result<RegexPtr> compiled = compile_regex(*pattern, *pattern); !compiled)
      return tl::unexpected(compiled.error());
  const Type type = Type::array(Type::string()).with_nullable(true);
  std::vector<Type> types = {Type::string(), Type::string()};
  if (size == 3) types.push_back(Type::integer());
  return BoundScalar{type, std::move(types), [type](const CallContext& context, std::span<const Datum> a) {
                       return extract_all(context, type, a);
                     }};
}

}  // namespace

ScalarFunctions pattern_search_functions() {
  const Type text = Type::string();
  return {
      {"REGEXP_COUNT", "REGEXP_COUNT(string, regex)", "Number of matches.", "REGEXP_COUNT('banana', 'an')",
       "2", with_regex<>("REGEXP_COUNT(string, regex)", {text, text}, Type::integer(), count)},
      {"REGEXP_EXTRACT_ALL", std::string(kAllSignature),
       "What a group (by default the first; 0: all) matched, for every match.",
       "REGEXP_EXTRACT_ALL('a=1, b=2', '(\\w)=(\\d)', 2)", "[1, 2]", bind_extract_all},
      {"REGEXP_INSTR", "REGEXP_INSTR(string, regex)", "Place of the first match, from 1; 0: there is none.",
       "REGEXP_INSTR('hello', 'l+')", "3",
       with_regex<>("REGEXP_INSTR(string, regex)", {text, text}, Type::integer(), position)},
      {"REGEXP_SUBSTR", "REGEXP_SUBSTR(string, regex)", "The first match; NULL: there is none.",
       "REGEXP_SUBSTR('hello', 'l+')", "ll",
       with_regex<>("REGEXP_SUBSTR(string, regex)", {text, text}, text, first)},
  };
}

}  // namespace leat::functions
