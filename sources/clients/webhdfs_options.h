// The options by which files of an HDFS cluster are reached, for whoever reads or writes files.
#pragma once

#include <string>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/base/time.h"
#include "sources/clients/webhdfs.h"

namespace leat::clients {

/// What a connector's options derive from.
struct WebHdfsSettings {
  std::string hdfs_user = "leat";
  Secret delegation_token;
  Micros hdfs_timeout{30 * kMicrosPerSecond};
  std::string ca_file;
  PeerVerification verification = PeerVerification::kFull;
};

/// The rows of the connector's table.
template <class Options>
struct WebHdfsRows {
  static Option<Options> user() {
    return option<Options, std::string>(
        "webhdfs.user", &WebHdfsSettings::hdfs_user, Necessity::kOptional,
        "For a path webhdfs://…: who asks, as the cluster shall know it (user.name).");
  }
  static Option<Options> token() {
    return option<Options, Secret>(
        "webhdfs.delegation-token", &WebHdfsSettings::delegation_token, Necessity::kOptional,
        "For a path webhdfs://…: a delegation token of a secured cluster, which tells the user, too.");
  }
  static Option<Options> timeout() {
    return option<Options, Micros>(
        "webhdfs.timeout", &WebHdfsSettings::hdfs_timeout, Necessity::kOptional,
        "For a path webhdfs://…: how long a request may take, from connecting to the last byte.");
  }
  static Option<Options> ca_file() {
    return option<Options, std::string>(
        "tls.ca-file", &WebHdfsSettings::ca_file, Necessity::kOptional,
        "For a path swebhdfs://…: PEM file of the authorities that are trusted; without it the system's.");
  }
  static Option<Options> verification() {
    return choice<Options, PeerVerification>(
        "tls.verification", &WebHdfsSettings::verification,
        {{"full", PeerVerification::kFull}, {"none", PeerVerification::kNone}}, Necessity::kOptional,
        "For a path swebhdfs://…: whether the servers' certificates and names are checked.");
  }
};

/// Whether a path is one of WebHDFS, or a local one, and has just the options that count for it. Appends what
/// is wrong.
void check_files_path(const std::string& path, const WebHdfsSettings& settings, const OptionMap& map,
                      std::vector<OptionError>& errors);

/// A path of this machine, without the scheme file where it has that: of file:/x, file:///x and
/// file://localhost/x it is /x.
std::string local_path_of(std::string path);

/// Of a path and settings that are right.
WebHdfsOptions webhdfs_options(const WebHdfsPath& path, const WebHdfsSettings& settings);

}  // namespace leat::clients
