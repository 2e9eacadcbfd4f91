// The files of an HDFS cluster, read over WebHDFS a few megabytes at a time. One buffer serves all files:
// they are read one after the other.
#pragma once

#include <memory>

#include "sources/clients/webhdfs.h"
#include "sources/filesystem/file_tree.h"

namespace leat::sources {

/// Touches nothing.
std::unique_ptr<FileTree> hdfs_files(clients::WebHdfsOptions options);

}  // namespace leat::sources
