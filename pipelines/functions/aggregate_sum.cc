// SUM and AVG. SUM has the argument's own type and wraps as integers do in Flink; a DECIMAL sum is exact in
// 192 bits, so that only the result can be too large (NULL), whatever came in between and in whatever order.
//
// A sum of doubles is a plain one, in the order of the rows, as in Flink. Where values are taken away again
// it is held against one that has kept everything, and takes that one's value once they differ visibly.
#include <cmath>
#include <type_traits>

#include "pipelines/functions/aggregate_base.h"
#include "pipelines/functions/decimal.h"
#include "pipelines/functions/kernel.h"
#include "pipelines/functions/retractable_sum.h"

namespace leat::functions {
namespace {

// Sum and number of values; state := value sum, zigzag count.
template <class T>
struct Total {
  // Integers are summed in the unsigned type, where wrapping is defined.
  using Sum = std::conditional_t<std::is_integral_v<T>, std::uint64_t, double>;
  Sum sum = 0;
  std::int64_t count = 0;
};

template <class T>
struct PlainTotal {
  using State = Total<T>;
  using In = T;
  using Sum = typename State::Sum;

  // Sign extension to 64 bits keeps the sum right modulo the width of T.
  static Sum widened(T value) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<Sum>(static_cast<std::int64_t>(value));
    else
      return static_cast<Sum>(value);
  }
  void add(State& state, T value) const {
    state.sum += widened(value);
    ++state.count;
  }
  void retract(State& state, T value) const requires std::is_integral_v<T> {
    state.sum -= widened(value);
    --state.count;
  }
  void merge(State& into, const State& from) const {
    into.sum += from.sum;
    into.count += from.count;
  }
  void save(const State& state, ByteWriter& out) const {
    if constexpr (std::is_integral_v<T>)
      out.zigzag(static_cast<std::int64_t>(state.sum));
    else
      out.float64(state.sum);
    out.zigzag(state.count);
  }
  void load(State& state, ByteReader& in) const {
    if constexpr (std::is_integral_v<T>)
      state.sum = static_cast<Sum>(in.zigzag());
    else
      state.sum = in.float64();
    state.count = in.zigzag();
  }
};

// state := double sum, zigzag count, what is kept
struct KeepingTotal {
  double sum = 0;
  std::int64_t count = 0;
  RetractableSum kept;

  [[nodiscard]] std::size_t heap_bytes() const { return kept.heap_bytes(); }
  void settle() {
    constexpr double kMostDrift = 0x1p-32;  // Of the values' sizes.
    const double right = kept.value().nearest;
    const bool agrees = std::abs(sum - right) <= kMostDrift * kept.size();
    if (!agrees) sum = right;
  }
};

template <class T>
struct RetractedTotal {
  using State = KeepingTotal;
  using In = T;

  void add(State& state, T value) const {
    state.sum += double{value};
    ++state.count;
    state.kept.add(double{value});
  }
  void retract(State& state, T value) const {
    state.sum -= double{value};
    --state.count;
    state.kept.retract(double{value});
    state.settle();
  }
  void merge(State& into, const State& from) const {
    into.sum += from.sum;
    into.count += from.count;
    into.kept.merge(from.kept);
  }
  void save(const State& state, ByteWriter& out) const {
    out.float64(state.sum);
    out.zigzag(state.count);
    state.kept.save(out);
  }
  void load(State& state, ByteReader& in) const {
    state.sum = in.float64();
    state.count = in.zigzag();
    state.kept.load(in);
  }
};

template <class T, class OfTotal>
struct PlainSum : OfTotal {
  void result(const typename OfTotal::State& state, ColumnBuilder& out) const {
    if (state.count == 0)
      out.append_null();
    else
      out.append(static_cast<T>(state.sum));
  }
};

template <class T, class OfTotal>
struct PlainSumOrZero : OfTotal {
  void result(const typename OfTotal::State& state, ColumnBuilder& out) const {
    out.append(static_cast<T>(state.sum));
  }
};

// Integers: the sum wraps at 64 bits, the quotient loses its fraction.
template <class T, class OfTotal>
struct PlainAverage : OfTotal {
  void result(const typename OfTotal::State& state, ColumnBuilder& out) const {
    if (state.count == 0)
      out.append_null();
    else if constexpr (std::is_integral_v<T>)
      out.append(static_cast<T>(static_cast<std::int64_t>(state.sum) / state.count));
    else
      out.append(static_cast<T>(state.sum / static_cast<double>(state.count)));
  }
};

// A two's complement number of 192 bits; state := fixed64 low, fixed64 middle, fixed64 high, zigzag count.
struct DecimalTotal {
  absl::uint128 low = 0;
  std::int64_t high = 0;
  std::int64_t count = 0;

