// MAP_…, STR_TO_MAP and OBJECT_OF: maps taken apart and put together, rows with named fields.
#include <algorithm>

#include "pipelines/column/codec.h"
#include "pipelines/functions/binding.h"
#include "pipelines/functions/families.h"
#include "pipelines/functions/regex.h"

namespace leat::functions {
namespace {

void append_or_null(ColumnBuilder& out, const Column& column, std::size_t row) {
  if (column.is_null(row))
    out.append_null();
  else
    out.append_cell(column, row);
}

bool is_map(const ArgumentInfo& argument) {
  return argument.type.kind() == TypeKind::kMap;
}

// Entries in the order in which their keys came first; a key that comes again replaces the value.
class Entries {
 public:
  void put(const Column& keys, std::size_t key, const Column& values, std::size_t value) {
    std::string cell = key_cell(keys, key);
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return entry.cell == cell; });
    if (found == entries_.end())
      entries_.push_back({std::move(cell), &keys, key, &values, value});
    else
      *found = {std::move(cell), found->keys, found->key, &values, value};
  }
  void append_to(ColumnBuilder& map) const {
    for (const Entry& entry : entries_) {
      append_or_null(map.child(0), *entry.keys, entry.key);
      append_or_null(map.child(1), *entry.values, entry.value);
    }
    map.close_nested();
  }

 private:
  struct Entry {
    std::string cell;
    const Column* keys;
    std::size_t key;
    const Column* values;
    std::size_t value;
  };
  std::vector<Entry> entries_;
};

// ---- Out of maps -----------------------------------------------------------------------------------------

enum class Side : std::uint8_t { kKeys, kValues };

// The keys or the values are a child of the map's column already.
Binder side_of(std::string signature, Side side) {
  return [=](Arguments arguments, const Session&) -> Result<BoundScalar> {
    if (arguments.size() != 1 || !is_map(arguments[0])) return wrong_arguments(signature, arguments);
    const Type& map = arguments[0].type;
    const Type type = nullable_like(Type::array(side == Side::kKeys ? map.key() : map.value()), arguments);
    return BoundScalar{type, {map}, [type, side](const CallContext& context, std::span<const Datum> a) {
                         ColumnBuilder out(type);
                         const Column& maps = *a[0].column;
                         const Column& child = *maps.child(side == Side::kKeys ? 0 : 1);
                         for (std::size_t row = 0; row < context.rows; ++row) {
                           const std::size_t at = a[0].index(row);
                           if (maps.is_null(at)) {
                             out.append_null();
                             continue;
                           }
                           for (std::size_t i = maps.offsets()[at]; i < maps.offsets()[at + 1]; ++i)
                             append_or_null(out.child(0), child, i);
                           out.close_nested();
                         }
                         return out.finish();
                       }};
  };
}

Result<BoundScalar> bind_entries(Arguments arguments, const Session&) {
  if (arguments.size() != 1 || !is_map(arguments[0])) return wrong_arguments("MAP_ENTRIES(map)", arguments);
  const Type& map = arguments[0].type;
  const Type entry = Type::row({{"key", map.key()}, {"value", map.value()}}).with_nullable(false);
  const Type type = nullable_like(Type::array(entry), arguments);
  return BoundScalar{type, {map}, [type](const CallContext& context, std::span<const Datum> a) {
                       ColumnBuilder out(type);
                       const Column& maps = *a[0].column;
                       for (std::size_t row = 0; row < context.rows; ++row) {
                         const std::size_t at = a[0].index(row);
                         if (maps.is_null(at)) {
                           out.append_null();
                           continue;
                         }
                         for (std::size_t i = maps.offsets()[at]; i < maps.offsets()[at + 1]; ++i) {
                           append_or_null(out.child(0).child(0), *maps.child(0), i);
                           append_or_null(out.child(0).child(1), *maps.child(1), i);
                           out.child(0).close_nested();
                         }
                         out.close_nested();
                       }
                       return out.finish();
                     }};
}

// ---- Into maps -------------------------------------------------------------------------------------------

