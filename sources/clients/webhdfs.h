// Files of an HDFS cluster over its REST interface, WebHDFS (Hadoop 3), with what an appending writer and a
// following reader need of it.
//
// The name node answers questions and sends whoever reads or writes on to a data node. Both see who asks by
// name, or by a delegation token; Kerberos is not spoken here.
//
// Threads: calls from one thread at a time; `interrupt` from any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"
#include "pipelines/base/time.h"
#include "sources/clients/http_client.h"

namespace leat::clients {

/// "webhdfs://namenode:9870/plant/day" taken apart; swebhdfs is the same over TLS.
struct WebHdfsPath {
  HttpUrl name_node;
  std::string root;  ///< "webhdfs://namenode:9870", with the port.
  std::string path;  ///< "/plant/day"; at least "/".
};

bool is_webhdfs(std::string_view path);
/// Errors: invalid.
Result<WebHdfsPath> parse_webhdfs_path(std::string_view text);

struct WebHdfsOptions {
  HttpClientOptions name_node;  ///< Its TLS and time-outs count for data nodes, too.
  std::string root;             ///< Of WebHdfsPath: what messages begin with.
  std::string user;             ///< Empty: the server's own idea of a stranger.
  Secret delegation_token;      ///< Empty: none; else it tells the user, too.
};

/// Errors of all calls, unless they say more: not found, invalid (permission, a token that has run out,
/// anything that a human must mend), conflict (a file is where a folder is wanted, or the reverse),
/// unavailable (nobody answers, a standby, safe mode, a lease that another writer still has), cancelled.
class WebHdfs {
 public:
  struct Entry {
    std::string name;  ///< Empty for the path itself.
    bool is_folder = false;
    std::uint64_t id = 0;      ///< Stays the file's when it is renamed.
    std::uint64_t length = 0;  ///< In bytes. While somebody appends, what was there before counts.
    std::int64_t mtime = 0;    ///< Microseconds.
  };

  explicit WebHdfs(WebHdfsOptions options);
  ~WebHdfs();

  Result<Entry> look(const std::string& path);
  /// What is in a folder, whatever its size. Of a file: itself, its name empty.
  Result<std::vector<Entry>> list(const std::string& folder);
  /// At most `length` bytes from `offset` on, which lies before the file's end.
  Result<std::string> read(const std::string& path, std::uint64_t offset, std::uint64_t length);

  /// With those above it; no error where it is there.
  Status make_folder(const std::string& path);
  /// With the folders above it. Errors: conflict (there is one of that name).
  Status create(const std::string& path, std::string bytes);
  Status append(const std::string& path, std::string bytes);
  /// To no more than its length. False: the cluster is still at it; until it is done nobody can append.
  /// Errors: unavailable (somebody is writing to it).
  Result<bool> truncate(const std::string& path, std::uint64_t length);
  /// Errors: conflict (the new name is taken).
  Status rename(const std::string& from, const std::string& to);

  /// One file. No error where there is none.
  Status remove(const std::string& path);

  /// Ends a call under way, and every later one, with cancelled.
  void interrupt();

  [[nodiscard]] const std::string& root() const;

 private:
  class Session;
  std::unique_ptr<Session> session_;
};

/// A path that names a file by its id, whatever it is called at present.
std::string webhdfs_path_of_id(std::uint64_t id);

/// What an answer that is no success says. Pure.
Error read_webhdfs_refusal(int status, std::string_view body);

}  // namespace leat::clients
