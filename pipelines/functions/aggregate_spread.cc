// STDDEV_POP, STDDEV_SAMP, VAR_POP, VAR_SAMP (VARIANCE, STDDEV are the sample's). Mean and sum of squared
// distances are kept up value by value (Welford) and merged by Chan, Golub and LeVeque's formula: sums of
// squares would cancel where values are large and near each other, as sensors' are. As with AVG, integers
// give integers.
#include <cmath>

#include "pipelines/functions/aggregate_base.h"
#include "pipelines/functions/decimal.h"
#include "pipelines/functions/kernel.h"

namespace leat::functions {
namespace {

// state := zigzag count, double mean, double squares
struct Moments {
  std::int64_t count = 0;
  double mean = 0;
  double squares = 0;  // Of the distances to the mean.

  void add(double value) {
    ++count;
    const double distance = value - mean;
    mean += distance / static_cast<double>(count);
    squares += distance * (value - mean);
  }
  void retract(double value) {
    if (--count == 0) {
      mean = squares = 0;
      return;
    }
    const double distance = value - mean;
    mean -= distance / static_cast<double>(count);
    squares = std::max(0.0, squares - distance * (value - mean));
  }
  void merge(const Moments& from) {
    if (from.count == 0) return;
    if (count == 0) {
      *this = from;
      return;
    }
    const auto mine = static_cast<double>(count);
    const auto theirs = static_cast<double>(from.count);
    const double distance = from.mean - mean;
    mean += distance * theirs / (mine + theirs);
    squares += from.squares + distance * distance * mine * theirs / (mine + theirs);
    count += from.count;
  }
};

template <class T>
struct SpreadOperation {
  using State = Moments;
  using In = T;

  Spread spread;
  Basis basis;
  std::int32_t scale = 0;  // Of a DECIMAL argument.
  Type type = {};

  [[nodiscard]] double widened(T value) const {
    if constexpr (std::is_same_v<T, Int128>)
      return decimal_to_double(value, scale);
    else
      return static_cast<double>(value);
  }
  void add(State& state, T value) const { state.add(widened(value)); }
  void retract(State& state, T value) const { state.retract(widened(value)); }
  void merge(State& into, const State& from) const { into.merge(from); }

  void result(const State& state, ColumnBuilder& out) const {
    const std::int64_t divisor = state.count - (basis == Basis::kSample ? 1 : 0);
    if (divisor <= 0) {
      out.append_null();
      return;
    }
    const double variance = state.squares / static_cast<double>(divisor);
    append(spread == Spread::kVariance ? variance : std::sqrt(variance), out);
  }
  void save(const State& state, ByteWriter& out) const {
    out.zigzag(state.count);
    out.float64(state.mean);
    out.float64(state.squares);
  }
  void load(State& state, ByteReader& in) const {
    state.count = in.zigzag();
    state.mean = in.float64();
    state.squares = in.float64();
  }

 private:
  void append(double value, ColumnBuilder& out) const {
    if constexpr (std::is_same_v<T, Int128>) {
      if (const MaybeDecimal decimal = decimal_from_double(value, type.precision(), type.scale()))
        out.append(*decimal);
      else
        out.append_null();
    } else if constexpr (std::is_integral_v<T>) {
      const bool fits = value < static_cast<double>(std::numeric_limits<T>::max());
      out.append(fits ? static_cast<T>(value) : std::numeric_limits<T>::max());
    } else {
      out.append(static_cast<T>(value));
    }
  }
};

}  // namespace

AggregatePtr make_spread(const Type& argument, Spread spread, Basis basis) {
  if (!argument.is_numeric()) return nullptr;
  const Type type = average_type(argument);
  if (argument.kind() == TypeKind::kDecimal)
    return make_aggregate(argument, type, SpreadOperation<Int128>{spread, basis, argument.scale(), type});
  return with_number(argument.layout(), [&]<class T>() {
    return make_aggregate(argument, type, SpreadOperation<T>{spread, basis});
  });
}

}  // namespace leat::functions
