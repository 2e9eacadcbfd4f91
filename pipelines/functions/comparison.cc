// Comparison and membership.
#include <absl/container/flat_hash_set.h>

#include "pipelines/column/codec.h"
#include "pipelines/functions/binding.h"
#include "pipelines/functions/decimal.h"
#include "pipelines/functions/families.h"

namespace leat::functions {
namespace {

// ---- Which types meet ------------------------------------------------------------------------------------

bool is_time_point(const Type& type) {
  return type.kind() == TypeKind::kDate || type.kind() == TypeKind::kTime || type.is_timestamp();
}

Type decimal_of(const Type& type) {
  return type.is_integer() ? *common_type(std::vector{type, Type::decimal(1, 0)}) : type;
}

struct Pair {
  Type left;
  Type right;
};

// DECIMALs keep their scales, so that no digit is lost; text meets a time point as a time point.
Result<Pair> compared_types(const Type& a, const Type& b) {
  const bool exact = !a.is_approximate() && !b.is_approximate() && a.is_numeric() && b.is_numeric();
  if (exact && (a.kind() == TypeKind::kDecimal || b.kind() == TypeKind::kDecimal))
    return Pair{decimal_of(a), decimal_of(b)};
  if (is_time_point(a) && b.is_character()) return Pair{a, a};
  if (is_time_point(b) && a.is_character()) return Pair{b, b};
  LEAT_ASSIGN(Type common, common_type(std::vector{a, b}));
  if (common.kind() == TypeKind::kNull) common = Type::boolean();
  return Pair{common, common};
}

// ---- Kernels ---------------------------------------------------------------------------------------------

enum class Order : std::uint8_t { kEqual, kNotEqual, kLess, kLessOrEqual };

template <class T>
ColumnPtr compare(const CallContext& context, const Type& type, std::span<const Datum> arguments,
                  Order order) {
  const auto loop = [&](auto f) {
    return map_dense<std::uint8_t, T, T>(
        context, type, arguments, [f](const T& a, const T& b) { return static_cast<std::uint8_t>(f(a, b)); });
  };
  switch (order) {
    case Order::kEqual:
      return loop([](const T& a, const T& b) { return a == b; });
    case Order::kNotEqual:
      return loop([](const T& a, const T& b) { return a != b; });
    case Order::kLess:
      return loop([](const T& a, const T& b) { return a < b; });
    default:
      return loop([](const T& a, const T& b) { return a <= b; });
  }
}

bool holds(int comparison, Order order) {
  switch (order) {
    case Order::kEqual:
      return comparison == 0;
    case Order::kNotEqual:
      return comparison != 0;
    case Order::kLess:
      return comparison < 0;
    default:
      return comparison <= 0;
  }
}

Kernel decimal_comparison(const Type& result, const Pair& types, Order order) {
  return [=](const CallContext& context, std::span<const Datum> arguments) {
    return map_rows<Int128, Int128>(context, result, arguments, [&](Int128 a, Int128 b) {
      return holds(decimal_compare(a, types.left.scale(), b, types.right.scale()), order);
    });
  };
}

// Nested values are equal if their cells are; they have no order.
Kernel nested_comparison(const Type& result, Order order) {
  return [=](const CallContext& context, std::span<const Datum> arguments) {
    Collector<bool> out(context, result, strict_validity(context.rows, arguments));
    for (std::size_t row = 0; row < context.rows; ++row) {
      if (out.valid(row))
        out.put(row, (key_cell(*arguments[0].column, arguments[0].index(row)) ==
                      key_cell(*arguments[1].column, arguments[1].index(row))) == (order == Order::kEqual));
      else
        out.put_null(row);
    }
    return out.finish(arguments);
  };
}

Kernel comparison_kernel(const Type& result, const Pair& types, Order order) {
  if (types.left.is_nested()) return nested_comparison(result, order);
  if (types.left.kind() == TypeKind::kDecimal && types.left.scale() != types.right.scale())
    return decimal_comparison(result, types, order);
  return with_layout(types.left.layout(), [&]<class T>() -> Kernel {
    return [=](const CallContext& context, std::span<const Datum> arguments) {
      return compare<T>(context, result, arguments, order);
    };
  });
}

// a > b is b < a.
Kernel swapped(Kernel kernel) {
  return [kernel = std::move(kernel)](const CallContext& context, std::span<const Datum> arguments) {
    const Datum turned[2] = {arguments[1], arguments[0]};
    return kernel(context, turned);
  };
}

enum class Sides : std::uint8_t { kAsWritten, kSwapped };

Binder comparison(std::string name, Order order, Sides sides) {
  return [=](Arguments arguments, const Session&) -> Result<BoundScalar> {
    if (arguments.size() != 2) return wrong_arguments("a " + name + " b", arguments);
    Result<Pair> types = compared_types(arguments[0].type, arguments[1].type);
    const bool by_order = order == Order::kLess || order == Order::kLessOrEqual;
    if (!types || (by_order && types->left.is_nested()))
      return wrong_arguments("a " + name + " b", arguments);
    const Type result = nullable_like(Type::boolean(), arguments);
    Kernel kernel = sides == Sides::kSwapped
                        ? swapped(comparison_kernel(result, {types->right, types->left}, order))
                        : comparison_kernel(result, *types, order);
    return BoundScalar{result, {types->left, types->right}, std::move(kernel)};
  };
}

// ---- NULL-safe -------------------------------------------------------------------------------------------

enum class Wanted : std::uint8_t { kYes, kNo };

Binder null_test(std::string name, Wanted null) {
  return [=](Arguments arguments, const Session&) -> Result<BoundScalar> {
    if (arguments.size() != 1) return wrong_arguments("a " + name, arguments);
    const Type result = Type::boolean().with_nullable(false);
    return BoundScalar{
        result, {arguments[0].type}, [=](const CallContext& context, std::span<const Datum> a) {
          Output<std::uint8_t> out(result, context.rows);
          for (std::size_t i = 0; i < context.rows; ++i)
            out.data()[i] = a[0].column->is_null(a[0].index(i)) == (null == Wanted::kYes);
          return out.finish({});
        }};
  };
}

Binder distinction(std::string name, Wanted distinct) {
  return [=](Arguments arguments, const Session&) -> Result<BoundScalar> {
    if (arguments.size() != 2) return wrong_arguments("a " + name + " b", arguments);
    Result<Pair> types = compared_types(arguments[0].type, arguments[1].type);
    if (!types) return wrong_arguments("a " + name + " b", arguments);
    const Type result = Type::boolean().with_nullable(false);
    Kernel equal = comparison_kernel(Type::boolean(), *types, Order::kEqual);
    return BoundScalar{
        result, {types->left, types->right}, [=](const CallContext& context, std::span<const Datum> a) {
          const ColumnPtr same = equal(context, a);
          Output<std::uint8_t> out(result, context.rows);
          for (std::size_t i = 0; i < context.rows; ++i) {
            const bool left_null = a[0].column->is_null(a[0].index(i));
            const bool right_null = a[1].column->is_null(a[1].index(i));
            const bool is_same =
                left_null || right_null ? left_null == right_null : same->values<std::uint8_t>()[i] != 0;
            out.data()[i] = is_same == (distinct == Wanted::kNo);
          }
          return out.finish({});
        }};
  };
}

// ---- IN --------------------------------------------------------------------------------------------------

template <class T>
class Membership {
 public:
  explicit Membership(std::span<const Datum> candidates) {
    for (const Datum& candidate : candidates) {
      if (!candidate.constant)
        columns_.push_back(&candidate);
      else if (candidate.column->is_null(0))
        has_null_ = true;
      else
        constants_.insert(candidate.column->template values<T>()[0]);
    }
  }

