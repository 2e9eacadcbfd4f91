// The frame in which aggregates of one argument are written: an operation names its state and what one value
// does to it; the frame walks rows, skips NULLs and places states.
#pragma once

#include <concepts>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/functions/aggregate.h"
#include "pipelines/functions/json_cell.h"

namespace leat::functions {

/// What an operation has. `In` is the slot type of the argument (std::string_view for text); `State` starts
/// as State{}, which is the empty group.
template <class Op>
concept AggregateOperation = requires(const Op& op, typename Op::State& state, const typename Op::State& from,
                                      typename Op::In value, ColumnBuilder& out, ByteWriter& writer,
                                      ByteReader& reader) {
  op.add(state, value);
  op.merge(state, from);
  op.result(from, out);
  op.save(from, writer);
  op.load(state, reader);
};

template <class Op>
concept Retracts = requires(const Op& op, typename Op::State& state, typename Op::In value) {
  op.retract(state, value);
};

template <class Op>
concept OwnsHeap = requires(const typename Op::State& state) {
  { state.heap_bytes() } -> std::convertible_to<std::size_t>;
};

/// Its states have parts.
template <class Op>
concept SavesInParts = requires(const Op& op, typename Op::State& state, PartChanges& changes,
                                std::string_view bytes) {
  op.save_parts(state, changes);
  op.unsave_parts(state, changes);
  { op.load_part(state, bytes, bytes) } -> std::same_as<Status>;
};

template <AggregateOperation Op>
class OneArgument final : public Aggregate {
 public:
  using State = typename Op::State;
  using In = typename Op::In;

  OneArgument(Type argument, Type result, Op op)
      : argument_(std::move(argument)), result_(std::move(result)), op_(std::move(op)) {}

  [[nodiscard]] Type result_type() const override { return result_; }
  [[nodiscard]] std::vector<Type> argument_types() const override { return {argument_}; }
  [[nodiscard]] std::size_t state_size() const override { return sizeof(State); }

  void init(std::byte* state) const override { new (state) State(); }
  void destroy(std::byte* state) const override { at(state).~State(); }
  [[nodiscard]] std::size_t heap_bytes(const std::byte* state) const override {
    if constexpr (OwnsHeap<Op>) return at(state).heap_bytes();
    return 0;
  }

  void update(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
              std::byte* const* states) const override {
    for_each(*arguments[0], rows, states, [this](State& state, In value) { op_.add(state, value); });
  }
  void retract(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
               std::byte* const* states) const override {
    if constexpr (Retracts<Op>)
      for_each(*arguments[0], rows, states, [this](State& state, In value) { op_.retract(state, value); });
  }
  [[nodiscard]] bool retractable() const override { return Retracts<Op>; }
  void merge(std::byte* into, const std::byte* from) const override { op_.merge(at(into), at(from)); }
  void result(const std::byte* state, ColumnBuilder& out) const override { op_.result(at(state), out); }

  void save(const std::byte* state, ByteWriter& out) const override { op_.save(at(state), out); }
  Status load(std::byte* state, ByteReader& in) const override {
    op_.load(at(state), in);
    if (!in.ok()) return fail(ErrorCode::kCorrupt, "aggregate state ends early");
    return {};
  }
  [[nodiscard]] bool has_parts() const override { return SavesInParts<Op>; }
  void save_parts(std::byte* state, PartChanges& changes) const override {
    if constexpr (SavesInParts<Op>) op_.save_parts(at(state), changes);
  }
  Status load_part(std::byte* state, std::string_view part, std::string_view value) const override {
    if constexpr (SavesInParts<Op>) return op_.load_part(at(state), part, value);
    return Aggregate::load_part(state, part, value);
  }
  void unsave_parts(std::byte* state, PartChanges& changes) const override {
    if constexpr (SavesInParts<Op>) op_.unsave_parts(at(state), changes);
  }

 private:
  static State& at(std::byte* state) { return *std::launder(reinterpret_cast<State*>(state)); }
  static const State& at(const std::byte* state) {
    return *std::launder(reinterpret_cast<const State*>(state));
  }

  template <class F>
  static void for_each(const Column& column, std::span<const std::uint32_t> rows, std::byte* const* states,
                       F f) {
    const In* values = column.values<In>().data();
    if (!column.may_have_nulls()) {
      for (std::size_t i = 0; i < rows.size(); ++i) f(at(states[i]), values[rows[i]]);
      return;
    }
    const std::uint8_t* validity = column.validity().data();
    if (validity == nullptr) return;  // The type of NULL: no values at all.
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (validity[rows[i]] != 0) f(at(states[i]), values[rows[i]]);
  }

  Type argument_;
  Type result_;
  Op op_;
};

template <class Op>
AggregatePtr make_aggregate(Type argument, Type result, Op op) {
  return std::make_shared<const OneArgument<Op>>(std::move(argument), result.with_nullable(true),
                                                 std::move(op));
}

// ---- States that are objects -----------------------------------------------------------------------------

/// An aggregate whose state is a `State` in the operator's memory; State{} is the empty group.
template <class State>
class OverState : public Aggregate {
 public:
  [[nodiscard]] std::size_t state_size() const override { return sizeof(State); }
  void init(std::byte* state) const override { new (state) State(); }
  void destroy(std::byte* state) const override { at(state).~State(); }
  [[nodiscard]] std::size_t heap_bytes(const std::byte* state) const override {
    return at(state).heap_bytes();
  }

