// Reads an option map as the planner does and hands out what is wrong with it.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/sink.h"

namespace leat::sinks {

/// The errors of a sink's options; 'connector' and 'format' belong to the planner.
inline std::vector<OptionError> errors_of(std::string_view connector, const OptionMap& map) {
  std::vector<OptionError> errors;
  find_sink(connector)->info.validate_sink(map, {OptionDoc{"connector"}, OptionDoc{"format"}}, errors);
  return errors;
}

inline bool names(const std::vector<OptionError>& errors, std::string_view key, std::string_view text) {
  return std::any_of(errors.begin(), errors.end(), [&](const OptionError& error) {
    return error.key == key && error.message.find(text) != std::string::npos;
  });
}

}  // namespace leat::sinks
