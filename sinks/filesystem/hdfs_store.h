// Growing files in an HDFS cluster, over WebHDFS.
//
// A cluster may carry out a request long after its sender has given it up: one that waited at a data node
// that stood still, say. Nothing of what is sent may therefore do harm when it is carried out late:
//  - A file is created under a hidden name of its own at each attempt, never in place of one. What a late
//    creation leaves is nobody's, and is removed when the file of its number is published.
//  - A file is appended to only when it is as long as it is known to be, and is looked at again behind that.
//    One that has become longer is not cut and gone on with, as a late cut would take what was settled
//    meanwhile: it is published as it is known, and another one is begun.
//  - Publishing first gives the file a second hidden name, at which no request finds it that was sent for the
//    first. Then it is cut to its last length: the cluster refuses that while anybody still writes to it, and
//    a second cut to the same length changes nothing. Only then it gets its own name.
//
// Bytes are as safe as the cluster's close makes them: in the memory of every replica, and on their disks
// where dfs.datanode.synconclose is set.
#pragma once

#include <memory>

#include "sinks/filesystem/file_store.h"
#include "sources/clients/webhdfs.h"

namespace leat::sinks {

/// Folders are paths of the cluster ("/plant"); the empty one is its root. Touches nothing.
std::unique_ptr<FileStore> hdfs_store(clients::WebHdfsOptions options);

}  // namespace leat::sinks
