// 'format' = 'sparkplug': the entry in the list of formats.
#pragma once

#include "pipelines/formats/format.h"

namespace leat::formats {

Format sparkplug_format();

}  // namespace leat::formats
