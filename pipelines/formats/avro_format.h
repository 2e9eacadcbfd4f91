// The entries of the formats avro and avro-confluent in the list of formats.
#pragma once

#include "pipelines/formats/format.h"

namespace leat::formats {

Format avro_format();
Format avro_confluent_format();

}  // namespace leat::formats
