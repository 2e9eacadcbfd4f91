// One JSON value into one column builder, by the column's type, with the coercions of Flink's JSON format.
// Knows objects and values; records, framing and counts are JsonDecoder's (json_decoder.h). Runs on its
// pipeline's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pipelines/column/column_builder.h"
#include "pipelines/formats/json_cursor.h"
#include "pipelines/formats/json_options.h"
#include "pipelines/formats/key_order.h"

namespace leat::formats {

struct JsonObject;

/// How one column, field, element or entry is decoded.
struct JsonNode {
  explicit JsonNode(const Type& node_type);

  Type type;
  TypeKind kind;
  bool nullable;
  /// Fraction digits that a timestamp keeps (at most 6).
  std::int32_t fraction_digits = 0;
  std::unique_ptr<JsonObject> object;  ///< ROW's fields.
  std::vector<JsonNode> children;      ///< ARRAY: the element. MAP, MULTISET: the key and the value.
};

/// The fields that are wanted of one kind of object, and the order in which its members came last time.
struct JsonObject {
  struct Field {
    std::string name;
    JsonNode node;
  };

  explicit JsonObject(std::vector<Field> wanted);

  std::vector<Field> fields;

  /// The field of the member that is the `position`-th of its object; kUnwantedField for none. `key` is the
  /// text between the quotes, escapes and all. Nothing when that text is no JSON string. `position` moves
  /// over members that were left out this time.
  bool find(std::size_t& position, std::string_view key, std::uint32_t& field);

 private:
  bool look_up(std::string_view key, std::uint32_t& field) const;

  KeyOrder last_order_;
  std::unordered_map<std::string_view, std::uint32_t> by_name_;  // Views of the fields' names.
};

class JsonValueDecoder {
 public:
  explicit JsonValueDecoder(const JsonOptions& options) : options_(options) {}

  /// Reads the object that `in` stands at and appends one row to `columns`, which hold `row` rows now. After
  /// an outcome other than kOk the columns may have more rows; `in` stands anywhere.
  Outcome read_row(JsonCursor& in, JsonObject& object, std::span<ColumnBuilder* const> columns,
                   std::size_t row);

  /// Why the last outcome was not kOk: "field 'a.b': expected INT, found \"abc\"".
  [[nodiscard]] std::string reason(const JsonCursor& in) const;

 private:
  struct Failure {
    const JsonNode* node = nullptr;           // What was expected; null: an object.
    bool missing = false;                     // The field was not there at all.
    JsonCursor::Mark at = nullptr;            // Where the offending value begins.
    std::vector<std::string_view> path = {};  // From the inside to the outside.
  };

  template <class Columns>
  Outcome read_object(JsonCursor& in, JsonObject& object, Columns columns, std::size_t row);
  template <class Columns>
  Outcome read_member(JsonCursor& in, JsonObject& object, Columns columns, std::size_t row,
                      std::uint32_t field);
  template <class Columns>
  Outcome fill_missing(const JsonCursor& in, JsonObject& object, Columns columns, std::size_t row);
  Outcome read_value(JsonCursor& in, JsonNode& node, ColumnBuilder& out);
  Outcome read_strictly(JsonCursor& in, JsonNode& node, ColumnBuilder& out);
  Outcome read_null(JsonCursor& in, const JsonNode& node, ColumnBuilder& out);
  Outcome read_nested(JsonCursor& in, JsonNode& node, ColumnBuilder& out);
  Outcome read_array(JsonCursor& in, JsonNode& node, ColumnBuilder& out);
  Outcome read_map(JsonCursor& in, JsonNode& node, ColumnBuilder& out);
  Outcome read_entry(JsonCursor& in, JsonNode& node, ColumnBuilder& out);
  Outcome read_map_with_repeated_keys(JsonCursor& in, JsonNode& node, ColumnBuilder& out);
  Outcome read_string(JsonCursor& in, const JsonNode& node, ColumnBuilder& out);
  Outcome read_boolean(JsonCursor& in, const JsonNode& node, ColumnBuilder& out);
  Outcome read_integer(JsonCursor& in, const JsonNode& node, ColumnBuilder& out);
  Outcome read_double(JsonCursor& in, const JsonNode& node, ColumnBuilder& out);
  Outcome read_float(JsonCursor& in, const JsonNode& node, ColumnBuilder& out);
  Outcome read_decimal(JsonCursor& in, const JsonNode& node, ColumnBuilder& out);
  Outcome read_bytes(JsonCursor& in, const JsonNode& node, ColumnBuilder& out);
  Outcome read_temporal(JsonCursor& in, const JsonNode& node, ColumnBuilder& out);

  bool number(const JsonCursor& in, NumberParts& parts, std::string_view& text) const;
  bool string(const JsonCursor& in, std::string_view& text);
  bool scalar_text(const JsonCursor& in, std::string_view& text);
  Outcome mismatch(const JsonCursor& in, const JsonNode* node);

  JsonOptions options_;
  std::string scratch_;                       // An unescaped or compacted text.
  std::vector<std::string_view> entry_keys_;  // Keys of the maps that are being read, inner ones behind.
  Failure failure_;
};

}  // namespace leat::formats
