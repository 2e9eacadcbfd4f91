// MIN and MAX of everything that has an order. NaN counts as greater than all numbers, so that the result
// does not depend on the order of arrival. Where rows can be taken back, all values are kept, sorted and
// counted.
#include <algorithm>
#include <map>
#include <type_traits>

#include "pipelines/functions/aggregate_base.h"
#include "pipelines/functions/kernel.h"

namespace leat::functions {
namespace {

// What is kept of a slot: text is copied.
template <class T>
using Kept = std::conditional_t<std::is_same_v<T, std::string_view>, std::string, T>;

struct Before {
  template <class T>
  bool operator()(const T& a, const T& b) const {
    if constexpr (std::is_floating_point_v<T>)
      return a < b || (b != b && a == a);
    else
      return a < b;
  }
};

template <Extreme extreme, class T>
bool better(const T& candidate, const T& best) {
  return extreme == Extreme::kGreatest ? Before{}(best, candidate) : Before{}(candidate, best);
}

// state := u8 has [value]
template <class T>
struct Best {
  Kept<T> value{};
  bool has = false;
  [[nodiscard]] std::size_t heap_bytes() const {
    if constexpr (std::is_same_v<Kept<T>, std::string>)
      return value.capacity() > 15 ? value.capacity() + 1 : 0;
    return 0;
  }
};

template <class T, Extreme extreme>
struct KeepBest {
  using State = Best<T>;
  using In = T;

  void add(State& state, T value) const {
    if (state.has && !better<extreme, T>(value, state.value)) return;
    state.value = value;
    state.has = true;
  }
  void merge(State& into, const State& from) const {
    if (from.has) add(into, from.value);
  }
  void result(const State& state, ColumnBuilder& out) const {
    if (state.has)
      append_value(state.value, out);
    else
      out.append_null();
  }
  void save(const State& state, ByteWriter& out) const {
    out.u8(state.has ? 1 : 0);
    if (state.has) write_value(state.value, out);
  }
  void load(State& state, ByteReader& in) const {
    state.has = in.u8() != 0;
    if (state.has) state.value = read_value<Kept<T>>(in);
  }
};

// state := varint entries, { value, zigzag count } in order of the values. A count is below zero while a
// changelog takes back a row before it brings it.
template <class T>
struct Sorted {
  std::map<Kept<T>, std::int64_t, Before> counts;
  [[nodiscard]] std::size_t heap_bytes() const { return counts.size() * (sizeof(Kept<T>) + 48); }
};

template <class T, Extreme extreme>
struct KeepAll {
  using State = Sorted<T>;
  using In = T;

  static void append_or_null(const Kept<T>* value, ColumnBuilder& out) {
    if (value != nullptr)
      append_value(*value, out);
    else
      out.append_null();
  }
  static void step(State& state, const Kept<T>& value, std::int64_t by) {
    const auto entry = state.counts.try_emplace(value, 0).first;
    entry->second += by;
    if (entry->second == 0) state.counts.erase(entry);
  }
  void add(State& state, T value) const { step(state, Kept<T>(value), 1); }
  void retract(State& state, T value) const { step(state, Kept<T>(value), -1); }
  void merge(State& into, const State& from) const {
    for (const auto& [value, count] : from.counts) step(into, value, count);
  }
  void result(const State& state, ColumnBuilder& out) const {
    const auto present = [](const auto& entry) { return entry.second > 0; };
    const auto& counts = state.counts;
    if (extreme == Extreme::kLeast) {
      const auto first = std::find_if(counts.begin(), counts.end(), present);
      append_or_null(first == counts.end() ? nullptr : &first->first, out);
    } else {
      const auto last = std::find_if(counts.rbegin(), counts.rend(), present);
      append_or_null(last == counts.rend() ? nullptr : &last->first, out);
    }
  }
  void save(const State& state, ByteWriter& out) const {
    out.varint(state.counts.size());
    for (const auto& [value, count] : state.counts) {
      write_value(value, out);
      out.zigzag(count);
    }
  }
  void load(State& state, ByteReader& in) const {
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
      Kept<T> value = read_value<Kept<T>>(in);
      state.counts.insert_or_assign(state.counts.end(), std::move(value), in.zigzag());
    }
  }
};

template <class T, Extreme extreme>
AggregatePtr make(const Type& argument, bool needs_retraction) {
  return needs_retraction ? make_aggregate(argument, argument, KeepAll<T, extreme>{})
                          : make_aggregate(argument, argument, KeepBest<T, extreme>{});
}

}  // namespace

AggregatePtr make_extreme(const Type& argument, Extreme extreme, bool needs_retraction) {
  if (argument.is_nested() || argument.kind() == TypeKind::kNull) return nullptr;
  return with_layout(argument.layout(), [&]<class T>() {
    return extreme == Extreme::kLeast ? make<T, Extreme::kLeast>(argument, needs_retraction)
                                      : make<T, Extreme::kGreatest>(argument, needs_retraction);
  });
}

}  // namespace leat::functions
