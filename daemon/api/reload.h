// What the API needs to have the daemon read its files anew: the daemon knows its configuration, the host its
// folder.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/runtime/reload.h"
#include "pipelines/base/result.h"

namespace leat::api {

/// What came of the configuration.
struct ConfigurationReload {
  std::string error = {};                       ///< Why it is refused, a line for each fault; what was stays.
  std::vector<std::string> applied = {};        ///< Keys that changed and count from now on.
  std::vector<std::string> at_next_start = {};  ///< Keys that changed and do not.
};

struct Reloaded {
  runtime::ReloadReport pipelines;
  ConfigurationReload configuration;
  [[nodiscard]] bool all_well() const {
    return configuration.error.empty() && pipelines.count(runtime::FileOutcome::kRefused) == 0;
  }
};

/// Blocks for seconds; any thread but the loop's. Errors: as runtime::Host::reload.
using ReloadAll = std::function<Result<Reloaded>(const runtime::ReloadRequest&)>;

}  // namespace leat::api
