// ARRAY, MAP and ROW: made, read, counted.
#include <algorithm>

#include "pipelines/column/codec.h"
#include "pipelines/functions/binding.h"
#include "pipelines/functions/families.h"

namespace leat::functions {
namespace {

void append_or_null(ColumnBuilder& out, const Column& column, std::size_t row) {
  if (column.is_null(row))
    out.append_null();
  else
    out.append_cell(column, row);
}

Result<Type> common_of(Arguments arguments, std::size_t first, std::size_t step) {
  std::vector<Type> types;
  for (std::size_t i = first; i < arguments.size(); i += step) types.push_back(arguments[i].type);
  Result<Type> common = common_type(types);
  if (common && common->kind() == TypeKind::kNull)
    return fail(ErrorCode::kInvalid, "a collection of bare NULLs has no type");
  return common;
}

// ---- Constructors ----------------------------------------------------------------------------------------

Result<BoundScalar> bind_array(Arguments arguments, const Session&) {
  Result<Type> element = common_of(arguments, 0, 1);
  if (!element) return wrong_arguments("ARRAY[a, …] of one type", arguments);
  const Type type = Type::array(*element).with_nullable(false);
  return BoundScalar{type, std::vector(arguments.size(), *element),
                     [type](const CallContext& context, std::span<const Datum> a) {
                       ColumnBuilder out(type);
                       for (std::size_t row = 0; row < context.rows; ++row) {
                         for (const Datum& datum : a)
                           append_or_null(out.child(0), *datum.column, datum.index(row));
                         out.close_nested();
                       }
                       return out.finish();
                     }};
}

// A key that comes again replaces the value before it, as in a Java map.
ColumnPtr build_map(const CallContext& context, const Type& type, std::span<const Datum> a) {
  ColumnBuilder out(type);
  for (std::size_t row = 0; row < context.rows; ++row) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < a.size(); i += 2) keys.push_back(key_cell(*a[i].column, a[i].index(row)));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (std::find(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(i), keys[i]) !=
          keys.begin() + static_cast<std::ptrdiff_t>(i))
        continue;
      const auto last =
          static_cast<std::size_t>(keys.rend() - std::find(keys.rbegin(), keys.rend(), keys[i]) - 1);
      append_or_null(out.child(0), *a[2 * i].column, a[2 * i].index(row));
      append_or_null(out.child(1), *a[2 * last + 1].column, a[2 * last + 1].index(row));
    }
    out.close_nested();
  }
  return out.finish();
}

Result<BoundScalar> bind_map(Arguments arguments, const Session&) {
  constexpr std::string_view kSignature = "MAP[key, value, …] of one key and one value type";
  if (arguments.empty() || arguments.size() % 2 != 0) return wrong_arguments(kSignature, arguments);
  Result<Type> key = common_of(arguments, 0, 2);
  Result<Type> value = common_of(arguments, 1, 2);
  if (!key || !value) return wrong_arguments(kSignature, arguments);
  const Type type = Type::map(*key, *value).with_nullable(false);
  std::vector<Type> types;
  for (std::size_t i = 0; i < arguments.size(); ++i) types.push_back(i % 2 == 0 ? *key : *value);
  return BoundScalar{type, std::move(types), [type](const CallContext& context, std::span<const Datum> a) {
                       return build_map(context, type, a);
                     }};
}

Result<BoundScalar> bind_row(Arguments arguments, const Session&) {
  if (arguments.empty()) return wrong_arguments("ROW(a, …)", arguments);
  Type::Fields fields;
  std::vector<Type> types;
  for (const ArgumentInfo& argument : arguments) {
    fields.push_back({"EXPR$" + std::to_string(fields.size()), argument.type});
    types.push_back(argument.type);
  }
  const Type type = Type::row(std::move(fields)).with_nullable(false);
  return BoundScalar{
      type, std::move(types), [type](const CallContext& context, std::span<const Datum> a) {
        Column::Parts parts{.type = type, .size = context.rows};
        for (const Datum& datum : a)
          parts.children.push_back(datum.constant
                                       ? gather(datum.column, std::vector<std::uint32_t>(context.rows, 0))
                                       : datum.column);
        return std::make_shared<const Column>(std::move(parts));
      }};
}

// ---- Access ----------------------------------------------------------------------------------------------

