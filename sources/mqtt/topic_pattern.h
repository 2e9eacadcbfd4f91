// 'topic.pattern' = 'site/{site}/+/{machine}': gives levels of a topic names, so that they become columns.
//
// Grammar:
//   pattern := level ('/' level)* ('/' '#')?
//   level   := '{' name '}' | '+' | literal
// '{name}' and '+' match one level, '#' the rest (none, too); a literal matches itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::sources {

class TopicPattern {
 public:
  /// Errors: invalid (a name twice, braces inside a level, '#' not at the end).
  static Result<TopicPattern> parse(std::string_view text);

  /// The names, in the order in which they stand.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  /// Fills `parts` with the levels that have names (views into `topic`). False: the topic is of another form.
  bool match(std::string_view topic, std::vector<std::string_view>& parts) const;

 private:
  enum class Kind : std::uint8_t { kLiteral, kAny, kNamed, kRest };
  struct Level {
    Kind kind = Kind::kLiteral;
    std::string literal;
  };
  Status add_level(std::string_view level);
  Status add_name(std::string_view name);

  std::vector<Level> levels_;
  std::vector<std::string> names_;
};

}  // namespace leat::sources
