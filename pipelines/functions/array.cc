// ARRAY_…: arrays compared, cut, sorted and put together. Elements are equal if their cells are (codec.h), so
// NULL equals NULL, as in Flink's collections.
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <numeric>

#include "pipelines/column/codec.h"
#include "pipelines/column/utf8.h"
#include "pipelines/functions/binding.h"
#include "pipelines/functions/families.h"

namespace leat::functions {
namespace {

void append_element(ColumnBuilder& array, const Column& elements, std::size_t at) {
  if (elements.is_null(at))
    array.child(0).append_null();
  else
    array.child(0).append_cell(elements, at);
}

// The elements of one row's array.
struct Elements {
  Elements(const Datum& datum, std::size_t row)
      : column(*datum.column->child(0)),
        begin(datum.column->offsets()[datum.index(row)]),
        end(datum.column->offsets()[datum.index(row) + 1]) {}
  [[nodiscard]] std::size_t size() const { return end - begin; }
  const Column& column;
  std::size_t begin;
  std::size_t end;
};

bool any_null(std::span<const Datum> a, std::size_t row) {
  return std::any_of(a.begin(), a.end(),
                     [row](const Datum& datum) { return datum.column->is_null(datum.index(row)); });
}

/// Calls `f(row, out)` for the rows without NULL among the first `strict` arguments; NULL elsewhere.
template <class F>
Kernel each_row(const Type& type, std::size_t strict, F f) {
  return [type, strict, f](const CallContext& context, std::span<const Datum> a) {
    ColumnBuilder out(type);
    out.reserve(context.rows);
    for (std::size_t row = 0; row < context.rows; ++row) {
      if (any_null(a.first(strict), row))
        out.append_null();
      else
        f(context, a, row, out);
    }
    return out.finish();
  };
}

bool is_array(const ArgumentInfo& argument) {
  return argument.type.kind() == TypeKind::kArray;
}

// The type of an array into which the elements of all arrays and single values go.
Result<Type> joined_type(std::span<const Type> elements, bool nullable) {
  LEAT_ASSIGN(const Type element, common_type(elements));
  return Type::array(element).with_nullable(nullable);
}

// ---- An array and an element -----------------------------------------------------------------------------

struct ArrayAndElement {
  Type array;
  Type element;
};

// The two brought to one type of element; `name` for messages.
Result<ArrayAndElement> bind_pair(std::string_view signature, Arguments arguments) {
  if (arguments.size() != 2 || !is_array(arguments[0])) return wrong_arguments(signature, arguments);
  const Type types[] = {arguments[0].type.element(), arguments[1].type.with_nullable(true)};
  const Result<Type> element = common_type(types);
  if (!element) return wrong_arguments(signature, arguments);
  return ArrayAndElement{Type::array(*element).with_nullable(arguments[0].type.nullable()), *element};
}

// Places of the equal elements.
template <class F>
void for_equals(const Elements& elements, const std::string& cell, F f) {
  for (std::size_t i = elements.begin; i < elements.end; ++i)
    if (key_cell(elements.column, i) == cell && !f(i)) return;
}

Result<BoundScalar> bind_contains(Arguments arguments, const Session&) {
  LEAT_ASSIGN(const ArrayAndElement pair, bind_pair("ARRAY_CONTAINS(array, element)", arguments));
  const Type type = Type::boolean().with_nullable(arguments[0].type.nullable());
  return BoundScalar{
      type,
      {pair.array, pair.element},
      each_row(type, 1,
               [](const CallContext&, std::span<const Datum> a, std::size_t row, ColumnBuilder& out) {
                 bool found = false;
                 for_equals(Elements(a[0], row), key_cell(*a[1].column, a[1].index(row)),
                            [&](std::size_t) { return found = true, false; });
                 out.append<std::uint8_t>(found ? 1 : 0);
               })};
}

Result<BoundScalar> bind_position(Arguments arguments, const Session&) {
  LEAT_ASSIGN(const ArrayAndElement pair, bind_pair("ARRAY_POSITION(array, element)", arguments));
  const Type type = nullable_like(Type::integer(), arguments);
  return BoundScalar{
      type,
      {pair.array, pair.element},
      each_row(type, 2,
               [](const CallContext&, std::span<const Datum> a, std::size_t row, ColumnBuilder& out) {
                 const Elements elements(a[0], row);
                 std::int32_t position = 0;
                 for_equals(elements, key_cell(*a[1].column, a[1].index(row)), [&](std::size_t at) {
                   position = static_cast<std::int32_t>(at - elements.begin + 1);
                   return false;
                 });
                 out.append(position);
               })};
}

Result<BoundScalar> bind_remove(Arguments arguments, const Session&) {
  LEAT_ASSIGN(const ArrayAndElement pair, bind_pair("ARRAY_REMOVE(array, element)", arguments));
  return BoundScalar{
      pair.array,
      {pair.array, pair.element},
      each_row(pair.array, 1,
               [](const CallContext&, std::span<const Datum> a, std::size_t row, ColumnBuilder& out) {
                 const std::string unwanted = key_cell(*a[1].column, a[1].index(row));
                 const Elements elements(a[0], row);
                 for (std::size_t i = elements.begin; i < elements.end; ++i)
                   if (key_cell(elements.column, i) != unwanted) append_element(out, elements.column, i);
                 out.close_nested();
               })};
}

enum class End : std::uint8_t { kFront, kBack };

Binder adding(std::string signature, End end) {
  return [=](Arguments arguments, const Session&) -> Result<BoundScalar> {
    LEAT_ASSIGN(const ArrayAndElement pair, bind_pair(signature, arguments));
    return BoundScalar{
        pair.array,
        {pair.array, pair.element},
        each_row(pair.array, 1,
                 [end](const CallContext&, std::span<const Datum> a, std::size_t row, ColumnBuilder& out) {
                   const Elements elements(a[0], row);
                   if (end == End::kFront) append_element(out, *a[1].column, a[1].index(row));
                   for (std::size_t i = elements.begin; i < elements.end; ++i)
                     append_element(out, elements.column, i);
                   if (end == End::kBack) append_element(out, *a[1].column, a[1].index(row));
                   out.close_nested();
                 })};
  };
}

// ---- One array -------------------------------------------------------------------------------------------

using OnArray = void (*)(const Elements&, ColumnBuilder&);

Binder of_array(std::string signature, OnArray f) {
  return [=](Arguments arguments, const Session&) -> Result<BoundScalar> {
    if (arguments.size() != 1 || !is_array(arguments[0])) return wrong_arguments(signature, arguments);
    const Type type = arguments[0].type;
    return BoundScalar{type,
                       {type},
                       each_row(type, 1,
                                [f](const CallContext&, std::span<const Datum> a, std::size_t row,
                                    ColumnBuilder& out) { f(Elements(a[0], row), out); })};
  };
}

void reverse(const Elements& elements, ColumnBuilder& out) {
  for (std::size_t i = elements.end; i > elements.begin; --i) append_element(out, elements.column, i - 1);
  out.close_nested();
}

void keep_distinct(const Elements& elements, ColumnBuilder& out) {
  absl::flat_hash_set<std::string> seen;
  for (std::size_t i = elements.begin; i < elements.end; ++i)
    if (seen.insert(key_cell(elements.column, i)).second) append_element(out, elements.column, i);
  out.close_nested();
}

// True if element a comes before element b in ascending order; neither is NULL.
bool before(const Column& column, std::size_t a, std::size_t b) {
  return with_layout(column.type().layout(), [&]<class T>() {
    const auto values = column.values<T>();
    if constexpr (std::is_floating_point_v<T>)
      return values[a] < values[b] || (values[b] != values[b] && values[a] == values[a]);
    else
      return values[a] < values[b];
  });
}

Binder extreme(std::string signature, bool greatest) {
  return [=](Arguments arguments, const Session&) -> Result<BoundScalar> {
    if (arguments.size() != 1 || !is_array(arguments[0]) || arguments[0].type.element().is_nested())
      return wrong_arguments(signature, arguments);
    const Type type = arguments[0].type.element().with_nullable(true);
    return BoundScalar{type,
                       {arguments[0].type},
                       each_row(type, 1,
                                [greatest](const CallContext&, std::span<const Datum> a, std::size_t row,
                                           ColumnBuilder& out) {
                                  const Elements elements(a[0], row);
                                  std::optional<std::size_t> best;
                                  for (std::size_t i = elements.begin; i < elements.end; ++i) {
                                    if (elements.column.is_null(i)) continue;
                                    if (!best || (greatest ? before(elements.column, *best, i)
                                                           : before(elements.column, i, *best)))
                                      best = i;
                                  }
                                  if (best)
                                    out.append_cell(elements.column, *best);
                                  else
                                    out.append_null();
                                })};
  };
}

void sort(const Elements& elements, bool ascending, bool nulls_first, ColumnBuilder& out) {
  std::vector<std::size_t> order(elements.size());
  std::iota(order.begin(), order.end(), elements.begin);
  const Column& column = elements.column;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (column.is_null(a) || column.is_null(b))
      return nulls_first ? column.is_null(a) && !column.is_null(b) : !column.is_null(a) && column.is_null(b);
    return ascending ? before(column, a, b) : before(column, b, a);
  });
  for (const std::size_t at : order) append_element(out, column, at);
  out.close_nested();
}