// For each row the element's place in the child, or nothing.
template <class Find>
ColumnPtr elements(const CallContext& context, const Type& type, const Datum& list, const ColumnPtr& child,
                   Find find) {
  ColumnBuilder out(type);
  out.reserve(context.rows);
  for (std::size_t row = 0; row < context.rows; ++row) {
    const std::size_t at = list.index(row);
    std::optional<std::size_t> found;
    if (!list.column->is_null(at))
      found = find(row, list.column->offsets()[at], list.column->offsets()[at + 1]);
    if (found)
      append_or_null(out, *child, *found);
    else
      out.append_null();
  }
  return out.finish();
}

BoundScalar array_access(const Type& array) {
  const Type type = array.element().with_nullable(true);
  return {type, {array, Type::big_int()}, [type](const CallContext& context, std::span<const Datum> a) {
            const Reader<std::int64_t> index(a[1]);
            return elements(
                context, type, a[0], a[0].column->child(0),
                [&](std::size_t row, std::size_t begin, std::size_t end) -> std::optional<std::size_t> {
                  const std::int64_t i = index[row];
                  if (a[1].column->is_null(a[1].index(row)) || i < 1) return std::nullopt;
                  if (static_cast<std::uint64_t>(i) > end - begin) return std::nullopt;
                  return begin + static_cast<std::size_t>(i - 1);
                });
          }};
}

/// `key` has the bytes of the map's own keys: it is of their type, or both are texts, of any length.
BoundScalar map_access(const Type& map, const Type& key) {
  const Type type = map.value().with_nullable(true);
  return {type, {map, key}, [type](const CallContext& context, std::span<const Datum> a) {
            const Column& keys = *a[0].column->child(0);
            return elements(
                context, type, a[0], a[0].column->child(1),
                [&](std::size_t row, std::size_t begin, std::size_t end) -> std::optional<std::size_t> {
                  const std::string wanted = key_cell(*a[1].column, a[1].index(row));
                  for (std::size_t i = begin; i < end; ++i)
                    if (key_cell(keys, i) == wanted) return i;
                  return std::nullopt;
                });
          }};
}

/// Field `index` of the row that is the first argument; the second one, of type `key`, has said which.
BoundScalar field_access(const Type& row_type, std::size_t index, const Type& key) {
  const Type type = row_type.fields()[index].type.with_nullable(row_type.fields()[index].type.nullable() ||
                                                                row_type.nullable());
  return BoundScalar{
      type, {row_type, key}, [type, index](const CallContext& context, std::span<const Datum> a) {
        const Datum& row = a[0];
        const ColumnPtr& child = row.column->child(index);
        if (!row.constant && !row.column->may_have_nulls()) return retype(child, type);
        ColumnBuilder out(type);
        for (std::size_t i = 0; i < context.rows; ++i) {
          if (row.column->is_null(row.index(i)))
            out.append_null();
          else
            append_or_null(out, *child, row.index(i));
        }
        return out.finish();
      }};
}

/// row[index], as Confluent's Flink has it: the fields count from 1, and which one is a constant.
Result<BoundScalar> bind_numbered_field(Arguments arguments) {
  const Type& type = arguments[0].type;
  const std::optional<Value>& literal = arguments[1].literal;
  const std::int64_t number = literal && !literal->is_null() ? literal->as_integer() : 0;
  const std::size_t count = type.fields().size();
  if (number < 1 || static_cast<std::uint64_t>(number) > count)
    return fail(ErrorCode::kInvalid,
                "a field of a ROW is named, or numbered by a constant from 1 to " + std::to_string(count));
  return field_access(type, static_cast<std::size_t>(number - 1), arguments[1].type);
}

Result<BoundScalar> bind_named_field(Arguments arguments) {
  const std::string name = text_literal(arguments[1]).value_or("");
  const Type::Fields& fields = arguments[0].type.fields();
  const auto field = std::find_if(fields.begin(), fields.end(),
                                  [&](const Type::Field& candidate) { return candidate.name == name; });
  if (field == fields.end())
    return fail(ErrorCode::kInvalid, arguments[0].type.to_string() + " has no field '" + name + "'");
  return field_access(arguments[0].type, static_cast<std::size_t>(field - fields.begin()), Type::string());
}

