// A JSON document as the SQL/JSON functions see it: numbers keep their digits, objects their order, and
// nothing of it is bound to the text any more.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::functions {

struct JsonNode {
  enum class Kind : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  std::string text;  ///< kBoolean: true or false; kNumber: as Java's BigDecimal prints it; kString.
  std::vector<JsonNode> items;     ///< kArray; kObject: the values.
  std::vector<std::string> names;  ///< kObject: of the values; each name once.

  [[nodiscard]] bool is_scalar() const { return kind != Kind::kArray && kind != Kind::kObject; }
  /// The value of a member; nullptr: there is none.
  [[nodiscard]] const JsonNode* member(std::string_view name) const;
};

/// The whole text as one document; nothing if it is not JSON. Of equal names the last one's value counts.
std::optional<JsonNode> parse_json(std::string_view text);

/// Without white space, members in the order of their names: equal documents are equal texts.
void append_json(const JsonNode& node, std::string& out);
/// The text in quotes, with \" \\ \b \f \n \r \t and \u00XX for the other control characters.
void append_json_string(std::string_view text, std::string& out);
/// A number of JSON (or of Java) as BigDecimal prints it: 1.50, 1E+10; nothing if it is not a number.
std::optional<std::string> json_number(std::string_view text);
/// Such a number without an exponent, unless it would be longer than any type is.
std::string plain_number(std::string_view number);

}  // namespace leat::functions
