// The entry of the format cbor in the list of formats.
#pragma once

#include "pipelines/formats/format.h"

namespace leat::formats {

Format cbor_format();

}  // namespace leat::formats