Result<BoundScalar> bind_union(Arguments arguments, const Session&) {
  constexpr std::string_view kSignature = "MAP_UNION(map, …)";
  std::vector<Type> keys;
  std::vector<Type> values;
  for (const ArgumentInfo& argument : arguments) {
    if (!is_map(argument)) return wrong_arguments(kSignature, arguments);
    keys.push_back(argument.type.key());
    values.push_back(argument.type.value());
  }
  const Result<Type> key = common_type(keys);
  const Result<Type> value = common_type(values);
  if (arguments.empty() || !key || !value) return wrong_arguments(kSignature, arguments);
  const Type type = nullable_like(Type::map(*key, *value), arguments);
  return BoundScalar{type, std::vector(arguments.size(), type),
                     [type](const CallContext& context, std::span<const Datum> a) {
                       const std::vector<std::uint8_t> validity = strict_validity(context.rows, a);
                       ColumnBuilder out(type);
                       for (std::size_t row = 0; row < context.rows; ++row) {
                         if (!validity.empty() && validity[row] == 0) {
                           out.append_null();
                           continue;
                         }
                         Entries entries;
                         for (const Datum& datum : a) {
                           const Column& map = *datum.column;
                           const std::size_t at = datum.index(row);
                           for (std::size_t i = map.offsets()[at]; i < map.offsets()[at + 1]; ++i)
                             entries.put(*map.child(0), i, *map.child(1), i);
                         }
                         entries.append_to(out);
                       }
                       return out.finish();
                     }};
}

Result<BoundScalar> bind_from_arrays(Arguments arguments, const Session&) {
  const bool arrays = arguments.size() == 2 && arguments[0].type.kind() == TypeKind::kArray &&
                      arguments[1].type.kind() == TypeKind::kArray;
  if (!arrays) return wrong_arguments("MAP_FROM_ARRAYS(keys, values)", arguments);
  const Type type = Type::map(arguments[0].type.element(), arguments[1].type.element()).with_nullable(true);
  return BoundScalar{type,
                     {arguments[0].type, arguments[1].type},
                     [type](const CallContext& context, std::span<const Datum> a) {
                       ColumnBuilder out(type);
                       for (std::size_t row = 0; row < context.rows; ++row) {
                         const std::size_t key = a[0].index(row);
                         const std::size_t value = a[1].index(row);
                         if (a[0].column->is_null(key) || a[1].column->is_null(value)) {
                           out.append_null();
                           continue;
                         }
                         const std::span<const std::uint32_t> keys = a[0].column->offsets();
                         const std::span<const std::uint32_t> values = a[1].column->offsets();
                         if (keys[key + 1] - keys[key] != values[value + 1] - values[value]) {
                           context.errors->add(row, "MAP_FROM_ARRAYS got arrays of different lengths");
                           out.append_null();
                           continue;
                         }
                         Entries entries;
                         for (std::uint32_t i = 0; i < keys[key + 1] - keys[key]; ++i)
                           entries.put(*a[0].column->child(0), keys[key] + i, *a[1].column->child(0),
                                       values[value] + i);
                         entries.append_to(out);
                       }
                       return out.finish();
                     }};
}

// ---- STR_TO_MAP ------------------------------------------------------------------------------------------

// Splits by a regular expression as Java does: trailing empty parts are dropped, and an empty text has none.
std::vector<std::string_view> split_by(std::string_view text, const RE2& delimiter) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  std::size_t at = 0;
  re2::StringPiece found;
  while (at <= text.size() &&
         delimiter.Match(regex_piece(text), at, text.size(), RE2::UNANCHORED, &found, 1)) {
    const auto place = static_cast<std::size_t>(found.data() - text.data());
    at = place + std::max<std::size_t>(found.size(), 1);
    if (found.empty() && (place == 0 || place >= text.size())) continue;
    parts.push_back(text.substr(begin, place - begin));
    begin = place + found.size();
  }
  parts.push_back(text.substr(begin));
  while (!parts.empty() && parts.back().empty()) parts.pop_back();
  return parts;
}