  // Nothing: not found, and a NULL might have been it.
  [[nodiscard]] std::optional<bool> contains(const T& value, std::size_t row) const {
    bool unknown = has_null_;
    if (constants_.contains(value)) return true;
    for (const Datum* column : columns_) {
      if (column->column->is_null(row))
        unknown = true;
      else if (column->column->template values<T>()[row] == value)
        return true;
    }
    return unknown ? std::nullopt : std::optional(false);
  }

 private:
  absl::flat_hash_set<T> constants_;
  std::vector<const Datum*> columns_;
  bool has_null_ = false;
};

template <class T>
Kernel membership_kernel(const Type& result) {
  return [result](const CallContext& context, std::span<const Datum> arguments) {
    const Membership<T> set(arguments.subspan(1));
    Collector<bool> out(context, result, strict_validity(context.rows, arguments.first(1)));
    const Reader<T> values(arguments[0]);
    for (std::size_t row = 0; row < context.rows; ++row) {
      if (out.valid(row))
        out.put(row, set.contains(values[row], row));
      else
        out.put_null(row);
    }
    return out.finish(arguments);
  };
}

Result<BoundScalar> bind_in(Arguments arguments, const Session&) {
  constexpr std::string_view kSignature = "a IN (b, …)";
  if (arguments.size() < 2) return wrong_arguments(kSignature, arguments);
  Type common = arguments[0].type;
  for (const ArgumentInfo& candidate : arguments.subspan(1)) {
    Result<Pair> types = compared_types(common, candidate.type);
    if (!types || types->left.is_nested()) return wrong_arguments(kSignature, arguments);
    common = *common_type(std::vector{types->left, types->right});
  }
  const Type result = nullable_like(Type::boolean(), arguments);
  Kernel kernel =
      with_layout(common.layout(), [&]<class T>() -> Kernel { return membership_kernel<T>(result); });
  return BoundScalar{result, std::vector<Type>(arguments.size(), common), std::move(kernel)};
}

}  // namespace

ScalarFunctions comparison_functions() {
  using enum Order;
  using enum Sides;
  return {
      {"=", "a = b", "True if both are equal; NULL if one is NULL.", "1 = 1", "TRUE",
       comparison("=", kEqual, kAsWritten)},
      {"<>", "a <> b", "True if both differ; NULL if one is NULL.", "1 <> 1", "FALSE",
       comparison("<>", kNotEqual, kAsWritten)},
      {"<", "a < b", "True if a is less than b.", "1 < 2.5", "TRUE", comparison("<", kLess, kAsWritten)},
      {"<=", "a <= b", "True if a is not greater than b.", "'a' <= 'b'", "TRUE",
       comparison("<=", kLessOrEqual, kAsWritten)},
      {">", "a > b", "True if a is greater than b.", "1 > 2.5", "FALSE", comparison(">", kLess, kSwapped)},
      {">=", "a >= b", "True if a is not less than b.", "2 >= 2", "TRUE",
       comparison(">=", kLessOrEqual, kSwapped)},
      {"IS NULL", "a IS NULL", "True if a has no value.", "1 IS NULL", "FALSE",
       null_test("IS NULL", Wanted::kYes)},
      {"IS NOT NULL", "a IS NOT NULL", "True if a has a value.", "1 IS NOT NULL", "TRUE",
       null_test("IS NOT NULL", Wanted::kNo)},
      {"IS DISTINCT FROM", "a IS DISTINCT FROM b", "True if both differ, where NULL equals NULL.",
       "1 IS DISTINCT FROM NULL", "TRUE", distinction("IS DISTINCT FROM", Wanted::kYes)},
      {"IS NOT DISTINCT FROM", "a IS NOT DISTINCT FROM b", "True if both are equal, where NULL equals NULL.",
       "NULL IS NOT DISTINCT FROM NULL", "TRUE", distinction("IS NOT DISTINCT FROM", Wanted::kNo)},
      {"IN", "a IN (b, …)", "True if a equals one of the values; NULL if none does and one is NULL.",
       "2 IN (1, 2, 3)", "TRUE", bind_in},
  };
}

}  // namespace leat::functions
