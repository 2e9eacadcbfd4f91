// The entry of the JSON format in the list of formats.
#pragma once

#include "pipelines/formats/format.h"

namespace leat::formats {

Format json_format();

}  // namespace leat::formats
