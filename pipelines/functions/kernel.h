// What kernels are made of: loops over columns and constants, with NULLs handled beside the values.
//
// Two loops, for two kinds of functions. `map_dense` is for operations on fixed-width values that cannot
// fail: it computes every slot, NULL or not, in a loop without branches that the compiler vectorises, and
// sets the slots of NULL rows to zero afterwards. `map_rows` is for everything else: it calls the function on
// rows whose arguments all have values, and takes std::optional, Result and strings as answers.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "pipelines/column/column_builder.h"
#include "pipelines/functions/scalar.h"

namespace leat::functions {

/// An argument as an array that is either walked or stands still. T is the layout's type.
template <class T>
class Reader {
 public:
  explicit Reader(const Datum& datum)
      : data_(datum.column->values<T>().data()), step_(datum.constant ? 0 : 1) {}
  const T& operator[](std::size_t row) const { return data_[row * step_]; }
  [[nodiscard]] bool constant() const { return step_ == 0; }
  [[nodiscard]] const T* data() const { return data_; }

 private:
  const T* data_;
  std::size_t step_;
};

/// Validity of a result that is NULL where any argument is; empty when none is.
std::vector<std::uint8_t> strict_validity(std::size_t rows, std::span<const Datum> arguments);

/// A column of fixed-width values under construction.
template <class T>
class Output {
 public:
  Output(const Type& type, std::size_t rows)
      : parts_{.type = type, .size = rows, .values = ValueBuffer(rows, sizeof(T))} {}
  [[nodiscard]] T* data() const { return static_cast<T*>(parts_.values.data()); }

  /// Finishes with the given validity; slots of NULL rows become zero.
  ColumnPtr finish(std::vector<std::uint8_t> validity) {
    T* slots = data();
    for (std::size_t i = 0; i < validity.size(); ++i) slots[i] = validity[i] != 0 ? slots[i] : T{};
    parts_.validity = std::move(validity);
    return std::make_shared<const Column>(std::move(parts_));
  }
  /// The heaps that string views in the column point into.
  void keep(std::span<const HeapPtr> heaps) {
    parts_.heaps.insert(parts_.heaps.end(), heaps.begin(), heaps.end());
  }

 private:
  Column::Parts parts_;
};

template <class R, class A, class F>
ColumnPtr map_dense(const CallContext& context, const Type& type, const Datum& a, F f) {
  Output<R> out(type, context.rows);
  R* slots = out.data();
  const Reader<A> x(a);
  for (std::size_t i = 0; i < context.rows; ++i) slots[i] = f(x[i]);
  return out.finish(strict_validity(context.rows, {&a, 1}));
}

template <class R, class A, class B, class F>
ColumnPtr map_dense(const CallContext& context, const Type& type, std::span<const Datum> arguments, F f) {
  Output<R> out(type, context.rows);
  R* slots = out.data();
  const Reader<A> x(arguments[0]);
  const Reader<B> y(arguments[1]);
  const A* xs = x.data();
  const B* ys = y.data();
  const std::size_t rows = context.rows;
  if (y.constant() && rows > 0) {
    const B fixed = *ys;
    for (std::size_t i = 0; i < rows; ++i) slots[i] = f(x[i], fixed);
  } else if (x.constant() && rows > 0) {
    const A fixed = *xs;
    for (std::size_t i = 0; i < rows; ++i) slots[i] = f(fixed, ys[i]);
  } else {
    for (std::size_t i = 0; i < rows; ++i) slots[i] = f(xs[i], ys[i]);
  }
  return out.finish(strict_validity(rows, arguments));
}

// ---- map_rows --------------------------------------------------------------------------------------------

/// Physical type of what a function takes or gives: bool lies as uint8_t, std::string as a view.
template <class T>
using Slot = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t,
                                std::conditional_t<std::is_same_v<T, std::string>, std::string_view, T>>;

/// Takes the answers of a function row by row. `Answer` is T, std::optional<T> (nothing: NULL), Result<T>
/// (an error: a row error, and NULL) or Result<std::optional<T>>. A std::string_view must point into an
/// argument or into static memory.
template <class T>
class Collector {
 public:
  Collector(const CallContext& context, const Type& type, std::vector<std::uint8_t> validity)
      : context_(context), out_(type, context.rows), validity_(std::move(validity)) {}

