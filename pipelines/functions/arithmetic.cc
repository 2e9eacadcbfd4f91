// + - * / % and unary minus over numbers; over times and intervals: arithmetic_time.cc.
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "pipelines/functions/arithmetic_time.h"
#include "pipelines/functions/binding.h"
#include "pipelines/functions/decimal.h"
#include "pipelines/functions/families.h"

namespace leat::functions {
namespace {

constexpr std::string_view kDivisionByZero = "division by zero";

// Integers wrap as Java's do: through unsigned, where C++ defines it.
template <class T, class F>
T wrapping(T a, T b, F f) {
  if constexpr (std::is_integral_v<T>) {
    // At least 32 bits: two promoted 16-bit factors would overflow int.
    using Unsigned = std::conditional_t<(sizeof(T) < 4), std::uint32_t, std::make_unsigned_t<T>>;
    return static_cast<T>(f(static_cast<Unsigned>(a), static_cast<Unsigned>(b)));
  } else {
    return f(a, b);
  }
}

// The quotient of the least integer and -1 wraps, too; the machine's division would trap.
template <class T>
T quotient(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == -1) return wrapping(T{0}, a, [](auto x, auto y) { return x - y; });
    return static_cast<T>(a / b);
  } else {
    return a / b;
  }
}

template <class T>
T remainder_of(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return b == -1 ? T{0} : static_cast<T>(a % b);
  else
    return std::fmod(a, b);
}

enum class Operation : std::uint8_t { kAdd, kSubtract, kMultiply, kDivide, kModulo };

std::string_view symbol(Operation operation) {
  static constexpr std::string_view kSymbols[] = {"+", "-", "*", "/", "%"};
  return kSymbols[static_cast<std::size_t>(operation)];
}

template <class T>
ColumnPtr calculate(const CallContext& context, const Type& type, std::span<const Datum> arguments,
                    Operation operation) {
  switch (operation) {
    case Operation::kAdd:
      return map_dense<T, T, T>(context, type, arguments, [](T a, T b) {
        return wrapping(a, b, [](auto x, auto y) { return x + y; });
      });
    case Operation::kSubtract:
      return map_dense<T, T, T>(context, type, arguments, [](T a, T b) {
        return wrapping(a, b, [](auto x, auto y) { return x - y; });
      });
    default:
      return map_dense<T, T, T>(context, type, arguments, [](T a, T b) {
        return wrapping(a, b, [](auto x, auto y) { return x * y; });
      });
  }
}

// Integer division by zero is a row error; floating point knows infinity.
template <class T>
ColumnPtr divide(const CallContext& context, const Type& type, std::span<const Datum> arguments,
                 Operation operation) {
  const bool whole = operation == Operation::kDivide;
  if constexpr (std::is_floating_point_v<T>) {
    return whole ? map_dense<T, T, T>(context, type, arguments, [](T a, T b) { return a / b; })
                 : map_dense<T, T, T>(context, type, arguments, [](T a, T b) { return std::fmod(a, b); });
  } else {
    return map_rows<T, T>(context, type, arguments, [whole](T a, T b) -> Result<T> {
      if (b == 0) return fail(ErrorCode::kInvalid, std::string(kDivisionByZero));
      return whole ? quotient(a, b) : remainder_of(a, b);
    });
  }
}

Kernel number_kernel(const Type& type, Operation operation) {
  return with_number(type.layout(), [&]<class T>() -> Kernel {
    if (operation == Operation::kDivide || operation == Operation::kModulo)
      return [=](const CallContext& context, std::span<const Datum> arguments) {
        return divide<T>(context, type, arguments, operation);
      };
    return [=](const CallContext& context, std::span<const Datum> arguments) {
      return calculate<T>(context, type, arguments, operation);
    };
  });
}

// ---- DECIMAL ---------------------------------------------------------------------------------------------

Type decimal_result(const Type& a, const Type& b, Operation operation) {
  switch (operation) {
    case Operation::kMultiply:
      return decimal_multiply_type(a, b);
    case Operation::kDivide:
      return decimal_divide_type(a, b);
    case Operation::kModulo:
      return decimal_modulo_type(a, b);
    default:
      return decimal_add_type(a, b);
  }
}

Result<Int128> or_zero_error(Int128 divisor) {
  if (divisor == 0) return fail(ErrorCode::kInvalid, std::string(kDivisionByZero));
  return divisor;
}

MaybeDecimal compute(Operation operation, Int128 a, std::int32_t a_scale, Int128 b, std::int32_t b_scale,
                     const Type& type) {
  switch (operation) {
    case Operation::kAdd:
      return decimal_add(a, a_scale, b, b_scale, type);
    case Operation::kSubtract:
      return decimal_add(a, a_scale, -b, b_scale, type);
    case Operation::kMultiply:
      return decimal_multiply(a, a_scale, b, b_scale, type);
    case Operation::kDivide:
      return decimal_divide(a, a_scale, b, b_scale, type);
    default:
      return decimal_modulo(a, a_scale, b, b_scale, type);
  }
}

Kernel decimal_kernel(const Type& a, const Type& b, const Type& type, Operation operation) {
  const bool divides = operation == Operation::kDivide || operation == Operation::kModulo;
  return [=, a_scale = a.scale(), b_scale = b.scale()](const CallContext& context,
                                                       std::span<const Datum> arguments) {
    Collector<Int128> out(context, type, strict_validity(context.rows, arguments));
    const Reader<Int128> x(arguments[0]);
    const Reader<Int128> y(arguments[1]);
    for (std::size_t row = 0; row < context.rows; ++row) {
      if (!out.valid(row))
        out.put_null(row);
      else if (divides && y[row] == 0)
        out.put(row, or_zero_error(0));
      else
        out.put(row, compute(operation, x[row], a_scale, y[row], b_scale, type));
    }
    return out.finish(arguments);
  };
}