void append_pairs(std::string_view text, const RE2& between, const RE2& inside, ColumnBuilder& out) {
  ColumnBuilder keys(Type::string());
  ColumnBuilder values(Type::string());
  for (const std::string_view pair : split_by(text, between)) {
    re2::StringPiece found;
    const bool has =
        inside.Match(regex_piece(pair), 0, pair.size(), RE2::UNANCHORED, &found, 1) && !found.empty();
    const std::size_t end = has ? static_cast<std::size_t>(found.data() - pair.data()) : pair.size();
    keys.append_string(pair.substr(0, end));
    if (has)
      values.append_string(pair.substr(end + found.size()));
    else
      values.append_null();
  }
  const ColumnPtr key = keys.finish();
  const ColumnPtr value = values.finish();
  Entries entries;
  for (std::size_t i = 0; i < key->size(); ++i) entries.put(*key, i, *value, i);
  entries.append_to(out);
}

Result<BoundScalar> bind_str_to_map(Arguments arguments, const Session&) {
  constexpr std::string_view kSignature = "STR_TO_MAP(string [, pair_delimiter, key_delimiter])";
  if (arguments.size() != 1 && arguments.size() != 3) return wrong_arguments(kSignature, arguments);
  for (const ArgumentInfo& argument : arguments)
    if (!implicitly_castable(argument.type, Type::string())) return wrong_arguments(kSignature, arguments);
  const Type type = Type::map(Type::string(), Type::string()).with_nullable(true);
  return BoundScalar{type, std::vector(arguments.size(), Type::string()),
                     [type](const CallContext& context, std::span<const Datum> a) {
                       const std::vector<std::uint8_t> validity = strict_validity(context.rows, a);
                       RegexCache pairs(Malformed::kError);
                       RegexCache keys(Malformed::kError);
                       ColumnBuilder out(type);
                       const auto text = [&](std::size_t i, std::size_t row, std::string_view otherwise) {
                         return i < a.size() ? a[i].column->strings()[a[i].index(row)] : otherwise;
                       };
                       for (std::size_t row = 0; row < context.rows; ++row) {
                         const bool null = !validity.empty() && validity[row] == 0;
                         const Result<RegexPtr>& between = pairs.get(text(1, row, ","));
                         const Result<RegexPtr>& inside = keys.get(text(2, row, "="));
                         if (null || !between || !inside) {
                           if (!null) context.errors->add(row, (between ? inside : between).error().message);
                           out.append_null();
                         } else {
                           append_pairs(text(0, row, ""), **between, **inside, out);
                         }
                       }
                       return out.finish();
                     }};
}

// ---- OBJECT_OF, OBJECT_UPDATE ----------------------------------------------------------------------------
//
// Flink's structured types are rows here: the name of the class is kept by nobody.

Result<std::vector<std::string>> field_names(Arguments arguments, std::size_t first,
                                             std::string_view signature) {
  std::vector<std::string> names;
  for (std::size_t i = first; i < arguments.size(); i += 2) {
    std::optional<std::string> name = text_literal(arguments[i]);
    if (!name || i + 1 >= arguments.size()) return wrong_arguments(signature, arguments);
    if (std::find(names.begin(), names.end(), *name) != names.end())
      return fail(ErrorCode::kInvalid, "the field '" + *name + "' is given twice");
    names.push_back(std::move(*name));
  }
  return names;
}

ColumnPtr whole(const Datum& datum, std::size_t rows) {
  return datum.constant ? gather(datum.column, std::vector<std::uint32_t>(rows, 0)) : datum.column;
}

Result<BoundScalar> bind_object_of(Arguments arguments, const Session&) {
  constexpr std::string_view kSignature = "OBJECT_OF(class, field, value, …)";
  if (arguments.empty() || !text_literal(arguments[0])) return wrong_arguments(kSignature, arguments);
  LEAT_ASSIGN(const std::vector<std::string> names, field_names(arguments, 1, kSignature));
  if (names.empty()) return wrong_arguments(kSignature, arguments);
  Type::Fields fields;
  std::vector<Type> types = {Type::string()};
  for (std::size_t i = 0; i < names.size(); ++i) {
    fields.push_back({names[i], type_or(arguments[2 * i + 2], Type::string())});
    types.push_back(Type::string());
    types.push_back(fields.back().type);
  }
  const Type type = Type::row(std::move(fields)).with_nullable(false);
  return BoundScalar{type, std::move(types), [type](const CallContext& context, std::span<const Datum> a) {
                       Column::Parts parts{.type = type, .size = context.rows};
                       for (std::size_t i = 2; i < a.size(); i += 2)
                         parts.children.push_back(whole(a[i], context.rows));
                       return std::make_shared<const Column>(std::move(parts));
                     }};
}

