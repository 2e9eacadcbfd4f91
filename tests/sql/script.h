// SQL test scripts: text to cases. The form is described in README.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::sql_test {

enum class Order : std::uint8_t { kOrdered, kUnordered };

struct Case {
  std::string title;
  std::size_t line = 0;  ///< Of its `--- pipeline`.
  std::map<std::string, std::string> files;
  std::string pipeline;
  bool event_clock = false;  ///< The gateway's clock is the rows' own time, as in `leat test`.
  Order order = Order::kOrdered;
  std::vector<std::string> rows;
  std::vector<std::string> errors;  ///< Not empty: the pipeline must be refused with these texts.
  std::optional<std::vector<std::string>> dead;
};

/// Errors: invalid (names the line).
Result<std::vector<Case>> parse_script(const std::string& text);

}  // namespace leat::sql_test