Result<BoundScalar> bind_sort(Arguments arguments, const Session&) {
  constexpr std::string_view kSignature = "ARRAY_SORT(array [, ascending [, nulls_first]])";
  const std::size_t count = arguments.size();
  if (count < 1 || count > 3 || !is_array(arguments[0]) || arguments[0].type.element().is_nested())
    return wrong_arguments(kSignature, arguments);
  for (const ArgumentInfo& flag : arguments.subspan(1))
    if (!implicitly_castable(flag.type, Type::boolean())) return wrong_arguments(kSignature, arguments);
  const Type type = nullable_like(arguments[0].type, arguments);
  std::vector<Type> types(count, Type::boolean());
  types[0] = arguments[0].type;
  return BoundScalar{
      type, types,
      each_row(type, count,
               [](const CallContext&, std::span<const Datum> a, std::size_t row, ColumnBuilder& out) {
                 const auto flag = [&](std::size_t i, bool otherwise) {
                   if (i >= a.size()) return otherwise;
                   return a[i].column->values<std::uint8_t>()[a[i].index(row)] != 0;
                 };
                 const bool ascending = flag(1, true);
                 sort(Elements(a[0], row), ascending, flag(2, ascending), out);
               })};
}

// Offsets count from 1, negative ones from the end; both ends belong to the slice. A slice that would end at
// place 0 ends at the first, as in Flink.
void slice_of(const Elements& elements, std::int64_t first, std::int64_t last, ColumnBuilder& out) {
  const auto size = static_cast<std::int64_t>(elements.size());
  const auto from_front = [size](std::int64_t offset) { return offset < 0 ? size + offset + 1 : offset; };
  const std::int64_t begin = std::max<std::int64_t>(from_front(first), 1);
  const std::int64_t place = from_front(last);
  const std::int64_t end = place == 0 ? std::min<std::int64_t>(1, size) : std::min(place, size);
  for (std::int64_t i = begin; i <= end; ++i)
    append_element(out, elements.column, elements.begin + static_cast<std::size_t>(i - 1));
  out.close_nested();
}

