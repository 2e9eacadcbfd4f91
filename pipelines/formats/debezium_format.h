// The entry of the format debezium-json in the list of formats.
#pragma once

#include "pipelines/formats/format.h"

namespace leat::formats {

Format debezium_format();

}  // namespace leat::formats
