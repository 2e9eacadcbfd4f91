// 'connector' = 'modbus': polls devices over TCP or a serial line, and makes a row of each unit's registers.
// The source's thread asks; what has been read is a JSON object in the journal, which the decoder reads back.
#pragma once

#include "sources/source.h"

namespace leat::sources {

SourceConnector modbus_source_connector();

}  // namespace leat::sources
