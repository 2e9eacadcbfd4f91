// 'connector' = 'filesystem': the lines of a file, or of all files below a folder in the order of their
// names. Without 'source.monitor-interval' it is bounded and ends; with it, new files and new lines are
// followed for ever.
#pragma once

#include "sources/source.h"

namespace leat::sources {

SourceConnector filesystem_connector();

}  // namespace leat::sources