Result<BoundScalar> bind_slice(Arguments arguments, const Session&) {
  constexpr std::string_view kSignature = "ARRAY_SLICE(array, first [, last])";
  const std::size_t count = arguments.size();
  if (count < 2 || count > 3 || !is_array(arguments[0])) return wrong_arguments(kSignature, arguments);
  for (const ArgumentInfo& offset : arguments.subspan(1))
    if (!implicitly_castable(offset.type, Type::big_int())) return wrong_arguments(kSignature, arguments);
  const Type type = nullable_like(arguments[0].type, arguments);
  std::vector<Type> types(count, Type::big_int());
  types[0] = arguments[0].type;
  return BoundScalar{
      type, types,
      each_row(type, count,
               [](const CallContext&, std::span<const Datum> a, std::size_t row, ColumnBuilder& out) {
                 const auto offset = [&](std::size_t i) {
                   return a[i].column->values<std::int64_t>()[a[i].index(row)];
                 };
                 slice_of(Elements(a[0], row), offset(1), a.size() > 2 ? offset(2) : -1, out);
               })};
}

// ---- Several arrays --------------------------------------------------------------------------------------

using OnArrays = void (*)(std::span<const Datum>, std::size_t row, ColumnBuilder&);

Binder of_arrays(std::string signature, std::size_t least, std::size_t most, OnArrays f) {
  return [=](Arguments arguments, const Session&) -> Result<BoundScalar> {
    if (arguments.size() < least || arguments.size() > most) return wrong_arguments(signature, arguments);
    std::vector<Type> elements;
    for (const ArgumentInfo& argument : arguments) {
      if (!is_array(argument)) return wrong_arguments(signature, arguments);
      elements.push_back(argument.type.element());
    }
    const Result<Type> type = joined_type(elements, any_nullable(arguments));
    if (!type) return wrong_arguments(signature, arguments);
    return BoundScalar{*type, std::vector(arguments.size(), *type),
                       each_row(*type, arguments.size(),
                                [f](const CallContext&, std::span<const Datum> a, std::size_t row,
                                    ColumnBuilder& out) { f(a, row, out); })};
  };
}

