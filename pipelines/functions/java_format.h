// Patterns of Java's DateTimeFormatter: "yyyy-MM-dd HH:mm:ss.SSS". Letters: y u M L d D H k K h m s S a E G,
// for printing alone Q q Y w W e c F A n N (weeks are those of the English locale, see calendar_text.h), for
// reading alone X x Z z V O (a zone, which is not heeded; zone_text.h); each with its count; text in single
// quotes; optional parts in brackets. Other letters are refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::functions {

class JavaFormat {
 public:
  enum class Use : std::uint8_t { kPrint, kParse };
  /// Errors: invalid, names the pattern and the letter.
  static Result<JavaFormat> compile(std::string_view pattern, Use use);

  /// Appends a wall clock.
  void print(std::int64_t micros, std::string& out) const;
  /// The whole text must fit. What the pattern does not name is taken from 1970-01-01 00:00:00.
  [[nodiscard]] std::optional<std::int64_t> parse(std::string_view text) const;

 private:
  struct Item {
    char letter = 0;  ///< 0: `literal`.
    int count = 0;
    std::string literal;
    bool adjacent = false;  ///< A number follows directly: exactly `count` digits.
    bool optional = false;
  };
  struct Fields;
  static void print_item(const Item& item, std::int64_t micros, std::string& out);
  static bool print_date(const Item& item, std::int64_t micros, std::string& out);
  static bool print_week(const Item& item, std::int64_t micros, std::string& out);
  static bool print_time(const Item& item, std::int64_t micros, std::string& out);
  static bool read(const Item& item, std::string_view& text, Fields& fields);

  void mark_adjacent();

  std::vector<Item> items_;
};

}  // namespace leat::functions
