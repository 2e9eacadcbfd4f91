// JSON_VALUE: a single value out of a document, as text or as a type.
//
// Parameters: document, path, a NULL of the type to return, then for ON EMPTY and for ON ERROR a word (NULL,
// ERROR, DEFAULT) and the default.
#include "pipelines/functions/families.h"
#include "pipelines/functions/json_lookup.h"

namespace leat::functions {
namespace {

constexpr std::string_view kValueSignature =
    "JSON_VALUE(json, path [RETURNING type] [{NULL | ERROR | DEFAULT value} ON {EMPTY | ERROR}] …)";

// Where a row's value comes from.
enum class Origin : std::uint8_t { kDocument, kNull, kOnEmpty, kOnError };

struct ValueRows {
  ColumnPtr texts;
  std::vector<Origin> origins;
  std::vector<std::string> reasons;  // Of kOnError.
};

// What one row's document has for the type; the text only where the origin is the document.
struct ReadValue {
  Origin origin = Origin::kNull;
  std::optional<std::string> text = {};
  std::string reason = {};
};

ReadValue read_value(const Result<JsonLookup::Found>& found, const Type& type) {
  if (!found) return {Origin::kOnError, {}, found.error().message};
  const JsonNode* const node = found->single();
  const bool scalar = node != nullptr && node->is_scalar();
  if (!scalar && !found->lax())
    return {Origin::kOnError, {}, "JSON_VALUE needs a single value, and the path leads to others"};
  if (!scalar || found->empty()) return {Origin::kOnEmpty};
  std::optional<std::string> text = scalar_text(*node, type);
  if (!text) return {Origin::kOnError};
  return {Origin::kDocument, std::move(text)};
}

ValueRows read_values(const CallContext& context, std::span<const Datum> a, const Type& type) {
  ValueRows out;
  ColumnBuilder texts(Type::string());
  JsonLookup lookup;
  for (std::size_t row = 0; row < context.rows; ++row) {
    ReadValue value;
    if (!has_null(a, row)) value = read_value(lookup.find(text_at(a[0], row), text_at(a[1], row)), type);
    out.origins.push_back(value.origin);
    out.reasons.push_back(std::move(value.reason));
    if (value.text)
      texts.append_string(*value.text);
    else
      texts.append_null();
  }
  out.texts = texts.finish();
  return out;
}

// What ON EMPTY or ON ERROR says of a row.
void append_behaviour(std::size_t row, const CallContext& context, const Datum& word, const Datum& fallback,
                      const std::string& reason, ColumnBuilder& out) {
  const std::string_view behaviour = text_at(word, 0);
  if (behaviour == "DEFAULT" && !fallback.column->is_null(fallback.index(row))) {
    out.append_cell(*fallback.column, fallback.index(row));
    return;
  }
  if (behaviour == "ERROR") context.errors->add(row, reason);
  out.append_null();
}

ColumnPtr finish_values(const CallContext& context, std::span<const Datum> a, const Type& type,
                        const ValueRows& rows, const Column& values) {
  ColumnBuilder out(type);
  for (std::size_t row = 0; row < context.rows; ++row) {
    Origin origin = rows.origins[row];
    if (origin == Origin::kDocument && values.is_null(row)) origin = Origin::kOnError;
    switch (origin) {
      case Origin::kDocument:
        out.append_cell(values, row);
        break;
      case Origin::kNull:
        out.append_null();
        break;
      case Origin::kOnEmpty:
        append_behaviour(row, context, a[3], a[4], "JSON_VALUE found nothing", out);
        break;
      case Origin::kOnError:
        append_behaviour(row, context, a[5], a[6],
                         rows.reasons[row].empty() ? "JSON_VALUE found a value that is no " + type.to_string()
                                                   : rows.reasons[row],
                         out);
        break;
    }
  }
  return out.finish();
}

Result<BoundScalar> bind_value(Arguments arguments, const Session& session) {
  if (!takes_document(arguments, 7)) return wrong_arguments(kValueSignature, arguments);
  LEAT_TRY(check_path(arguments));
  const Type type = arguments[2].type.with_nullable(true);
  if (!is_json_scalar(type))
    return fail(ErrorCode::kInvalid, "JSON_VALUE returns STRING, BOOLEAN and numbers, not " +
                                         type.to_string() + "; return STRING and CAST it");
  LEAT_ASSIGN(const Kernel cast, bind_cast(Type::string(), type, CastKind::kTryCast, session));
  const Type text = Type::string();
  return BoundScalar{type,
                     {text, text, type, text, type, text, type},
                     [type, cast](const CallContext& context, std::span<const Datum> a) {
                       const ValueRows rows = read_values(context, a, type);
                       const Datum datum{rows.texts};
                       return finish_values(context, a, type, rows, *cast(context, {&datum, 1}));
                     }};
}

}  // namespace

ScalarFunction json_value_function() {
  return {"JSON_VALUE",
          std::string(kValueSignature),
          "The number, text or truth value at the path, by default as STRING; NULL: there is none.",
          "JSON_VALUE('{\"a\": {\"b\": 12}}', '$.a.b' RETURNING INT DEFAULT 0 ON EMPTY)",
          "12",
          bind_value};
}

}  // namespace leat::functions
