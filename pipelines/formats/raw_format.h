// The entry of the format raw in the list of formats: a record is one value, without any syntax around it.
#pragma once

#include "pipelines/formats/format.h"

namespace leat::formats {

Format raw_format();

}  // namespace leat::formats
