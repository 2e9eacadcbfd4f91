// One file of the configuration: TOML's text as dotted keys with text values. For this folder only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"

namespace leat::config {

struct TomlEntry {
  std::string value;  ///< As `option_text` reads it: texts of an array are separated by ';'.
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

struct TomlLayer {
  std::map<std::string, TomlEntry> entries;
  std::vector<OptionError> errors;  ///< Values of a type that their key does not take.
};

/// The leaves of the document; `name` is for messages. Errors: invalid (it is no TOML; with the place).
Result<TomlLayer> read_toml(std::string_view text, const std::string& name,
                            const std::vector<OptionDoc>& keys);

}  // namespace leat::config
