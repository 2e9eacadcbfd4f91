// SQL values as JSON: what JSON_OBJECT, JSON_ARRAY, JSON_STRING and the JSON aggregates write.
#pragma once

#include <string>

#include "pipelines/column/column.h"

namespace leat::functions {

/// Appends the cell; NULL as null. Numbers are numbers, binary is base64, times are ISO 8601 (points in time
/// in UTC with a Z), MAP and ROW are objects with their members in the order of the names.
void append_json(const Column& column, std::size_t row, std::string& out);

/// Whether a text argument is a value or JSON already (it came out of another JSON function).
enum class JsonText : std::uint8_t { kValue, kJson };

}  // namespace leat::functions
