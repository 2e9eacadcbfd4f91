// 'connector' = 'datagen': rows made up from their numbers. The source's thread keeps the rate and hands over
// ranges of row numbers; the decoder makes the rows of a range, only the columns that are wanted.
#pragma once

#include "sources/source.h"

namespace leat::sources {

SourceConnector datagen_connector();

}  // namespace leat::sources