Result<BoundScalar> bind_object_update(Arguments arguments, const Session&) {
  constexpr std::string_view kSignature = "OBJECT_UPDATE(object, field, value, …)";
  if (arguments.size() < 3 || arguments[0].type.kind() != TypeKind::kRow)
    return wrong_arguments(kSignature, arguments);
  LEAT_ASSIGN(const std::vector<std::string> names, field_names(arguments, 1, kSignature));
  const Type type = arguments[0].type;
  std::vector<std::size_t> sources(type.fields().size(), 0);  // Of each field: the argument, or 0.
  std::vector<Type> types = {type};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto field = std::find_if(type.fields().begin(), type.fields().end(),
                                    [&](const Type::Field& each) { return each.name == names[i]; });
    if (field == type.fields().end())
      return fail(ErrorCode::kInvalid, type.to_string() + " has no field '" + names[i] + "'");
    sources[static_cast<std::size_t>(field - type.fields().begin())] = 2 * i + 2;
    types.push_back(Type::string());
    types.push_back(field->type);
  }
  return BoundScalar{
      type, std::move(types), [type, sources](const CallContext& context, std::span<const Datum> a) {
        const ColumnPtr object = whole(a[0], context.rows);
        Column::Parts parts{.type = type, .size = context.rows};
        parts.validity.assign(object->validity().begin(), object->validity().end());
        for (std::size_t i = 0; i < sources.size(); ++i)
          parts.children.push_back(sources[i] == 0 ? object->child(i) : whole(a[sources[i]], context.rows));
        return std::make_shared<const Column>(std::move(parts));
      }};
}

}  // namespace

ScalarFunctions map_functions() {
  return {
      {"MAP_KEYS", "MAP_KEYS(map)", "The keys as an array.", "MAP_KEYS(MAP['a', 1, 'b', 2])", "[a, b]",
       side_of("MAP_KEYS(map)", Side::kKeys)},
      {"MAP_VALUES", "MAP_VALUES(map)", "The values as an array.", "MAP_VALUES(MAP['a', 1, 'b', 2])",
       "[1, 2]", side_of("MAP_VALUES(map)", Side::kValues)},
      {"MAP_ENTRIES", "MAP_ENTRIES(map)", "The entries as an array of rows (key, value).",
       "MAP_ENTRIES(MAP['a', 1])", "[(a, 1)]", bind_entries},
      {"MAP_UNION", "MAP_UNION(map, …)", "All entries; of equal keys the last one counts.",
       "MAP_UNION(MAP['a', 1, 'b', 2], MAP['b', 3])", "{a=1, b=3}", bind_union},
      {"MAP_FROM_ARRAYS", "MAP_FROM_ARRAYS(keys, values)", "A map of two arrays of the same length.",
       "MAP_FROM_ARRAYS(ARRAY['a', 'b'], ARRAY[1, 2])", "{a=1, b=2}", bind_from_arrays},
      {"STR_TO_MAP", "STR_TO_MAP(string [, pair_delimiter, key_delimiter])",
       "A map of text to text; both delimiters are regular expressions, by default , and =.",
       "STR_TO_MAP('a=1,b=2')", "{a=1, b=2}", bind_str_to_map},
      {"OBJECT_OF", "OBJECT_OF(class, field, value, …)",
       "A row of named fields; Flink makes an object of the class of it.",
       "OBJECT_OF('com.example.User', 'name', 'Ada', 'age', 36)", "(Ada, 36)", bind_object_of},
      {"OBJECT_UPDATE", "OBJECT_UPDATE(object, field, value, …)", "The row with some fields replaced.",
       "OBJECT_UPDATE(OBJECT_OF('User', 'name', 'Ada', 'age', 36), 'age', 37)", "(Ada, 37)",
       bind_object_update},
  };
}

}  // namespace leat::functions
