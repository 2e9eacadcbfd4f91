// Paths into JSON documents, the language of JSON_VALUE, JSON_QUERY and JSON_EXISTS.
//
//   path    := [ "lax" | "strict" ] ["$"] step… [function]        (strict where nothing is said)
//   step    := "." name | "." bracket | bracket | ".." name | ".." "*" | ".." bracket | ".*"
//   function := "." ( length | size | keys | first | last | sum | min | max | avg | stddev ) "()"
//   bracket := "[" quoted { "," quoted } "]" | "[" index { "," index } "]" | "[" [from] ":" [to] "]" | "[*]"
//            | "[?(" or ")]"
//   or      := and { "||" and }        and := test { "&&" test }
//   test    := [ "!" ] "(" or ")" | operand [ comparison operand ]        comparison := == != < <= > >=
//   operand := "@" step… | "$" step… | number | quoted | true | false | null
// Indexes count from 0, negative ones from the end. A path without "$" begins with ".". A path is definite if
// it can name one value at most. Several names at the end are one object of those members, before other steps
// each of them; a function stands behind a definite path.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"
#include "pipelines/functions/json_tree.h"

namespace leat::functions {

class JsonPath {
 public:
  enum class Mode : std::uint8_t {
    kLax,     ///< What is missing is empty.
    kStrict,  ///< What is missing is an error.
  };
  struct Step;

  /// Errors: invalid, names the path.
  static Result<JsonPath> parse(std::string_view text);

  [[nodiscard]] Mode mode() const { return mode_; }
  [[nodiscard]] bool definite() const { return definite_; }
  /// Values in the order of the document; they live in `root`, and what functions compute in `made`. Exactly
  /// one if the path is definite. Errors: invalid: a value that the path must pass is missing, or a function
  /// has nothing to compute from.
  [[nodiscard]] Result<std::vector<const JsonNode*>> find(const JsonNode& root,
                                                          std::deque<JsonNode>& made) const;

 private:
  std::shared_ptr<const std::vector<Step>> steps_;
  Mode mode_ = Mode::kStrict;
  bool definite_ = true;
  std::string text_;
};

}  // namespace leat::functions
