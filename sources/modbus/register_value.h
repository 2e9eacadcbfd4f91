// Registers into the text of a value: JSON, in which numbers are exact, so that a DECIMAL or a BIGINT gets
// every digit and a DOUBLE the number that is nearest. And which columns take the values of a mapping. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "pipelines/base/result.h"
#include "pipelines/column/type.h"
#include "sources/modbus/register_mapping.h"

namespace leat::sources {

/// Appends the value of `mapping`, whose registers (of a bit table: bits, each 0 or 1) are `words`. `null` if
/// it is the number that stands for no value, a float that is no number or is infinite, a string that is no
/// UTF-8. A string ends before its first zero byte; blanks at its end are cut.
void append_register_value(const RegisterMapping& mapping, ByteOrder order,
                           std::span<const std::uint16_t> words, std::string& out);

/// Whether a column of this type takes whatever value the mapping may give. Errors: invalid, with a type that
/// would do.
Status check_register_column(const RegisterMapping& mapping, const Type& column);

}  // namespace leat::sources
