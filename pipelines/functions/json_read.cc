// JSON_QUERY, JSON_EXISTS, JSON_LENGTH, JSON_TYPE and IS JSON: out of documents into SQL values.
//
// The binder writes the clauses of these functions as arguments, in the order of the parameters below: a type
// to return as a NULL of that type, words as STRING literals in upper case.
#include "pipelines/functions/families.h"
#include "pipelines/functions/json_lookup.h"

namespace leat::functions {
namespace {

using Kind = JsonNode::Kind;

// ---- JSON_QUERY ------------------------------------------------------------------------------------------
//
// Parameters: document, path, a NULL of the type to return (STRING or an ARRAY), the wrapper (WITHOUT,
// CONDITIONAL, UNCONDITIONAL), and for ON EMPTY and ON ERROR a word each (NULL, ERROR, EMPTY ARRAY, EMPTY
// OBJECT).

constexpr std::string_view kQuerySignature =
    "JSON_QUERY(json, path [RETURNING {STRING | ARRAY<…>}] [{WITHOUT | WITH [UN]CONDITIONAL} WRAPPER] "
    "[{NULL | ERROR | EMPTY ARRAY | EMPTY OBJECT} ON {EMPTY | ERROR}] …)";

JsonNode wrapped(const JsonLookup::Found& found, std::string_view wrapper) {
  JsonNode list{.kind = Kind::kArray, .text = {}, .items = {}, .names = {}};
  if (found.list)
    for (const JsonNode* node : found.nodes) list.items.push_back(*node);
  else if (wrapper == "WITHOUT" || (wrapper == "CONDITIONAL" && found.nodes[0]->kind == Kind::kArray))
    return *found.nodes[0];
  else
    list.items.push_back(*found.nodes[0]);
  if (!found.list || wrapper != "UNCONDITIONAL") return list;
  JsonNode outer{.kind = Kind::kArray, .text = {}, .items = {}, .names = {}};
  outer.items.push_back(std::move(list));
  return outer;
}

// The elements as texts that the cast to their type reads; nothing if one cannot be of the type.
ColumnPtr element_texts(const JsonNode& node, const Type& element) {
  ColumnBuilder texts(Type::string());
  for (const JsonNode& item : node.items) {
    std::optional<std::string> text;
    if (item.is_scalar())
      text = scalar_text(item, element);
    else if (element.is_character())
      append_json(item, text.emplace());
    if (item.kind == Kind::kNull)
      texts.append_null();
    else if (text)
      texts.append_string(*text);
    else
      return nullptr;
  }
  return texts.finish();
}

// Appends an array; false if one of its elements is not of the type.
bool append_elements(const JsonNode& node, const Type& type, const Kernel& cast, ColumnBuilder& out) {
  const Datum texts{node.kind == Kind::kArray ? element_texts(node, type.element()) : nullptr};
  if (!texts.column) return false;
  const std::size_t size = node.items.size();
  RowErrors errors;
  const ColumnPtr values = cast({.rows = size, .errors = &errors}, {&texts, 1});
  for (std::size_t i = 0; i < size; ++i)
    if (values->is_null(i) && !texts.column->is_null(i)) return false;
  for (std::size_t i = 0; i < size; ++i) {
    if (values->is_null(i))
      out.child(0).append_null();
    else
      out.child(0).append_cell(*values, i);
  }
  out.close_nested();
  return true;
}

class Querier {
 public:
  Querier(Type type, Kernel cast) : type_(std::move(type)), cast_(std::move(cast)) {}

  ColumnPtr operator()(const CallContext& context, std::span<const Datum> a) const {
    ColumnBuilder out(type_);
    JsonLookup lookup;
    for (std::size_t row = 0; row < context.rows; ++row) {
      if (has_null(a, row))
        out.append_null();
      else
        append(context, row, lookup.find(text_at(a[0], row), text_at(a[1], row)), a, out);
    }
    return out.finish();
  }

 private:
  void append(const CallContext& context, std::size_t row, const Result<JsonLookup::Found>& found,
              std::span<const Datum> a, ColumnBuilder& out) const {
    if (!found) return behave(context, row, text_at(a[5], 0), found.error().message, out);
    if (found->empty()) return behave(context, row, text_at(a[4], 0), "JSON_QUERY found nothing", out);
    const JsonNode node = wrapped(*found, text_at(a[3], 0));
    if (node.is_scalar()) {
      const std::string_view behaviour = text_at(a[found->lax() ? 4 : 5], 0);
      return behave(context, row, behaviour, "JSON_QUERY needs an array or an object", out);
    }
    if (type_.kind() == TypeKind::kArray) {
      if (!append_elements(node, type_, cast_, out))
        behave(context, row, text_at(a[5], 0), "JSON_QUERY found elements that are not of its type", out);
      return;
    }
    std::string json;
    append_json(node, json);
    out.append_string(json);
  }