 protected:
  static State& at(std::byte* state) { return *std::launder(reinterpret_cast<State*>(state)); }
  static const State& at(const std::byte* state) {
    return *std::launder(reinterpret_cast<const State*>(state));
  }
};

/// The same where the state writes its parts itself.
template <class State>
class OverParts : public OverState<State> {
 public:
  using OverState<State>::at;

  [[nodiscard]] bool has_parts() const override { return true; }
  void save(const std::byte* state, ByteWriter& out) const override { at(state).save(out); }
  Status load(std::byte* state, ByteReader& in) const override {
    at(state).load(in);
    if (!in.ok()) return fail(ErrorCode::kCorrupt, "aggregate state ends early");
    return {};
  }
  void save_parts(std::byte* state, PartChanges& changes) const override { at(state).save_parts(changes); }
  void unsave_parts(std::byte* state, PartChanges& changes) const override {
    at(state).unsave_parts(changes);
  }
  Status load_part(std::byte* state, std::string_view part, std::string_view value) const override {
    return at(state).load_part(part, value);
  }
};

// ---- How values of states are written --------------------------------------------------------------------
//   value := zigzag (integers) | double (FLOAT, DOUBLE) | fixed64 low, fixed64 high (DECIMAL) | string (text)

template <class T>
void write_value(const T& value, ByteWriter& out) {
  if constexpr (std::is_floating_point_v<T>) {
    out.float64(static_cast<double>(value));
  } else if constexpr (std::is_same_v<T, Int128>) {
    out.fixed64(absl::Int128Low64(value));
    out.fixed64(static_cast<std::uint64_t>(absl::Int128High64(value)));
  } else if constexpr (std::is_integral_v<T>) {
    out.zigzag(value);
  } else {
    out.string(value);
  }
}

template <class T>
T read_value(ByteReader& in) {
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(in.float64());
  } else if constexpr (std::is_same_v<T, Int128>) {
    const std::uint64_t low = in.fixed64();
    return absl::MakeInt128(static_cast<std::int64_t>(in.fixed64()), low);
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(in.zigzag());
  } else {
    return T(in.string());
  }
}

/// Appends a value of a slot type or a std::string.
template <class T>
void append_value(const T& value, ColumnBuilder& out) {
  if constexpr (std::is_convertible_v<T, std::string_view>)
    out.append_string(value);
  else
    out.append(value);
}

// ---- The families ----------------------------------------------------------------------------------------

AggregatePtr make_count_all();
AggregatePtr make_count(const Type& argument);
/// nullptr: there is none for the type.
AggregatePtr make_sum(const Type& argument, bool needs_retraction);
AggregatePtr make_average(const Type& argument, bool needs_retraction);

enum class Extreme : std::uint8_t { kLeast, kGreatest };
AggregatePtr make_extreme(const Type& argument, Extreme extreme, bool needs_retraction);

enum class Spread : std::uint8_t { kVariance, kDeviation };
enum class Basis : std::uint8_t { kPopulation, kSample };
AggregatePtr make_spread(const Type& argument, Spread spread, Basis basis, bool needs_retraction);

enum class NullValues : std::uint8_t {
  kSkipped,
  kCounted,  ///< As a value like others.
};
enum class Position : std::uint8_t { kFirst, kLast };
AggregatePtr make_positional(const Type& argument, Position position, NullValues nulls,
                             bool needs_retraction);

/// Gives `inner` each distinct value once, in the order of their first arrival.
AggregatePtr make_distinct(AggregatePtr inner, bool needs_retraction,
                           NullValues nulls = NullValues::kSkipped);

/// The values as a multiset, as an array, as text with `separator` between them. All can be taken back.
AggregatePtr make_collect(const Type& argument);
AggregatePtr make_array_agg(const Type& argument, NullValues nulls);
/// `arguments`: STRING, and the separator's type if it was written.
AggregatePtr make_list_agg(std::vector<Type> arguments, std::string separator);
/// The values as a JSON array, or as an object of `key` and `value`.
AggregatePtr make_json_array_agg(const Type& argument, NullValues nulls, JsonText text);
AggregatePtr make_json_object_agg(const Type& value, NullValues nulls, JsonText text);
/// `arguments`: the value, the share (or an ARRAY of shares), and perhaps how often the value counts.
AggregatePtr make_percentile(std::vector<Type> arguments, std::vector<double> shares);
/// SUM that is 0 of nothing.
AggregatePtr make_sum_or_zero(const Type& argument, bool needs_retraction);

/// The type of AVG and of the spreads: integers stay as they are, DECIMAL(p, s) is DECIMAL(38, max(6, s)).
Type average_type(const Type& argument);

}  // namespace leat::functions