  void add(Int128 value) {
    const auto bits = static_cast<absl::uint128>(value);
    low += bits;
    high += (low < bits ? 1 : 0) + (value < 0 ? -1 : 0);
  }
  // Nothing when the sum has more than 38 digits.
  [[nodiscard]] MaybeDecimal sum() const {
    const auto value = static_cast<Int128>(low);
    const bool fits = high == (value < 0 ? -1 : 0);
    return fits && fits_precision(value, kMaxDecimalPrecision) ? MaybeDecimal(value) : std::nullopt;
  }
};

struct DecimalOperation {
  using State = DecimalTotal;
  using In = Int128;

  void add(State& state, Int128 value) const {
    state.add(value);
    ++state.count;
  }
  void retract(State& state, Int128 value) const {
    state.add(-value);
    --state.count;
  }
  void merge(State& into, const State& from) const {
    into.low += from.low;
    into.high += from.high + (into.low < from.low ? 1 : 0);
    into.count += from.count;
  }
  void save(const State& state, ByteWriter& out) const {
    out.fixed64(absl::Uint128Low64(state.low));
    out.fixed64(absl::Uint128High64(state.low));
    out.fixed64(static_cast<std::uint64_t>(state.high));
    out.zigzag(state.count);
  }
  void load(State& state, ByteReader& in) const {
    const std::uint64_t low = in.fixed64();
    state.low = absl::MakeUint128(in.fixed64(), low);
    state.high = static_cast<std::int64_t>(in.fixed64());
    state.count = in.zigzag();
  }
};

void append_decimal(const MaybeDecimal& value, ColumnBuilder& out) {
  if (value)
    out.append(*value);
  else
    out.append_null();
}

struct DecimalSum : DecimalOperation {
  void result(const State& state, ColumnBuilder& out) const {
    append_decimal(state.count == 0 ? std::nullopt : state.sum(), out);
  }
};

struct DecimalSumOrZero : DecimalOperation {
  void result(const State& state, ColumnBuilder& out) const { append_decimal(state.sum(), out); }
};

struct DecimalAverage : DecimalOperation {
  std::int32_t scale = 0;
  Type type;

  void result(const State& state, ColumnBuilder& out) const {
    const MaybeDecimal sum = state.count == 0 ? std::nullopt : state.sum();
    append_decimal(sum ? decimal_divide(*sum, scale, Int128(state.count), 0, type) : std::nullopt, out);
  }
};

}  // namespace

Type average_type(const Type& argument) {
  if (argument.kind() != TypeKind::kDecimal) return argument;
  return Type::decimal(kMaxDecimalPrecision, std::max(6, argument.scale()));
}

namespace {

/// `Of<T, Total>` over a number that is no decimal; doubles keep what they must to be taken away again.
template <template <class, class> class Of>
AggregatePtr make_plain(const Type& argument, const Type& result, bool needs_retraction) {
  return with_number(argument.layout(), [&]<class T>() -> AggregatePtr {
    if constexpr (std::is_floating_point_v<T>)
      if (needs_retraction) return make_aggregate(argument, result, Of<T, RetractedTotal<T>>{});
    return make_aggregate(argument, result, Of<T, PlainTotal<T>>{});
  });
}

}  // namespace

AggregatePtr make_sum(const Type& argument, bool needs_retraction) {
  if (!argument.is_numeric()) return nullptr;
  if (argument.kind() == TypeKind::kDecimal)
    return make_aggregate(argument, Type::decimal(kMaxDecimalPrecision, argument.scale()), DecimalSum{});
  return make_plain<PlainSum>(argument, argument, needs_retraction);
}

AggregatePtr make_sum_or_zero(const Type& argument, bool needs_retraction) {
  if (!argument.is_numeric()) return nullptr;
  if (argument.kind() == TypeKind::kDecimal)
    return make_aggregate(argument, Type::decimal(kMaxDecimalPrecision, argument.scale()),
                          DecimalSumOrZero{});
  return make_plain<PlainSumOrZero>(argument, argument, needs_retraction);
}

AggregatePtr make_average(const Type& argument, bool needs_retraction) {
  if (!argument.is_numeric()) return nullptr;
  const Type type = average_type(argument);
  if (argument.kind() == TypeKind::kDecimal)
    return make_aggregate(argument, type, DecimalAverage{{}, argument.scale(), type});
  return make_plain<PlainAverage>(argument, type, needs_retraction);
}

}  // namespace leat::functions
