// STDDEV_POP, STDDEV_SAMP, VAR_POP, VAR_SAMP (VARIANCE, STDDEV are the sample's). Mean and sum of squared
// distances are kept up value by value (Welford) and merged by Chan, Golub and LeVeque's formula: sums of
// squares would cancel where values are large and near each other, as sensors' are. As with AVG, integers
// give integers.
//
// Where values are taken away again, sums of twice the precision are kept beside them: a value far from all
// others, once gone, would leave what it has rounded off.
#include <cmath>

#include "pipelines/functions/aggregate_base.h"
#include "pipelines/functions/decimal.h"
#include "pipelines/functions/kernel.h"
#include "pipelines/functions/retractable_sum.h"

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

// state := moments, sum of values, sum of their squares
struct KeepingMoments {
  Moments moments;
  RetractableSum sum;
  RetractableSum squares;

  [[nodiscard]] std::size_t heap_bytes() const { return sum.heap_bytes() + squares.heap_bytes(); }
  void add(double value) {
    moments.add(value);
    sum.add(value);
    squares.add(value * value, std::fma(value, value, -(value * value)));
  }
  void retract(double value) {
    moments.retract(value);
    sum.retract(value);
    squares.retract(value * value, std::fma(value, value, -(value * value)));
    settle();
  }
  void merge(const KeepingMoments& from) {
    moments.merge(from.moments);
    sum.merge(from.sum);
    squares.merge(from.squares);
  }
  /// The moments are those of what is kept, unless they differ by rounding alone.
  void settle() {
    constexpr double kMostDrift = 1e-10;
    if (moments.count <= 0) return;
    const auto count = static_cast<double>(moments.count);
    const RetractableSum::Value total = sum.value();
    const double sure = squares_less(total, count);
    const double right = sure < 0 ? 0 : sure;  // No number stays none.
    const double mean = total.nearest / count;
    const bool agrees = std::abs(moments.squares - right) <= kMostDrift * right &&
                        std::abs(moments.mean - mean) <= kMostDrift * sum.size() / count;
    if (agrees) return;
    moments.mean = mean;
    moments.squares = right;
  }

 private:
  /// The squares' sum less total² / count, with all that each step rounds off.
  [[nodiscard]] double squares_less(const RetractableSum::Value& total, double count) const {
    const RetractableSum::Value all = squares.value();
    const double square = total.nearest * total.nearest;
    const double rest = std::fma(total.nearest, total.nearest, -square) + 2 * total.nearest * total.rest;
    const double share = square / count;
    const double rest_of_share = (std::fma(-share, count, square) + rest) / count;
    return (all.nearest - share) + (all.rest - rest_of_share);
  }
};

void save_state(const Moments& state, ByteWriter& out) {
  out.zigzag(state.count);
  out.float64(state.mean);
  out.float64(state.squares);
}

void load_state(Moments& state, ByteReader& in) {
  state.count = in.zigzag();
  state.mean = in.float64();
  state.squares = in.float64();
}

const Moments& moments_of(const Moments& state) {
  return state;
}

void save_state(const KeepingMoments& state, ByteWriter& out) {
  save_state(state.moments, out);
  state.sum.save(out);
  state.squares.save(out);
}

void load_state(KeepingMoments& state, ByteReader& in) {
  load_state(state.moments, in);
  state.sum.load(in);
  state.squares.load(in);
}

const Moments& moments_of(const KeepingMoments& state) {
  return state.moments;
}

template <class T, class OfMoments>
struct SpreadOperation {
  using State = OfMoments;
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
  void retract(State& state, T value) const requires std::is_same_v<State, KeepingMoments> {
    state.retract(widened(value));
  }
  void merge(State& into, const State& from) const { into.merge(from); }

  void result(const State& state, ColumnBuilder& out) const {
    const Moments& moments = moments_of(state);
    const std::int64_t divisor = moments.count - (basis == Basis::kSample ? 1 : 0);
    if (divisor <= 0) {
      out.append_null();
      return;
    }
    const double variance = moments.squares / static_cast<double>(divisor);
    append(spread == Spread::kVariance ? variance : std::sqrt(variance), out);
  }
  void save(const State& state, ByteWriter& out) const { save_state(state, out); }
  void load(State& state, ByteReader& in) const { load_state(state, in); }

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

template <class OfMoments>
AggregatePtr make(const Type& argument, Spread spread, Basis basis) {
  const Type type = average_type(argument);
  if (argument.kind() == TypeKind::kDecimal)
    return make_aggregate(argument, type,
                          SpreadOperation<Int128, OfMoments>{spread, basis, argument.scale(), type});
  return with_number(argument.layout(), [&]<class T>() {
    return make_aggregate(argument, type, SpreadOperation<T, OfMoments>{spread, basis});
  });
}

}  // namespace

AggregatePtr make_spread(const Type& argument, Spread spread, Basis basis, bool needs_retraction) {
  if (!argument.is_numeric()) return nullptr;
  return needs_retraction ? make<KeepingMoments>(argument, spread, basis)
                          : make<Moments>(argument, spread, basis);
}

}  // namespace leat::functions
