// One number, text or run of bytes of an Avro message into one builder, with Flink's coercions.
#pragma once

#include <cstdint>
#include <string_view>

#include "pipelines/column/column_builder.h"
#include "pipelines/formats/avro_schema.h"

namespace leat::formats {

/// An int or a long as a number, a date or a time. False: it is out of the range of the builder's type.
bool append_avro_integer(const AvroNode& node, std::int64_t value, ColumnBuilder& out);
/// For FLOAT and DOUBLE.
void append_avro_floating(float value, ColumnBuilder& out);
void append_avro_floating(double value, ColumnBuilder& out);
/// A number in big-endian two's complement; one with too many digits is NULL, as in json. False: it is, and
/// the type is NOT NULL.
bool append_avro_decimal(std::string_view bytes, ColumnBuilder& out);

}  // namespace leat::formats
