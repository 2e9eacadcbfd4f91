// Where a sink's files grow: the file system of this machine, or a cluster. What each call does is told in
// rolling_file.h. Blocking calls, on the delivery thread; `interrupt` from any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "pipelines/base/result.h"

namespace leat::sinks {

/// Errors of all calls beside their own: io (this machine), unavailable (a cluster that does not do it at
/// present), invalid (a human must mend it), cancelled.
class FileStore {
 public:
  virtual ~FileStore() = default;
  /// Before anything is written. Errors: conflict (it can never be a folder). Asks nobody who may be away.
  virtual Status refuse(const std::string& folder) = 0;
  /// What the hidden name of a file that is begun now shall have in it. Where a request may be carried out
  /// after its sender has given it up, it is another one each time: such a request meets no file of ours.
  virtual std::string fresh_mark() { return {}; }
  virtual Status ensure_folder(const std::string& folder) = 0;
  /// Errors: not found (there is no file to go on with, or none that may be gone on with: it is to be
  /// published, and another one begun; never where `length` is 0), conflict.
  virtual Status append_at(const std::string& folder, const std::string& name, std::uint64_t length,
                           std::string_view bytes) = 0;
  virtual Status publish(const std::string& folder, const std::string& hidden, const std::string& final_name,
                         std::uint64_t length) = 0;
  /// An empty file, if there is none of that name.
  virtual Status touch(const std::string& folder, const std::string& name) = 0;
  /// Ends a call under way, and every later one, with cancelled.
  virtual void interrupt() {}
};

std::unique_ptr<FileStore> local_store();

}  // namespace leat::sinks
