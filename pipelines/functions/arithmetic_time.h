// Arithmetic of times and intervals: what + - * / mean when one side is not a number.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "pipelines/functions/binding.h"
#include "pipelines/functions/kernel.h"

namespace leat::functions {

/// Time point ± interval, time point − time point, interval ± interval, interval × / number. Nothing: there
/// is no such operation. `left`, `right` are the arguments' types with bare NULLs replaced.
std::optional<BoundScalar> bind_time_arithmetic(std::string_view symbol, const Type& left, const Type& right,
                                                Arguments arguments);

/// Days since the epoch, some months later; a day beyond the month's end becomes its last. The same day where
/// `months_fit` says no.
std::int32_t add_months(std::int32_t days, std::int64_t months);
/// True if the calendar has both days: that one, and the one so many months later.
bool months_fit(std::int64_t days, std::int64_t months);
/// The same for microseconds; the time of day stays.
std::int64_t add_months_to_micros(std::int64_t micros, std::int64_t months);

/// Sums and products that remember, in their sign bit, whether one of them did not fit.
class Overflow {
 public:
  std::int64_t add(std::int64_t a, std::int64_t b) {
    const auto sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
    bits_ |= (a ^ sum) & (b ^ sum);
    return sum;
  }
  std::int64_t subtract(std::int64_t a, std::int64_t b) {
    const auto rest =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
    bits_ |= (a ^ b) & (a ^ rest);
    return rest;
  }
  std::int64_t multiply(std::int64_t a, std::int64_t b) {
    std::int64_t product = 0;
    note(__builtin_mul_overflow(a, b, &product));
    return product;
  }
  std::int32_t narrow(std::int64_t value) {
    note(value != static_cast<std::int32_t>(value));
    return static_cast<std::int32_t>(value);
  }
  void note(bool overflows) { bits_ |= overflows ? -1 : 0; }
  [[nodiscard]] bool happened() const { return bits_ < 0; }

 private:
  std::int64_t bits_ = 0;
};

/// "the result is out of the range of TIMESTAMP(3)".
tl::unexpected<Error> out_of_range(const Type& type);

/// map_dense for times, by `f(a, b, overflow)`: rows whose result does not fit are row errors.
template <class R, class A, class B, class F>
ColumnPtr map_in_range(const CallContext& context, const Type& type, std::span<const Datum> arguments, F f) {
  Overflow any;
  ColumnPtr column =
      map_dense<R, A, B>(context, type, arguments, [&](A a, B b) { return static_cast<R>(f(a, b, any)); });
  if (!any.happened()) return column;
  return map_rows<A, B>(context, type, arguments, [&](A a, B b) -> Result<R> {
    Overflow overflow;
    const auto value = static_cast<R>(f(a, b, overflow));
    if (!overflow.happened()) return value;
    return out_of_range(type);
  });
}

}  // namespace leat::functions
