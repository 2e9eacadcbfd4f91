// MIN and MAX of everything that has an order. NaN counts as greater than all numbers, so that the result
// does not depend on the order of arrival. Where rows can be taken back, all values are kept, sorted and
// counted.
#include <algorithm>
#include <map>
#include <type_traits>

#include "pipelines/functions/aggregate_base.h"
#include "pipelines/functions/aggregate_parts.h"
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

struct Tally {
  std::int64_t count = 0;
  PartMark mark;
};

// One part per value: its key is the value, its content zigzag count; the head is empty. A count is below
// zero while a changelog takes back a row before it brings it.
template <class T>
struct Sorted {
  std::map<Kept<T>, Tally, Before> counts;
  PartLog<Kept<T>> log;
  std::size_t text_bytes = 0;

  [[nodiscard]] std::size_t heap_bytes() const {
    constexpr std::size_t kLinks = 32;
    return counts.size() * (sizeof(Kept<T>) + sizeof(Tally) + kLinks) + text_bytes + log.heap_bytes();
  }
  void step(const Kept<T>& value, std::int64_t by) {
    const auto [entry, is_new] = counts.try_emplace(value);
    if constexpr (std::is_same_v<Kept<T>, std::string>)
      if (is_new) text_bytes += heap_bytes_of(entry->first);
    entry->second.count += by;
    if (entry->second.count == 0)
      remove(entry);
    else
      log.changed(value, entry->second.mark);
  }

 private:
  void remove(typename std::map<Kept<T>, Tally, Before>::iterator entry) {
    log.removed(entry->first, entry->second.mark);
    if constexpr (std::is_same_v<Kept<T>, std::string>) text_bytes -= heap_bytes_of(entry->first);
    counts.erase(entry);
  }
};

template <class T>
std::string part_of(const T& value) {
  std::string part;
  ByteWriter writer(part);
  write_value(value, writer);
  return part;
}

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
  void add(State& state, T value) const { state.step(Kept<T>(value), 1); }
  void retract(State& state, T value) const { state.step(Kept<T>(value), -1); }
  void merge(State& into, const State& from) const {
    for (const auto& [value, tally] : from.counts) into.step(value, tally.count);
  }
  void result(const State& state, ColumnBuilder& out) const {
    const auto present = [](const auto& entry) { return entry.second.count > 0; };
    const auto& counts = state.counts;
    if (extreme == Extreme::kLeast) {
      const auto first = std::find_if(counts.begin(), counts.end(), present);
      append_or_null(first == counts.end() ? nullptr : &first->first, out);
    } else {
      const auto last = std::find_if(counts.rbegin(), counts.rend(), present);
      append_or_null(last == counts.rend() ? nullptr : &last->first, out);
    }
  }
  void save(const State&, ByteWriter&) const {}
  void load(State&, ByteReader&) const {}

  void save_parts(State& state, PartChanges& changes) const {
    const auto count_of = [](const Kept<T>&, const Tally& tally) { return part_of(tally.count); };
    state.log.save(state.counts, part_of<Kept<T>>, count_of, changes);
  }
  void unsave_parts(State& state, PartChanges& changes) const {
    state.log.unsave(state.counts, part_of<Kept<T>>, changes);
  }
  Status load_part(State& state, std::string_view part, std::string_view value) const {
    ByteReader part_reader(part);
    ByteReader reader(value);
    const Kept<T> kept = read_value<Kept<T>>(part_reader);
    const std::int64_t count = reader.zigzag();
    if (!part_reader.ok() || !reader.ok())
      return fail(ErrorCode::kCorrupt, "a value of MIN or MAX is damaged");
    const auto [entry, is_new] =
        state.counts.try_emplace(kept, Tally{count, {.saved = true, .dirty = false}});
    if constexpr (std::is_same_v<Kept<T>, std::string>)
      if (is_new) state.text_bytes += heap_bytes_of(entry->first);
    return {};
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
