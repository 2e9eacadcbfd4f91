// The entry of the format influx in the list of formats.
#pragma once

#include "pipelines/formats/format.h"

namespace leat::formats {

Format influx_format();

}  // namespace leat::formats
