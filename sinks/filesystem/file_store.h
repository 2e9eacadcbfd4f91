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
  virtual Status ensure_folder(const std::string& folder) = 0;
  virtual Status append_at(const std::string& folder, const std::string& name, std::uint64_t length,
                           std::string_view bytes) = 0;
  virtual Status publish(const std::string& folder, const std::string& hidden, const std::string& final_name,
                         std::uint64_t length) = 0;
  /// Ends a call under way, and every later one, with cancelled.
  virtual void interrupt() {}
};

std::unique_ptr<FileStore> local_store();

}  // namespace leat::sinks
