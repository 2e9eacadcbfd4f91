// The entry of the format protobuf in the list of formats.
#pragma once

#include "pipelines/formats/format.h"

namespace leat::formats {

Format protobuf_format();

/// Where the library's own words go (that a text without a syntax line is read as proto2, say); by default to
/// standard error. Once, before any schema is read.
void route_protobuf_notes(void (*to)(const std::string& note));

}  // namespace leat::formats