  void put(std::size_t row, const T& value) {
    if constexpr (std::is_same_v<T, std::string>)
      out_.data()[row] = heap().copy(value);
    else
      out_.data()[row] = static_cast<Slot<T>>(value);
  }
  void put(std::size_t row, const std::optional<T>& value) {
    if (value)
      put(row, *value);
    else
      put_null(row);
  }
  void put(std::size_t row, const Result<T>& value) {
    if (value) {
      put(row, *value);
      return;
    }
    context_.errors->add(row, value.error().message);
    put_null(row);
  }
  void put(std::size_t row, const Result<std::optional<T>>& value) {
    if (value)
      put(row, *value);
    else
      put(row, Result<T>(tl::unexpected(value.error())));
  }
  void put_null(std::size_t row) {
    if (validity_.empty()) validity_.assign(context_.rows, 1);
    validity_[row] = 0;
    out_.data()[row] = Slot<T>{};
  }
  [[nodiscard]] bool valid(std::size_t row) const { return validity_.empty() || validity_[row] != 0; }

  ColumnPtr finish(std::span<const Datum> arguments) {
    if constexpr (std::is_same_v<T, std::string_view>)
      for (const Datum& argument : arguments) out_.keep(argument.column->heaps());
    if (heap_) {
      const HeapPtr kept = heap_;
      out_.keep({&kept, 1});
    }
    return out_.finish(std::move(validity_));
  }

 private:
  StringHeap& heap() {
    if (!heap_) heap_ = std::make_shared<StringHeap>();
    return *heap_;
  }

  const CallContext& context_;
  Output<Slot<T>> out_;
  std::vector<std::uint8_t> validity_;
  std::shared_ptr<StringHeap> heap_;
};

template <class Answer>
struct Unwrapped {
  using type = Answer;
};
template <class T>
struct Unwrapped<std::optional<T>> {
  using type = T;
};
template <class T>
struct Unwrapped<Result<T>> {
  using type = T;
};
template <class T>
struct Unwrapped<Result<std::optional<T>>> {
  using type = T;
};

/// Calls `f(a, b, …)` on every row whose arguments all have values; NULL elsewhere.
template <class... A, class F>
ColumnPtr map_rows(const CallContext& context, const Type& type, std::span<const Datum> arguments, F&& f) {
  using Answer = std::invoke_result_t<F, A...>;
  Collector<typename Unwrapped<Answer>::type> out(context, type, strict_validity(context.rows, arguments));
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    const std::tuple readers{Reader<Slot<A>>(arguments[I])...};
    for (std::size_t row = 0; row < context.rows; ++row) {
      if (out.valid(row))
        out.put(row, f(static_cast<A>(std::get<I>(readers)[row])...));
      else
        out.put_null(row);
    }
  }
  (std::index_sequence_for<A...>{});
  return out.finish(arguments);
}

// ---- Dispatch --------------------------------------------------------------------------------------------

/// Calls `f.operator()<T>()` with the type of a fixed-width layout; strings as std::string_view. `f` must
/// give the same type for all; kList, kStruct and kNone must not come here.
template <class F>
decltype(auto) with_layout(Layout layout, F&& f) {
  switch (layout) {
    case Layout::kU8:
      return f.template operator()<std::uint8_t>();
    case Layout::kI8:
      return f.template operator()<std::int8_t>();
    case Layout::kI16:
      return f.template operator()<std::int16_t>();
    case Layout::kI32:
      return f.template operator()<std::int32_t>();
    case Layout::kI64:
      return f.template operator()<std::int64_t>();
    case Layout::kF32:
      return f.template operator()<float>();
    case Layout::kF64:
      return f.template operator()<double>();
    case Layout::kI128:
      return f.template operator()<Int128>();
    default:
      return f.template operator()<std::string_view>();
  }
}

/// The same for the numbers whose arithmetic is the machine's (no DECIMAL).
template <class F>
decltype(auto) with_number(Layout layout, F&& f) {
  switch (layout) {
    case Layout::kI8:
      return f.template operator()<std::int8_t>();
    case Layout::kI16:
      return f.template operator()<std::int16_t>();
    case Layout::kI32:
      return f.template operator()<std::int32_t>();
    case Layout::kF32:
      return f.template operator()<float>();
    case Layout::kF64:
      return f.template operator()<double>();
    default:
      return f.template operator()<std::int64_t>();
  }
}

}  // namespace leat::functions
