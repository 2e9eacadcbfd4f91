// The types of a schema's columns, as those who keep rows want them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "pipelines/column/type.h"

namespace leat {

inline std::vector<Type> types_of(const Schema& schema) {
  std::vector<Type> types;
  for (const Type::Field& field : schema.fields) types.push_back(field.type);
  return types;
}

/// Of these columns, in their order.
inline std::vector<Type> types_at(const Schema& schema, std::span<const std::size_t> columns) {
  std::vector<Type> types;
  for (const std::size_t column : columns) types.push_back(schema.fields[column].type);
  return types;
}

}  // namespace leat
