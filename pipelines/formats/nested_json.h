// Columns of nested types as JSON text, as the 'json' format writes them, and back: for those who keep such
// values where there is nothing but scalars.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/base/result.h"
#include "pipelines/column/column.h"

namespace leat::formats {

/// STRING for a nested type, else the type itself.
Type json_text_type(const Type& type);
/// The column itself if its type is not nested. `bad` gets rows that JSON cannot hold, with the reason; they
/// are NULL.
ColumnPtr nested_to_json(const ColumnPtr& column, std::vector<std::pair<std::uint32_t, std::string>>& bad);
/// `texts` itself if `type` is not nested. Errors: corrupt: a text is no value of the type.
Result<ColumnPtr> nested_from_json(const ColumnPtr& texts, const Type& type);

}  // namespace leat::formats
