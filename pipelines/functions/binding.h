// How function families describe themselves: the most are plain C++ functions over cells, from whose
// signature the SQL types follow; the rest write their own `bind` with the small helpers here.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "pipelines/functions/kernel.h"
#include "pipelines/functions/scalar.h"

namespace leat::functions {

using Arguments = std::span<const ArgumentInfo>;
using Binder = std::function<Result<BoundScalar>(Arguments, const Session&)>;

/// "SUBSTRING(string, start [, length]) does not take (INT, STRING)".
[[nodiscard]] tl::unexpected<Error> wrong_arguments(std::string_view signature, Arguments arguments);

bool any_nullable(Arguments arguments);
/// `type`, nullable if an argument is.
Type nullable_like(const Type& type, Arguments arguments);
/// The literal of a STRING argument; nothing if it is no literal, not a string, or NULL.
std::optional<std::string> text_literal(const ArgumentInfo& argument);
/// `arguments[i].type`, or `fallback` for a bare NULL.
Type type_or(const ArgumentInfo& argument, const Type& fallback);

// ---- Overloads from C++ functions ------------------------------------------------------------------------

struct Overload {
  std::vector<Type> parameters;
  Type result;
  bool can_give_null = false;  ///< Even when no argument is NULL.
  std::function<Kernel(const Type& result)> make;
};

template <class T>
Type sql_type() {
  if constexpr (std::is_same_v<T, bool>)
    return Type::boolean();
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return Type::integer();
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return Type::big_int();
  else if constexpr (std::is_same_v<T, double>)
    return Type::float64();
  else
    return Type::string();
}

/// Parameters and result are bool, int32_t, int64_t, double, std::string_view (and std::string as result);
/// the result may be wrapped in std::optional, in Result, or in both. NULL arguments give NULL without a
/// call.
template <class R, class... A>
Overload of(R (*f)(A...)) {
  using Bare = typename Unwrapped<R>::type;
  return {{sql_type<A>()...},
          sql_type<Bare>(),
          std::is_same_v<R, std::optional<Bare>> || std::is_same_v<R, Result<std::optional<Bare>>>,
          [f](const Type& result) {
            return [f, result](const CallContext& context, std::span<const Datum> arguments) {
              return map_rows<A...>(context, result, arguments, f);
            };
          }};
}
/// The same with other SQL types of the same layouts (bytes, dates, timestamps).
template <class R, class... A>
Overload of(std::vector<Type> parameters, Type result, R (*f)(A...)) {
  Overload overload = of(f);
  overload.parameters = std::move(parameters);
  overload.result = std::move(result);
  return overload;
}

/// Takes the first overload that all arguments go into without loss.
Binder choose(std::string signature, std::vector<Overload> overloads);

/// A row of the table whose binder is `choose`.
ScalarFunction function(std::string name, std::string signature, std::string doc, std::string example,
                        std::string example_result, std::vector<Overload> overloads);

}  // namespace leat::functions
