// Three-valued logic. AND and OR are evaluated lazily by the plan; here they are for constant folding and for
// callers that have both sides at hand.
#include "pipelines/functions/binding.h"
#include "pipelines/functions/families.h"

namespace leat::functions {
namespace {

// TRUE, FALSE or unknown of one row.
using Truth = std::optional<bool>;

Truth truth(const Datum& datum, std::size_t row) {
  const std::size_t at = datum.index(row);
  if (datum.column->is_null(at)) return std::nullopt;
  return datum.column->values<std::uint8_t>()[at] != 0;
}

Binder truth_test(std::string name, bool (*test)(Truth)) {
  return [=](Arguments arguments, const Session&) -> Result<BoundScalar> {
    if (arguments.size() != 1 || !implicitly_castable(arguments[0].type, Type::boolean()))
      return wrong_arguments("a " + name, arguments);
    const Type result = Type::boolean().with_nullable(false);
    return BoundScalar{result, {Type::boolean()}, [=](const CallContext& context, std::span<const Datum> a) {
                         Output<std::uint8_t> out(result, context.rows);
                         for (std::size_t i = 0; i < context.rows; ++i) out.data()[i] = test(truth(a[0], i));
                         return out.finish({});
                       }};
  };
}

Truth truth_and(Truth a, Truth b) {
  if (a == false || b == false) return false;
  return a && b ? Truth(true) : std::nullopt;
}

Truth truth_or(Truth a, Truth b) {
  if (a == true || b == true) return true;
  return a && b ? Truth(false) : std::nullopt;
}

Binder connective(std::string name, Truth (*connect)(Truth, Truth)) {
  return [=](Arguments arguments, const Session&) -> Result<BoundScalar> {
    if (arguments.size() < 2) return wrong_arguments("a " + name + " b", arguments);
    for (const ArgumentInfo& argument : arguments)
      if (!implicitly_castable(argument.type, Type::boolean()))
        return wrong_arguments("a " + name + " b", arguments);
    const Type result = nullable_like(Type::boolean(), arguments);
    return BoundScalar{result, std::vector(arguments.size(), Type::boolean()),
                       [=](const CallContext& context, std::span<const Datum> a) {
                         Collector<bool> out(context, result, {});
                         for (std::size_t row = 0; row < context.rows; ++row) {
                           Truth all = truth(a[0], row);
                           for (std::size_t i = 1; i < a.size(); ++i) all = connect(all, truth(a[i], row));
                           out.put(row, all);
                         }
                         return out.finish(a);
                       }};
  };
}

bool logical_not(bool value) {
  return !value;
}

}  // namespace

ScalarFunctions logic_functions() {
  return {
      function("NOT", "NOT a", "True if a is false; NULL if it is unknown.", "NOT TRUE", "FALSE",
               {of(logical_not)}),
      {"AND", "a AND b", "True if both are true.", "TRUE AND FALSE", "FALSE", connective("AND", truth_and)},
      {"OR", "a OR b", "True if one is true.", "TRUE OR FALSE", "TRUE", connective("OR", truth_or)},
      {"IS TRUE", "a IS TRUE", "True if a is true; false if it is false or unknown.", "TRUE IS TRUE", "TRUE",
       truth_test("IS TRUE", [](Truth a) { return a == true; })},
      {"IS NOT TRUE", "a IS NOT TRUE", "True if a is false or unknown.", "TRUE IS NOT TRUE", "FALSE",
       truth_test("IS NOT TRUE", [](Truth a) { return a != true; })},
      {"IS FALSE", "a IS FALSE", "True if a is false; false if it is true or unknown.", "TRUE IS FALSE",
       "FALSE", truth_test("IS FALSE", [](Truth a) { return a == false; })},
      {"IS NOT FALSE", "a IS NOT FALSE", "True if a is true or unknown.", "TRUE IS NOT FALSE", "TRUE",
       truth_test("IS NOT FALSE", [](Truth a) { return a != false; })},
      {"IS UNKNOWN", "a IS UNKNOWN", "True if a is NULL.", "TRUE IS UNKNOWN", "FALSE",
       truth_test("IS UNKNOWN", [](Truth a) { return !a.has_value(); })},
      {"IS NOT UNKNOWN", "a IS NOT UNKNOWN", "True if a is true or false.", "TRUE IS NOT UNKNOWN", "TRUE",
       truth_test("IS NOT UNKNOWN", [](Truth a) { return a.has_value(); })},
  };
}

}  // namespace leat::functions
