#include <algorithm>

#include "pipelines/functions/cast.h"
#include "pipelines/functions/kernel.h"

namespace leat::functions {
namespace {

struct CastChildren {
  std::vector<ColumnPtr> columns;
  RowErrors errors;  // Rows are those of the children.
};

CastChildren cast_children(const CallContext& context, const Column& column,
                           const std::vector<Caster>& casters) {
  CastChildren children;
  for (std::size_t i = 0; i < casters.size(); ++i) {
    CallContext inner = context;
    inner.rows = column.child(i)->size();
    inner.errors = &children.errors;
    children.columns.push_back(casters[i](inner, column.child(i)));
  }
  return children;
}

std::vector<std::uint8_t> validity_of(const Column& column) {
  return {column.validity().begin(), column.validity().end()};
}

// A row with an element that does not fit is NULL as a whole, and an error once.
void report(const CallContext& context, std::size_t row, const std::string& message,
            std::vector<std::uint8_t>& validity) {
  if (validity.empty()) validity.assign(context.rows, 1);
  if (validity[row] == 0) return;
  validity[row] = 0;
  context.errors->add(row, message);
}

Caster list_caster(const Type& to, std::vector<Caster> casters) {
  return [to, casters = std::move(casters)](const CallContext& context, const ColumnPtr& column) {
    CastChildren children = cast_children(context, *column, casters);
    const std::span<const std::uint32_t> offsets = column->offsets();
    std::vector<std::uint8_t> validity = validity_of(*column);
    for (const RowErrors::Entry& entry : children.errors.entries()) {
      // The row whose elements begin at or before the element and end behind it.
      const auto next = std::upper_bound(offsets.begin(), offsets.end(), entry.row);
      if (next == offsets.begin() || next == offsets.end()) continue;
      report(context, static_cast<std::size_t>(next - offsets.begin() - 1), entry.message, validity);
    }
    return std::make_shared<const Column>(Column::Parts{.type = to,
                                                        .size = column->size(),
                                                        .validity = std::move(validity),
                                                        .offsets = {offsets.begin(), offsets.end()},
                                                        .children = std::move(children.columns)});
  };
}

Caster row_caster(const Type& to, std::vector<Caster> casters) {
  return [to, casters = std::move(casters)](const CallContext& context, const ColumnPtr& column) {
    CastChildren children = cast_children(context, *column, casters);
    std::vector<std::uint8_t> validity = validity_of(*column);
    for (const RowErrors::Entry& entry : children.errors.entries())
      report(context, entry.row, entry.message, validity);
    return std::make_shared<const Column>(Column::Parts{.type = to,
                                                        .size = column->size(),
                                                        .validity = std::move(validity),
                                                        .children = std::move(children.columns)});
  };
}

Caster null_caster(const Type& to) {
  return [to](const CallContext& context, const ColumnPtr&) { return Column::nulls(to, context.rows); };
}

}  // namespace

MaybeCaster nested_caster(const Type& from, const Type& to, const Zone& zone) {
  if (from.kind() != to.kind() || from.fields().size() != to.fields().size()) return std::nullopt;
  std::vector<Caster> casters;
  for (std::size_t i = 0; i < from.fields().size(); ++i) {
    const Type& inner = from.fields()[i].type;
    MaybeCaster caster = inner.kind() == TypeKind::kNull ? null_caster(to.fields()[i].type)
                                                         : find_caster(inner, to.fields()[i].type, zone);
    if (!caster) return std::nullopt;
    casters.push_back(*std::move(caster));
  }
  return to.kind() == TypeKind::kRow ? row_caster(to, std::move(casters))
                                     : list_caster(to, std::move(casters));
}

}  // namespace leat::functions