void concatenate(std::span<const Datum> a, std::size_t row, ColumnBuilder& out) {
  for (const Datum& datum : a) {
    const Elements elements(datum, row);
    for (std::size_t i = elements.begin; i < elements.end; ++i) append_element(out, elements.column, i);
  }
  out.close_nested();
}

void unite(std::span<const Datum> a, std::size_t row, ColumnBuilder& out) {
  absl::flat_hash_set<std::string> seen;
  for (const Datum& datum : a) {
    const Elements elements(datum, row);
    for (std::size_t i = elements.begin; i < elements.end; ++i)
      if (seen.insert(key_cell(elements.column, i)).second) append_element(out, elements.column, i);
  }
  out.close_nested();
}

// The first array's elements, each once, that are (not) in the second one.
template <bool wanted>
void select(std::span<const Datum> a, std::size_t row, ColumnBuilder& out) {
  absl::flat_hash_set<std::string> others;
  const Elements second(a[1], row);
  for (std::size_t i = second.begin; i < second.end; ++i) others.insert(key_cell(second.column, i));
  absl::flat_hash_set<std::string> seen;
  const Elements first(a[0], row);
  for (std::size_t i = first.begin; i < first.end; ++i) {
    std::string cell = key_cell(first.column, i);
    if (others.contains(cell) == wanted && seen.insert(std::move(cell)).second)
      append_element(out, first.column, i);
  }
  out.close_nested();
}

// ---- Arrays and text -------------------------------------------------------------------------------------

Result<BoundScalar> bind_join(Arguments arguments, const Session&) {
  constexpr std::string_view kSignature = "ARRAY_JOIN(array of STRING, delimiter [, null_text])";
  const std::size_t count = arguments.size();
  if (count < 2 || count > 3 || !is_array(arguments[0]) || !arguments[0].type.element().is_character())
    return wrong_arguments(kSignature, arguments);
  for (const ArgumentInfo& text : arguments.subspan(1))
    if (!implicitly_castable(text.type, Type::string())) return wrong_arguments(kSignature, arguments);
  const Type type = nullable_like(Type::string(), arguments);
  std::vector<Type> types(count, Type::string());
  types[0] = arguments[0].type;
  return BoundScalar{
      type, types,
      each_row(type, count,
               [](const CallContext&, std::span<const Datum> a, std::size_t row, ColumnBuilder& out) {
                 const Elements elements(a[0], row);
                 const std::string_view delimiter = a[1].column->strings()[a[1].index(row)];
                 std::string text;
                 bool first = true;
                 for (std::size_t i = elements.begin; i < elements.end; ++i) {
                   const bool null = elements.column.is_null(i);
                   if (null && a.size() < 3) continue;
                   if (!std::exchange(first, false)) text += delimiter;
                   text += null ? a[2].column->strings()[a[2].index(row)] : elements.column.strings()[i];
                 }
                 out.append_string(text);
               })};
}

void split(std::string_view text, std::string_view delimiter, ColumnBuilder& parts) {
  if (delimiter.empty()) {
    for (std::size_t at = 0; at < text.size(); at += utf8_width(text, at))
      parts.append_string(text.substr(at, utf8_width(text, at)));
    return;
  }
  for (std::size_t end = text.find(delimiter); end != std::string_view::npos; end = text.find(delimiter)) {
    parts.append_string(text.substr(0, end));
    text.remove_prefix(end + delimiter.size());
  }
  parts.append_string(text);
}

Result<BoundScalar> bind_split(Arguments arguments, const Session&) {
  const bool texts = arguments.size() == 2 && implicitly_castable(arguments[0].type, Type::string()) &&
                     implicitly_castable(arguments[1].type, Type::string());
  if (!texts) return wrong_arguments("SPLIT(string, delimiter)", arguments);
  const Type type = nullable_like(Type::array(Type::string()), arguments);
  return BoundScalar{
      type,
      {Type::string(), Type::string()},
      each_row(type, 2,
               [](const CallContext&, std::span<const Datum> a, std::size_t row, ColumnBuilder& out) {
                 split(a[0].column->strings()[a[0].index(row)], a[1].column->strings()[a[1].index(row)],
                       out.child(0));
                 out.close_nested();
               })};
}

}  // namespace

