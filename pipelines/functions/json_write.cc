// JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_QUOTE and their like: SQL values as JSON.
//
// JSON_OBJECT and JSON_ARRAY get a word for NULLs (NULL, ABSENT) as their first argument; each value is
// followed by a word that says whether its text is JSON already (JSON) or a text (VALUE).
#include <fmt/format.h>

#include <map>

#include "pipelines/column/utf8.h"
#include "pipelines/functions/binding.h"
#include "pipelines/functions/families.h"
#include "pipelines/functions/json_cell.h"
#include "pipelines/functions/json_tree.h"

namespace leat::functions {
namespace {

constexpr std::string_view kObjectSignature =
    "JSON_OBJECT([[KEY] key VALUE value, …] [{NULL | ABSENT} ON NULL])";
constexpr std::string_view kArraySignature = "JSON_ARRAY([value, …] [{NULL | ABSENT} ON NULL])";

// The value's JSON; nothing: it is NULL and left out.
std::optional<std::string> json_of(const Datum& value, const Datum& word, std::size_t row, bool keep_null) {
  const std::size_t at = value.index(row);
  if (value.column->is_null(at)) return keep_null ? std::optional<std::string>("null") : std::nullopt;
  std::string json;
  if (word.column->strings()[0] == "JSON")
    json = value.column->strings()[at];
  else
    append_json(*value.column, at, json);
  return json;
}

bool keeps_nulls(std::span<const Datum> a) {
  return a[0].column->strings()[0] == "NULL";
}

std::vector<Type> types_of(Arguments arguments, std::size_t step) {
  std::vector<Type> types;
  for (const ArgumentInfo& argument : arguments) types.push_back(argument.type);
  if (step == 3)
    for (std::size_t i = 1; i < types.size(); i += 3) types[i] = Type::string();
  return types;
}

ColumnPtr build_objects(const CallContext& context, const Type& type, std::span<const Datum> a) {
  ColumnBuilder out(type);
  for (std::size_t row = 0; row < context.rows; ++row) {
    std::map<std::string, std::string> members;
    for (std::size_t i = 1; i < a.size(); i += 3) {
      const std::size_t key = a[i].index(row);
      if (a[i].column->is_null(key)) {
        context.errors->add(row, "a key of JSON_OBJECT is NULL");
        continue;
      }
      if (std::optional<std::string> json = json_of(a[i + 1], a[i + 2], row, keeps_nulls(a)))
        members.insert_or_assign(std::string(a[i].column->strings()[key]), std::move(*json));
    }
    std::string object = "{";
    for (const auto& [name, json] : members) {
      if (object.size() > 1) object += ',';
      append_json_string(name, object);
      (object += ':') += json;
    }
    out.append_string(object += '}');
  }
  return out.finish();
}

Result<BoundScalar> bind_object(Arguments arguments, const Session&) {
  if (arguments.size() % 3 != 1) return wrong_arguments(kObjectSignature, arguments);
  for (std::size_t i = 1; i < arguments.size(); i += 3)
    if (!implicitly_castable(arguments[i].type, Type::string()))
      return wrong_arguments(kObjectSignature, arguments);
  const Type type = Type::string().with_nullable(false);
  return BoundScalar{type, types_of(arguments, 3),
                     [type](const CallContext& context, std::span<const Datum> a) {
                       return build_objects(context, type, a);
                     }};
}

Result<BoundScalar> bind_array(Arguments arguments, const Session&) {
  if (arguments.size() % 2 != 1) return wrong_arguments(kArraySignature, arguments);
  const Type type = Type::string().with_nullable(false);
  return BoundScalar{
      type, types_of(arguments, 2), [type](const CallContext& context, std::span<const Datum> a) {
        ColumnBuilder out(type);
        for (std::size_t row = 0; row < context.rows; ++row) {
          std::string array = "[";
          for (std::size_t i = 1; i < a.size(); i += 2) {
            const std::optional<std::string> json = json_of(a[i], a[i + 1], row, keeps_nulls(a));
            if (json) (array += array.size() > 1 ? "," : "") += *json;
          }
          out.append_string(array += ']');
        }
        return out.finish();
      }};
}

Result<BoundScalar> bind_string(Arguments arguments, const Session&) {
  if (arguments.size() != 1) return wrong_arguments("JSON_STRING(value)", arguments);
  const Type type = nullable_like(Type::string(), arguments);
  return BoundScalar{type, {arguments[0].type}, [type](const CallContext& context, std::span<const Datum> a) {
                       ColumnBuilder out(type);
                       for (std::size_t row = 0; row < context.rows; ++row) {
                         const std::size_t at = a[0].index(row);
                         std::string json;
                         if (a[0].column->is_null(at)) {
                           out.append_null();
                           continue;
                         }
                         append_json(*a[0].column, at, json);
                         out.append_string(json);
                       }
                       return out.finish();
                     }};
}

Result<std::optional<std::string>> normalized(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return std::nullopt;
  const std::optional<JsonNode> node = parse_json(text);
  if (!node) return fail(ErrorCode::kInvalid, "'" + std::string(text.substr(0, 100)) + "' is no JSON");
  std::string json;
  append_json(*node, json);
  return json;
}

// A character beyond ASCII is written as its one or two units of UTF-16.
void append_escaped(char32_t code, std::string& out) {
  if (code < 0x10000) {
    out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(code));
    return;
  }
  const auto rest = static_cast<std::uint32_t>(code) - 0x10000;
  out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size(); at += utf8_width(text, at)) {
    constexpr std::string_view kNamed = "\"\\/\b\f\n\r\t";
    constexpr std::string_view kNames = "\"\\/bfnrt";
    const char c = text[at];
    if (const std::size_t named = kNamed.find(c); named != std::string_view::npos)
      (out += '\\') += kNames[named];
    else if (static_cast<unsigned char>(c) < 0x80)
      out += c;
    else
      append_escaped(utf8_decode(text, at), out);
  }
  return out += '"';
}

