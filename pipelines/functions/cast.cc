#include "pipelines/functions/cast.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "pipelines/functions/kernel.h"

namespace leat::functions {
namespace {

constexpr std::size_t kShownText = 64;

// One value for all rows.
ColumnPtr repeat(const ColumnPtr& one, std::size_t rows) {
  return gather(one, std::vector<std::uint32_t>(rows, 0));
}

// Runs a caster on a column or, once, on a constant; a constant that does not fit is an error of every row.
ColumnPtr run(const Caster& caster, const CallContext& context, const Datum& argument, RowErrors& errors) {
  CallContext inner = context;
  inner.errors = &errors;
  if (!argument.constant) return caster(inner, argument.column);
  inner.rows = 1;
  RowErrors once;
  inner.errors = &once;
  const ColumnPtr one = caster(inner, argument.column);
  for (const RowErrors::Entry& entry : once.entries())
    for (std::size_t row = 0; row < context.rows; ++row) errors.add(row, entry.message);
  return repeat(one, context.rows);
}

bool changes_values(const Type& from, const Type& to) {
  if (from.layout() != to.layout() || from.kind() != to.kind()) return true;
  switch (to.kind()) {
    case TypeKind::kDecimal:
      return from.scale() != to.scale() || from.precision() > to.precision();
    case TypeKind::kChar:
    case TypeKind::kBinary:
      return from.precision() != to.precision();
    case TypeKind::kVarChar:
    case TypeKind::kVarBinary:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return from.precision() > to.precision();
    default:
      return to.is_nested();
  }
}

}  // namespace

std::string cannot_cast(std::string_view text, const Type& to) {
  const bool cut = text.size() > kShownText;
  return fmt::format("cannot cast '{}{}' to {}", text.substr(0, kShownText), cut ? "…" : "",
                     to.with_nullable(true).to_string());
}

MaybeCaster find_caster(const Type& from, const Type& to, const Zone& zone) {
  if (!changes_values(from, to))
    return [to](const CallContext&, const ColumnPtr& column) { return retype(column, to); };
  if (to.is_character() || (to.is_binary() && from.is_binary())) return printing_caster(from, to, zone);
  if (from.is_character()) return parsing_caster(to, zone);
  if (to.is_nested()) return nested_caster(from, to, zone);
  const auto is_number = [](const Type& type) {
    return type.is_numeric() || type.kind() == TypeKind::kBoolean;
  };
  if (is_number(from) && is_number(to)) return number_caster(from, to);
  return time_caster(from, to, zone);
}

Result<Kernel> bind_cast(const Type& from, const Type& to, CastKind kind, const Session& session) {
  if (from.kind() == TypeKind::kNull)
    return Kernel([to](const CallContext& context, std::span<const Datum>) {
      return Column::nulls(to.with_nullable(true), context.rows);
    });
  LEAT_ASSIGN(Zone zone, Zone::find(session.time_zone));
  MaybeCaster caster = find_caster(from, to, zone);
  if (!caster) {
    std::string message = fmt::format("cannot cast {} to {}", from.to_string(), to.to_string());
    if (from.is_numeric() && to.is_timestamp()) message += "; use TO_TIMESTAMP_LTZ";
    return fail(ErrorCode::kInvalid, std::move(message));
  }
  return Kernel(
      [caster = *std::move(caster), kind](const CallContext& context, std::span<const Datum> arguments) {
        RowErrors ignored;
        return run(caster, context, arguments[0], kind == CastKind::kTryCast ? ignored : *context.errors);
      });
}

}  // namespace leat::functions