ScalarFunctions array_functions() {
  constexpr std::size_t kAny = 1000;
  const auto row = [](std::string name, std::string rest, std::string doc, std::string example,
                      std::string result, auto make) {
    const std::string signature = name + rest;
    return ScalarFunction{name,           signature, std::move(doc), std::move(example), std::move(result),
                          make(signature)};
  };
  const auto plain = [](auto bind) { return [bind](const std::string&) -> Binder { return bind; }; };
  const auto arrays = [](std::size_t most, OnArrays f) {
    return [=](const std::string& signature) { return of_arrays(signature, most == 2 ? 2 : 1, most, f); };
  };
  const auto array = [](OnArray f) {
    return [=](const std::string& signature) { return of_array(signature, f); };
  };
  const auto add = [](End end) {
    return [=](const std::string& signature) { return adding(signature, end); };
  };
  const auto best = [](bool greatest) {
    return [=](const std::string& signature) { return extreme(signature, greatest); };
  };
  return {
      row("ARRAY_CONTAINS", "(array, element)", "True if the element is in the array, NULL among them.",
          "ARRAY_CONTAINS(ARRAY[1, 2], 2)", "TRUE", plain(bind_contains)),
      row("ARRAY_POSITION", "(array, element)", "Place of the first such element, from 1; 0: there is none.",
          "ARRAY_POSITION(ARRAY[3, 4, 4], 4)", "2", plain(bind_position)),
      row("ARRAY_REMOVE", "(array, element)", "Without all elements equal to this one.",
          "ARRAY_REMOVE(ARRAY[1, 2, 1], 1)", "[2]", plain(bind_remove)),
      row("ARRAY_APPEND", "(array, element)", "With the element at the end.", "ARRAY_APPEND(ARRAY[1, 2], 3)",
          "[1, 2, 3]", add(End::kBack)),
      row("ARRAY_PREPEND", "(array, element)", "With the element in front.", "ARRAY_PREPEND(ARRAY[1, 2], 3)",
          "[3, 1, 2]", add(End::kFront)),
      row("ARRAY_REVERSE", "(array)", "From the last element to the first.", "ARRAY_REVERSE(ARRAY[1, 2, 3])",
          "[3, 2, 1]", array(reverse)),
      row("ARRAY_DISTINCT", "(array)", "Each element once, in the order of first occurrence.",
          "ARRAY_DISTINCT(ARRAY[2, 1, 2])", "[2, 1]", array(keep_distinct)),
      row("ARRAY_MAX", "(array)", "The greatest element, NULLs aside.", "ARRAY_MAX(ARRAY[1, 3, 2])", "3",
          best(true)),
      row("ARRAY_MIN", "(array)", "The least element, NULLs aside.", "ARRAY_MIN(ARRAY[2, 1, 3])", "1",
          best(false)),
      row("ARRAY_SORT", "(array [, ascending [, nulls_first]])",
          "In ascending order with NULLs first, or descending with NULLs last.",
          "ARRAY_SORT(ARRAY[2, NULL, 3], FALSE)", "[3, 2, NULL]", plain(bind_sort)),
      row("ARRAY_SLICE", "(array, first [, last])",
          "The elements from one place to another, both included; negative places count from the end.",
          "ARRAY_SLICE(ARRAY[1, 2, 3, 4], 2, 3)", "[2, 3]", plain(bind_slice)),
      row("ARRAY_CONCAT", "(array, …)", "All arrays one after the other.",
          "ARRAY_CONCAT(ARRAY[1], ARRAY[2, 3], ARRAY[1])", "[1, 2, 3, 1]", arrays(kAny, concatenate)),
      row("ARRAY_UNION", "(array, array)", "The elements of both, each once.",
          "ARRAY_UNION(ARRAY[1, 2, 1], ARRAY[2, 3])", "[1, 2, 3]", arrays(2, unite)),
      row("ARRAY_EXCEPT", "(array, array)",
          "The elements of the first that are not in the second, each once.",
          "ARRAY_EXCEPT(ARRAY[1, 2, 3], ARRAY[2])", "[1, 3]", arrays(2, select<false>)),
      row("ARRAY_INTERSECT", "(array, array)", "The elements of the first that are in the second, each once.",
          "ARRAY_INTERSECT(ARRAY[1, 2, 3], ARRAY[3, 2])", "[2, 3]", arrays(2, select<true>)),
      row("ARRAY_JOIN", "(array of STRING, delimiter [, null_text])",
          "The texts with the delimiter between them; NULLs are left out, or written as null_text.",
          "ARRAY_JOIN(ARRAY['a', 'b', NULL], ', ', '-')", "a, b, -", plain(bind_join)),
      row("SPLIT", "(string, delimiter)", "The parts between delimiters; an empty delimiter: the characters.",
          "SPLIT('a,b,,c', ',')", "[a, b, , c]", plain(bind_split)),
  };
}

}  // namespace leat::functions
