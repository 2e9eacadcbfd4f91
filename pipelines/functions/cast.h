// Inside of bind_cast: casters by family, each a file. A caster turns a whole column (never a constant; see
// cast.cc) of `from` into one of `to`, and reports rows that do not fit to `context.errors`.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "pipelines/column/zone.h"
#include "pipelines/functions/scalar.h"

namespace leat::functions {

using Caster = std::function<ColumnPtr(const CallContext&, const ColumnPtr&)>;
/// Nothing: there is no such cast.
using MaybeCaster = std::optional<Caster>;

/// Any scalar or nested type but for the type of NULL. `zone` is the session's.
MaybeCaster find_caster(const Type& from, const Type& to, const Zone& zone);

/// Numbers and BOOLEAN among each other.
MaybeCaster number_caster(const Type& from, const Type& to);
/// From CHAR, VARCHAR to anything that is not text.
MaybeCaster parsing_caster(const Type& to, const Zone& zone);
/// From anything, nested included, to CHAR and VARCHAR; BINARY and VARBINARY among each other.
MaybeCaster printing_caster(const Type& from, const Type& to, const Zone& zone);
/// DATE, TIME, TIMESTAMP, TIMESTAMP_LTZ and intervals among each other.
MaybeCaster time_caster(const Type& from, const Type& to, const Zone& zone);
/// ARRAY, MAP, MULTISET, ROW, element by element.
MaybeCaster nested_caster(const Type& from, const Type& to, const Zone& zone);

/// "cannot cast 'abc' to INT"; long text is cut.
std::string cannot_cast(std::string_view text, const Type& to);

/// Cuts a time of day or a timestamp to the type's fraction digits, towards the past where there is a time
/// before it.
std::int64_t cut_to_precision(std::int64_t micros, std::int32_t precision);

}  // namespace leat::functions
