// 'topic' = 'site/{site}/{machine}/state' of the MQTT sink: a topic with columns in it.
//
// Grammar:
//   template := (literal | '{' column '}')+
//   literal  := any characters but '{', '}', '+', '#' and NUL
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::sinks {

class TopicTemplate {
 public:
  /// Errors: invalid (empty, braces that do not pair or hold no name, wildcards).
  static Result<TopicTemplate> parse(std::string_view text);

  /// The columns, each once, in the order in which they first stand.
  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  /// The topic of a record. `key` is a JSON object with a member for each column, as the key encoder writes
  /// it. Errors: invalid (a value is NULL, nested, or cannot be part of a topic; the topic is too long).
  [[nodiscard]] Result<std::string> render(std::string_view key) const;

 private:
  struct Part {
    std::string literal;
    std::size_t column = 0;  ///< Of `columns_`; behind the literal.
  };

  std::vector<Part> parts_;
  std::string tail_;  ///< Behind the last column.
  std::vector<std::string> columns_;
};

}  // namespace leat::sinks