// The four digits behind \u; nothing if they are none.
std::optional<char32_t> take_unit(std::string_view& rest) {
  if (rest.size() < 4) return std::nullopt;
  char32_t unit = 0;
  for (const char c : rest.substr(0, 4)) {
    const int digit = c >= '0' && c <= '9'                     ? c - '0'
                      : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                               : -1;
    if (digit < 0) return std::nullopt;
    unit = unit * 16 + static_cast<char32_t>(digit);
  }
  rest.remove_prefix(4);
  return unit;
}

bool take_escape(std::string_view& rest, std::string& out) {
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kNamed = "\"\\/\b\f\n\r\t";
  if (rest.empty()) return false;
  const char name = rest[0];
  rest.remove_prefix(1);
  if (const std::size_t known = kNames.find(name); known != std::string_view::npos) {
    out += kNamed[known];
    return true;
  }
  std::optional<char32_t> code = name == 'u' ? take_unit(rest) : std::nullopt;
  if (!code) return false;
  if (*code >= 0xD800 && *code < 0xDC00 && rest.starts_with("\\u")) {
    rest.remove_prefix(2);
    const std::optional<char32_t> low = take_unit(rest);
    if (!low || *low < 0xDC00 || *low > 0xDFFF) return false;
    code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
  }
  utf8_append(*code, out);
  return true;
}

// What does not stand in quotes, or has an escape that is none, stays as it is.
std::string unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  std::string_view rest = text.substr(1, text.size() - 2);
  std::string out;
  while (!rest.empty()) {
    const char c = rest[0];
    rest.remove_prefix(1);
    if (c != '\\')
      out += c;
    else if (!take_escape(rest, out))
      return std::string(text);
  }
  return out;
}

}  // namespace

ScalarFunctions json_write_functions() {
  return {
      {"JSON_OBJECT", std::string(kObjectSignature),
       "An object of the members; NULLs are written unless ABSENT ON NULL is said.",
       "JSON_OBJECT(KEY 'a' VALUE 1, 'b' VALUE JSON_ARRAY('x', TRUE))", "{\"a\":1,\"b\":[\"x\",true]}",
       bind_object},
      {"JSON_ARRAY", std::string(kArraySignature),
       "An array of the values; NULLs are left out unless NULL ON NULL is said.", "JSON_ARRAY(1, 'a', 2.50)",
       "[1,\"a\",2.50]", bind_array},
      {"JSON_STRING", "JSON_STRING(value)", "The value as JSON.", "JSON_STRING(ARRAY[1, 2])", "[1,2]",
       bind_string},
      function(
          "JSON", "JSON(string)",
          "The text, which is JSON already, without white space: for values of JSON_OBJECT and JSON_ARRAY.",
          "JSON_OBJECT('a' VALUE JSON('[1, 2]'))", "{\"a\":[1,2]}", {of(normalized)}),
      function("JSON_QUOTE", "JSON_QUOTE(string)", "The text as a JSON string, in ASCII.",
               "JSON_QUOTE('a\"b')", "\"a\\\"b\"", {of(quoted)}),
      function("JSON_UNQUOTE", "JSON_UNQUOTE(string)",
               "The text of a JSON string; what is none stays as it is.", "JSON_UNQUOTE('\"\\u0041b\"')",
               "Ab", {of(unquoted)}),
  };
}

}  // namespace leat::functions