Result<BoundScalar> bind_access(Arguments arguments, const Session&) {
  constexpr std::string_view kSignature = "array[index], map[key], row[index or 'name']";
  if (arguments.size() != 2) return wrong_arguments(kSignature, arguments);
  const Type& type = arguments[0].type;
  if (type.kind() == TypeKind::kArray && implicitly_castable(arguments[1].type, Type::big_int())) {
    const std::optional<Value>& index = arguments[1].literal;
    if (index && !index->is_null() && index->as_integer() < 1)
      return fail(ErrorCode::kInvalid,
                  "an array's index starts from 1, not " + std::to_string(index->as_integer()));
    return array_access(type);
  }
  if (type.kind() == TypeKind::kMap && type.key().is_character() && arguments[1].type.is_character())
    return map_access(type, arguments[1].type);
  if (type.kind() == TypeKind::kMap && implicitly_castable(arguments[1].type, type.key()))
    return map_access(type, type.key());
  if (type.kind() == TypeKind::kRow && arguments[1].type.is_integer()) return bind_numbered_field(arguments);
  if (type.kind() == TypeKind::kRow && text_literal(arguments[1])) return bind_named_field(arguments);
  return wrong_arguments(kSignature, arguments);
}

Result<BoundScalar> bind_field(Arguments arguments, const Session&) {
  if (arguments.size() != 2 || arguments[0].type.kind() != TypeKind::kRow)
    return wrong_arguments("row.field", arguments);
  return bind_named_field(arguments);
}

// ---- Counting --------------------------------------------------------------------------------------------

Result<BoundScalar> bind_cardinality(Arguments arguments, const Session&) {
  const bool list = arguments.size() == 1 && arguments[0].type.layout() == Layout::kList;
  if (!list) return wrong_arguments("CARDINALITY(array or map)", arguments);
  const Type type = nullable_like(Type::integer(), arguments);
  return BoundScalar{type, {arguments[0].type}, [type](const CallContext& context, std::span<const Datum> a) {
                       Output<std::int32_t> out(type, context.rows);
                       const std::span<const std::uint32_t> offsets = a[0].column->offsets();
                       for (std::size_t row = 0; row < context.rows; ++row) {
                         const std::size_t at = a[0].index(row);
                         out.data()[row] = static_cast<std::int32_t>(offsets[at + 1] - offsets[at]);
                       }
                       return out.finish(strict_validity(context.rows, a));
                     }};
}

Result<BoundScalar> bind_element(Arguments arguments, const Session&) {
  if (arguments.size() != 1 || arguments[0].type.kind() != TypeKind::kArray)
    return wrong_arguments("ELEMENT(array)", arguments);
  const Type type = arguments[0].type.element().with_nullable(true);
  return BoundScalar{
      type, {arguments[0].type}, [type](const CallContext& context, std::span<const Datum> a) {
        return elements(
            context, type, a[0], a[0].column->child(0),
            [&](std::size_t row, std::size_t begin, std::size_t end) -> std::optional<std::size_t> {
              if (end - begin > 1) context.errors->add(row, "ELEMENT of an array of more than one element");
              return end - begin == 1 ? std::optional(begin) : std::nullopt;
            });
      }};
}

}  // namespace

ScalarFunctions collection_functions() {
  return {
      {"ARRAY", "ARRAY[a, …]", "An array of the values.", "ARRAY[1, 2]", "[1, 2]", bind_array},
      {"MAP", "MAP[key, value, …]", "A map of the keys and values.", "MAP['k', 1]", "{k=1}", bind_map},
      {"ROW", "ROW(a, …)", "A row of the values.", "ROW(1, 'a')", "(1, a)", bind_row},
      {"[]", "array[index], map[key], row[index or 'name']",
       "The element (from 1), the value of the key, NULL: there is none; or the field of that number or "
       "name.",
       "ARRAY[4, 5][2]", "5", bind_access},
      {".", "row.field", "A field of a row.", "CAST(ROW(1, 'a') AS ROW<x INT, y STRING>).y", "a", bind_field},
      {"CARDINALITY", "CARDINALITY(array or map)", "Number of elements.", "CARDINALITY(ARRAY[1, 2, 3])", "3",
       bind_cardinality},
      {"ELEMENT", "ELEMENT(array)", "The only element of an array; NULL if it is empty.", "ELEMENT(ARRAY[7])",
       "7", bind_element},
  };
}

}  // namespace leat::functions
