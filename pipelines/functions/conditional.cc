// Choices. The plan evaluates IF, COALESCE, NULLIF and IFNULL lazily; here they choose among finished
// columns, which is right whenever no branch can fail.
#include <algorithm>

#include "pipelines/functions/binding.h"
#include "pipelines/functions/families.h"

namespace leat::functions {
namespace {

// For each row the number of the argument to take the cell from; at or beyond `arguments.size()`: NULL.
template <class Choose>
ColumnPtr pick(const CallContext& context, const Type& type, std::span<const Datum> arguments,
               Choose choose) {
  ColumnBuilder out(type);
  out.reserve(context.rows);
  for (std::size_t row = 0; row < context.rows; ++row) {
    const std::size_t chosen = choose(row);
    if (chosen >= arguments.size() || arguments[chosen].column->is_null(arguments[chosen].index(row)))
      out.append_null();
    else
      out.append_cell(*arguments[chosen].column, arguments[chosen].index(row));
  }
  return out.finish();
}

bool is_true(const Datum& datum, std::size_t row) {
  const std::size_t at = datum.index(row);
  return !datum.column->is_null(at) && datum.column->values<std::uint8_t>()[at] != 0;
}

Result<Type> common_of(Arguments arguments) {
  std::vector<Type> types;
  for (const ArgumentInfo& argument : arguments) types.push_back(argument.type);
  return common_type(types);
}

Result<BoundScalar> bind_if(Arguments arguments, const Session&) {
  constexpr std::string_view kSignature = "IF(condition, then, else)";
  if (arguments.size() != 3 || !implicitly_castable(arguments[0].type, Type::boolean()))
    return wrong_arguments(kSignature, arguments);
  Result<Type> common = common_of(arguments.subspan(1));
  if (!common) return wrong_arguments(kSignature, arguments);
  return BoundScalar{*common,
                     {Type::boolean(), *common, *common},
                     [type = *common](const CallContext& context, std::span<const Datum> a) {
                       return pick(context, type, a,
                                   [&](std::size_t row) { return is_true(a[0], row) ? 1 : 2; });
                     }};
}

Binder first_value_of(std::string signature, std::size_t at_most) {
  return [=](Arguments arguments, const Session&) -> Result<BoundScalar> {
    Result<Type> common = common_of(arguments);
    if (!common || arguments.size() > at_most) return wrong_arguments(signature, arguments);
    // One that is never NULL makes the whole never NULL.
    const bool nullable = std::all_of(arguments.begin(), arguments.end(), [](const ArgumentInfo& argument) {
      return any_nullable({&argument, 1});
    });
    const Type type = common->with_nullable(nullable);
    return BoundScalar{type, std::vector(arguments.size(), *common),
                       [type](const CallContext& context, std::span<const Datum> a) {
                         return pick(context, type, a, [&](std::size_t row) {
                           std::size_t chosen = 0;
                           while (chosen < a.size() && a[chosen].column->is_null(a[chosen].index(row)))
                             ++chosen;
                           return chosen;
                         });
                       }};
  };
}

Result<BoundScalar> bind_nullif(Arguments arguments, const Session& session) {
  constexpr std::string_view kSignature = "NULLIF(a, b)";
  if (arguments.size() != 2) return wrong_arguments(kSignature, arguments);
  LEAT_ASSIGN(BoundScalar equal, find_scalar("=")->bind(arguments, session));
  // The result has the type of `a`; where the comparison wants another one, its cast is undone.
  const Type type = type_or(arguments[0], equal.arguments[0]).with_nullable(true);
  LEAT_ASSIGN(Kernel back, bind_cast(equal.arguments[0], type, CastKind::kTryCast, session));
  return BoundScalar{
      type, equal.arguments,
      [type, kernel = equal.kernel, back](const CallContext& context, std::span<const Datum> a) {
        const Datum same{kernel(context, a)};
        const Datum value{back(context, a.first(1))};
        return pick(context, type, {&value, 1},
                    [&](std::size_t row) -> std::size_t { return is_true(same, row) ? 1 : 0; });
      }};
}

// GREATEST, LEAST: NULL if one is NULL.
Binder extreme_of(std::string name) {
  return [=](Arguments arguments, const Session& session) -> Result<BoundScalar> {
    const std::string signature = name + "(a, b, …)";
    if (arguments.empty()) return wrong_arguments(signature, arguments);
    Result<Type> common = common_of(arguments);
    if (!common || common->is_nested() || common->kind() == TypeKind::kNull)
      return wrong_arguments(signature, arguments);
    const std::vector<ArgumentInfo> pair(2, ArgumentInfo{*common, std::nullopt});
    // "Is the second better?" takes the place of the best so far.
    LEAT_ASSIGN(BoundScalar better, find_scalar(name == "GREATEST" ? ">" : "<")->bind(pair, session));
    const Type type = nullable_like(*common, arguments);
    return BoundScalar{type, std::vector(arguments.size(), *common),
                       [type, kernel = better.kernel](const CallContext& context, std::span<const Datum> a) {
                         const std::vector<std::uint8_t> validity = strict_validity(context.rows, a);
                         std::vector<std::size_t> best(context.rows, validity.empty() ? 0 : a.size());
                         Datum leader = a[0];
                         for (std::size_t row = 0; row < validity.size(); ++row)
                           if (validity[row] != 0) best[row] = 0;
                         for (std::size_t i = 1; i < a.size(); ++i) {
                           const Datum both[2] = {a[i], leader};
                           const Datum wins{kernel(context, both)};
                           for (std::size_t row = 0; row < context.rows; ++row)
                             if (best[row] < a.size() && is_true(wins, row)) best[row] = i;
                           leader = Datum{pick(context, type, a, [&](std::size_t row) { return best[row]; })};
                         }
                         return pick(context, type, a, [&](std::size_t row) { return best[row]; });
                       }};
  };
}

constexpr std::string_view kTypeofSignature = "TYPEOF(value [, force_serializable])";

// Every type has a name that can be read back here, so that the second argument changes nothing.
Result<BoundScalar> bind_typeof(Arguments arguments, const Session&) {
  const bool forced = arguments.size() == 2 && arguments[1].type.kind() == TypeKind::kBoolean;
  if (arguments.size() != 1 && !forced) return wrong_arguments(kTypeofSignature, arguments);
  if (forced && !arguments[1].literal)
    return fail(ErrorCode::kInvalid, "TYPEOF takes TRUE or FALSE as its second argument, not an expression");
  const Type type = Type::string().with_nullable(false);
  std::vector<Type> types = {arguments[0].type};
  if (forced) types.push_back(arguments[1].type);
  return BoundScalar{
      type, std::move(types),
      [type, name = arguments[0].type.to_string()](const CallContext& context, std::span<const Datum>) {
        return Column::constant(type, Value::string(name), context.rows);
      }};
}

}  // namespace

ScalarFunctions conditional_functions() {
  constexpr std::size_t kAny = 1000;
  return {
      {"IF", "IF(condition, then, else)", "One value where the condition is true, else the other.",
       "IF(1 < 2, 'yes', 'no')", "yes", bind_if},
      {"COALESCE", "COALESCE(a, b, …)", "The first value that is not NULL.", "COALESCE(NULL, 2, 3)", "2",
       first_value_of("COALESCE(a, b, …)", kAny)},
      {"IFNULL", "IFNULL(a, b)", "a, or b where a is NULL.", "IFNULL(NULL, 5)", "5",
       first_value_of("IFNULL(a, b)", 2)},
      {"NULLIF", "NULLIF(a, b)", "NULL where both are equal, else a.", "NULLIF(1, 2)", "1", bind_nullif},
      {"GREATEST", "GREATEST(a, b, …)", "The greatest value; NULL if one is NULL.", "GREATEST(1, 3, 2)", "3",
       extreme_of("GREATEST")},
      {"LEAST", "LEAST(a, b, …)", "The least value; NULL if one is NULL.", "LEAST(2, 1, 3)", "1",
       extreme_of("LEAST")},
      {"TYPEOF", std::string(kTypeofSignature), "The name of the value's type.",
       "TYPEOF(CAST(NULL AS DECIMAL(5, 2)))", "DECIMAL(5, 2)", bind_typeof},
  };
}

}  // namespace leat::functions
