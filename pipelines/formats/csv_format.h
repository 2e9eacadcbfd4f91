// The entry of the CSV format in the list of formats.
#pragma once

#include "pipelines/formats/format.h"

namespace leat::formats {

Format csv_format();

}  // namespace leat::formats
