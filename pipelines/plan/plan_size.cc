#include "pipelines/plan/plan_size.h"

#include <string>

namespace leat::plan {
namespace {

/// Columns and parts of types, counted no further than to `most`.
void count_parts(const Type::Fields& fields, std::size_t most, std::size_t& parts) {
  for (const Type::Field& field : fields) {
    if (++parts > most) return;
    count_parts(field.type.fields(), most, parts);
  }
}

}  // namespace

bool PlanSize::add(std::size_t parts, sql::SourceSpan span, sql::Diagnostics& diagnostics) {
  const bool told = parts_ > kMostParts;
  parts_ += parts;
  if (parts_ <= kMostParts) return true;
  if (!told)
    diagnostics.error(span,
                      "the queries of this text have more than " + std::to_string(kMostParts) +
                          " columns and fields of ROWs in all",
                      "select the columns that are needed, not *, in views that others read");
  return false;
}

bool PlanSize::take(std::size_t columns, sql::SourceSpan span, sql::Diagnostics& diagnostics) {
  if (columns <= kMostColumns) return add(columns, span, diagnostics);
  diagnostics.error(span,
                    "this has " + std::to_string(columns) + " columns, and more than " +
                        std::to_string(kMostColumns) + " are too many for one query",
                    "select the columns that are needed, not *");
  return false;
}

bool PlanSize::take(const Schema& schema, sql::SourceSpan span, sql::Diagnostics& diagnostics) {
  if (schema.size() > kMostColumns) return take(schema.size(), span, diagnostics);
  std::size_t parts = 0;
  count_parts(schema.fields, kMostParts + 1, parts);
  return add(parts, span, diagnostics);
}

}  // namespace leat::plan