  void behave(const CallContext& context, std::size_t row, std::string_view behaviour,
              const std::string& reason, ColumnBuilder& out) const {
    const bool array = type_.kind() == TypeKind::kArray;
    if (behaviour == "ERROR") context.errors->add(row, reason);
    if (behaviour == "EMPTY ARRAY" && array)
      out.close_nested();
    else if (behaviour == "EMPTY ARRAY" || behaviour == "EMPTY OBJECT")
      out.append_string(behaviour == "EMPTY ARRAY" ? "[]" : "{}");
    else
      out.append_null();
  }

  Type type_;
  Kernel cast_;  // From STRING to the elements of an array.
};

Result<BoundScalar> bind_query(Arguments arguments, const Session& session) {
  if (!takes_document(arguments, 6)) return wrong_arguments(kQuerySignature, arguments);
  LEAT_TRY(check_path(arguments));
  const Type type = arguments[2].type.with_nullable(true);
  const bool array = type.kind() == TypeKind::kArray;
  if (array ? !is_json_scalar(type.element()) : !type.is_character())
    return fail(
        ErrorCode::kInvalid,
        "JSON_QUERY returns STRING or an ARRAY of STRING, BOOLEAN or numbers, not " + type.to_string());
  const bool object =
      text_literal(arguments[4]) == "EMPTY OBJECT" || text_literal(arguments[5]) == "EMPTY OBJECT";
  if (array && object)
    return fail(ErrorCode::kInvalid, "EMPTY OBJECT is no " + type.to_string() + "; use EMPTY ARRAY or NULL");
  const Type element = array ? type.element() : Type::string();
  LEAT_ASSIGN(Kernel cast, bind_cast(Type::string(), element, CastKind::kTryCast, session));
  const Type text = Type::string();
  return BoundScalar{type, {text, text, type, text, text, text}, Querier(type, std::move(cast))};
}

// ---- JSON_EXISTS, IS JSON, JSON_LENGTH, JSON_TYPE --------------------------------------------------------

// Parameters: document, path, a word for ON ERROR (TRUE, FALSE, UNKNOWN, ERROR).
Result<BoundScalar> bind_exists(Arguments arguments, const Session&) {
  if (!takes_document(arguments, 3))
    return wrong_arguments("JSON_EXISTS(json, path [{TRUE | FALSE | UNKNOWN | ERROR} ON ERROR])", arguments);
  LEAT_TRY(check_path(arguments));
  const Type type = Type::boolean();
  const Type text = Type::string();
  return BoundScalar{type, {text, text, text}, [type](const CallContext& context, std::span<const Datum> a) {
                       JsonLookup lookup;
                       return map_rows<std::string_view, std::string_view, std::string_view>(
                           context, type, a,
                           [&](std::string_view document, std::string_view path,
                               std::string_view on_error) -> Result<std::optional<bool>> {
                             const Result<JsonLookup::Found> found = lookup.find(document, path);
                             if (found) return !found->empty();
                             if (on_error == "ERROR") return tl::unexpected(found.error());
                             if (on_error == "UNKNOWN") return std::nullopt;
                             return on_error == "TRUE";
                           });
                     }};
}

bool is_json(std::string_view text) {
  return parse_json(text).has_value();
}
bool is_object(std::string_view text) {
  const std::optional<JsonNode> node = parse_json(text);
  return node && node->kind == Kind::kObject;
}
bool is_array(std::string_view text) {
  const std::optional<JsonNode> node = parse_json(text);
  return node && node->kind == Kind::kArray;
}
bool is_scalar(std::string_view text) {
  const std::optional<JsonNode> node = parse_json(text);
  return node && node->is_scalar();
}

enum class Expected : std::uint8_t { kJson, kNoJson };

/// Of NULL the answer is that it is no JSON; it is never unknown.
template <bool (*f)(std::string_view)>
Binder json_test(std::string name, Expected expected) {
  return [=](Arguments arguments, const Session&) -> Result<BoundScalar> {
    if (arguments.size() != 1 || !implicitly_castable(arguments[0].type, Type::string()))
      return wrong_arguments("a " + name, arguments);
    const Type result = Type::boolean().with_nullable(false);
    return BoundScalar{result, {Type::string()}, [=](const CallContext& context, std::span<const Datum> a) {
                         Output<std::uint8_t> out(result, context.rows);
                         for (std::size_t row = 0; row < context.rows; ++row) {
                           const std::size_t at = a[0].index(row);
                           const bool is = !a[0].column->is_null(at) && f(a[0].column->strings()[at]);
                           out.data()[row] = is == (expected == Expected::kJson);
                         }
                         return out.finish({});
                       }};
  };
}

template <bool (*f)(std::string_view)>
void add_test(const std::string& form, const std::string& doc, const std::string& example,
              ScalarFunctions& out) {
  const std::string tail = form.empty() ? "" : " " + form;
  out.push_back({"IS JSON" + tail, "a IS JSON" + tail, "True if the text is " + doc + "; NULL is not.",
                 "'" + example + "' IS JSON" + tail, "TRUE",
                 json_test<f>("IS JSON" + tail, Expected::kJson)});
  out.push_back({"IS NOT JSON" + tail, "a IS NOT JSON" + tail,
                 "True if the text is not " + doc + ", or NULL.", "'" + example + "' IS NOT JSON" + tail,
                 "FALSE", json_test<f>("IS NOT JSON" + tail, Expected::kNoJson)});
}

// The one value that a path leads to; nothing: there is none, or several.
template <class F>
auto of_value(std::string_view document, std::string_view path, F f)
    -> decltype(std::optional(f(JsonNode()))) {
  JsonLookup lookup;
  const Result<JsonLookup::Found> found = lookup.find(document, path);
  if (!found || found->nodes.size() != 1) return std::nullopt;
  return f(*found->nodes[0]);
}

std::int32_t length_of(const JsonNode& node) {
  return node.is_scalar() ? 1 : static_cast<std::int32_t>(node.items.size());
}
std::optional<std::int32_t> length_at(std::string_view document, std::string_view path) {
  return of_value(document, path, length_of);
}
std::optional<std::int32_t> length_of_all(std::string_view document) {
  const std::optional<JsonNode> node = parse_json(document);
  return node ? std::optional(length_of(*node)) : std::nullopt;
}

std::string type_name_of(const JsonNode& node) {
  constexpr const char* kNames[] = {"null", "boolean", "number", "string", "array", "object"};
  return kNames[static_cast<std::size_t>(node.kind)];
}
std::optional<std::string> type_at(std::string_view document, std::string_view path) {
  return of_value(document, path, type_name_of);
}
std::optional<std::string> type_of_all(std::string_view document) {
  const std::optional<JsonNode> node = parse_json(document);
  return node ? std::optional(type_name_of(*node)) : std::nullopt;
}

}  // namespace

ScalarFunctions json_read_functions() {
  ScalarFunctions out = {
      json_value_function(),
      {"JSON_QUERY", std::string(kQuerySignature),
       "The array or object at the path as JSON; NULL: there is none.",
       "JSON_QUERY('{\"a\": [1, {\"b\": 2}]}', '$.a')", "[1,{\"b\":2}]", bind_query},
      {"JSON_EXISTS", "JSON_EXISTS(json, path [{TRUE | FALSE | UNKNOWN | ERROR} ON ERROR])",
       "True if the path leads to a value.", "JSON_EXISTS('{\"a\": [1]}', '$.a[0]')", "TRUE", bind_exists},
      function("JSON_LENGTH", "JSON_LENGTH(json [, path])",
               "Number of elements or members at the path; 1 for a single value, NULL for none.",
               "JSON_LENGTH('{\"a\": [1, 2, 3]}', '$.a')", "3", {of(length_at), of(length_of_all)}),
      function("JSON_TYPE", "JSON_TYPE(json [, path])",
               "What the value at the path is: object, array, string, number, boolean or null.",
               "JSON_TYPE('[1, 2]')", "array", {of(type_at), of(type_of_all)}),
  };
  add_test<is_json>("", "JSON", "{}", out);
  add_test<is_json>("VALUE", "JSON", "1", out);
  add_test<is_object>("OBJECT", "a JSON object", "{\"a\": 1}", out);
  add_test<is_array>("ARRAY", "a JSON array", "[1]", out);
  add_test<is_scalar>("SCALAR", "a single JSON value", "\"a\"", out);
  return out;
}

}  // namespace leat::functions
