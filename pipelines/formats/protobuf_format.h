// The entry of the format protobuf in the list of formats.
#pragma once

#include "pipelines/formats/format.h"

namespace leat::formats {

Format protobuf_format();

}  // namespace leat::formats