Type as_decimal(const Type& type) {
  return type.is_integer() ? *common_type(std::vector{type, Type::decimal(1, 0)}) : type;
}

// ---- Binding ---------------------------------------------------------------------------------------------

// "x / 0" is wrong for every x, and said before the first row.
bool is_zero_literal(const ArgumentInfo& argument) {
  if (!argument.literal || argument.literal->is_null() || !argument.type.is_numeric()) return false;
  if (argument.type.is_approximate()) return argument.literal->as_double() == 0;
  if (argument.type.kind() == TypeKind::kDecimal) return argument.literal->as_decimal() == 0;
  return argument.literal->as_integer() == 0;
}

BoundScalar bind_decimals(const Type& left, const Type& right, Operation operation, Arguments arguments) {
  const Type a = as_decimal(left);
  const Type b = as_decimal(right);
  const Type type = nullable_like(decimal_result(a, b, operation), arguments);
  return {type, {a, b}, decimal_kernel(a, b, type, operation)};
}

// The remainder of integers has the divisor's type, into which it always fits.
BoundScalar bind_numbers(const Type& left, const Type& right, Operation operation, Arguments arguments) {
  const Type common = common_type(std::vector{left, right})->with_nullable(any_nullable(arguments));
  Kernel kernel = number_kernel(common, operation);
  const Type narrow = nullable_like(right, arguments);
  if (operation != Operation::kModulo || !common.is_integer() || narrow.kind() == common.kind())
    return {common, {common, common}, std::move(kernel)};
  Result<Kernel> cast = bind_cast(common, narrow, CastKind::kCast, {});
  return {
      narrow, {common, common}, [kernel, cast = *cast](const CallContext& context, std::span<const Datum> a) {
        const Datum wide{kernel(context, a)};
        return cast(context, {&wide, 1});
      }};
}

Binder arithmetic(Operation operation) {
  return [operation](Arguments arguments, const Session&) -> Result<BoundScalar> {
    const std::string signature = "a " + std::string(symbol(operation)) + " b";
    if (arguments.size() != 2) return wrong_arguments(signature, arguments);
    const Type left = type_or(arguments[0], type_or(arguments[1], Type::integer()));
    const Type right = type_or(arguments[1], left);
    if (!left.is_numeric() || !right.is_numeric()) {
      std::optional<BoundScalar> bound = bind_time_arithmetic(symbol(operation), left, right, arguments);
      if (!bound) return wrong_arguments(signature, arguments);
      return *std::move(bound);
    }
    const bool divides = operation == Operation::kDivide || operation == Operation::kModulo;
    if (divides && is_zero_literal(arguments[1]))
      return fail(ErrorCode::kInvalid, std::string(kDivisionByZero));
    const bool decimal = (left.kind() == TypeKind::kDecimal && !right.is_approximate()) ||
                         (right.kind() == TypeKind::kDecimal && !left.is_approximate());
    return decimal ? bind_decimals(left, right, operation, arguments)
                   : bind_numbers(left, right, operation, arguments);
  };
}

template <class T>
Kernel negation(const Type& type) {
  return [type](const CallContext& context, std::span<const Datum> a) {
    return map_dense<T, T>(context, type, a[0], [](T value) {
      if constexpr (std::is_floating_point_v<T> || std::is_same_v<T, Int128>)
        return -value;
      else
        return wrapping(T{0}, value, [](auto x, auto y) { return x - y; });
    });
  };
}

Result<BoundScalar> bind_negate(Arguments arguments, const Session&) {
  if (arguments.size() != 1) return wrong_arguments("- a", arguments);
  const Type type = nullable_like(type_or(arguments[0], Type::integer()), arguments);
  if (!type.is_numeric() && !type.is_interval()) return wrong_arguments("- a", arguments);
  if (type.kind() == TypeKind::kDecimal) return BoundScalar{type, {type}, negation<Int128>(type)};
  return BoundScalar{type, {type}, with_number(type.layout(), [&]<class T>() { return negation<T>(type); })};
}

}  // namespace

ScalarFunctions arithmetic_functions() {
  return {
      {"+", "a + b", "Sum; integers wrap. Also a time and an interval.", "1 + 2.5", "3.5",
       arithmetic(Operation::kAdd)},
      {"-", "a - b", "Difference; integers wrap. Also a time and an interval.", "5 - 7", "-2",
       arithmetic(Operation::kSubtract)},
      {"*", "a * b", "Product; integers wrap, a DECIMAL that does not fit is NULL.", "1.5 * 2.50", "3.750",
       arithmetic(Operation::kMultiply)},
      {"/", "a / b", "Quotient; of integers without the fraction.", "7 / 2", "3",
       arithmetic(Operation::kDivide)},
      {"%", "a % b", "Remainder, with the sign of a.", "-7 % 3", "-1", arithmetic(Operation::kModulo)},
      {"MOD", "MOD(a, b)", "Remainder, with the sign of a.", "MOD(-26, 5)", "-1",
       arithmetic(Operation::kModulo)},
      {"NEGATE", "- a", "The number with the other sign.", "-(5)", "-5", bind_negate},
  };
}

}  // namespace leat::functions
