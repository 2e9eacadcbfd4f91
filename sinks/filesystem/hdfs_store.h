// Growing files in an HDFS cluster, over WebHDFS.
//
// The cluster lets one writer at a time append to a file. A request that was under way when its sender died
// may still be carried out: so the length is looked at behind each append, and what is too long is cut by the
// next attempt, as it is on a disk. Cutting takes the cluster a moment, in which the file refuses to be
// appended to; the delivery is tried again then. Bytes are as safe as the cluster's close makes them: in the
// memory of every replica, and on their disks where dfs.datanode.synconclose is set.
#pragma once

#include <memory>

#include "sinks/filesystem/file_store.h"
#include "sources/clients/webhdfs.h"

namespace leat::sinks {

/// Folders are paths of the cluster ("/plant"); the empty one is its root. Touches nothing.
std::unique_ptr<FileStore> hdfs_store(clients::WebHdfsOptions options);

}  // namespace leat::sinks
