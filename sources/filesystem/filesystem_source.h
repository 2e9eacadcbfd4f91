// 'connector' = 'filesystem': the lines of a file, or of all files below a folder in the order of their
// names. Without 'source.monitor-interval' it is bounded and ends; with it, new files and new lines are
// followed for ever.
#pragma once

#include "sources/filesystem/file_listing.h"
#include "sources/source.h"

namespace leat::sources {

SourceConnector filesystem_connector();

/// What concerns files of this machine in which rows are looked up. Of a table with valid options.
struct FileLookupOptions {
  FileSelection selection;
  std::optional<Micros> monitor_interval;
  std::uint64_t max_rows = 0;
};
FileLookupOptions file_lookup_options(const OptionMap& map);

}  // namespace leat::sources
