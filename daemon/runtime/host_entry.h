// One pipeline of the host, shared by its source files only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "daemon/runtime/host.h"
#include "pipelines/plan/node.h"

namespace leat::runtime {

/// What a pipeline may take to process what it has taken in; the rest stays in its journals.
inline constexpr std::int64_t kDrainMicros = 5 * kMicrosPerSecond;

struct Host::Entry {
  PipelineName name;
  PipelineName identity;  // Under which brokers, receivers and journals know it.
  Origin origin = Origin::kFile;
  std::uint64_t version = 0;       // Of a deployed one.
  std::optional<std::string> sql;  // None: the file could not be read.
  std::string file;                // Empty: deployed.
  plan::Plan plan;
  std::string error;  // Set while there is no pipeline to ask.
  ErrorCode error_code = ErrorCode::kInvalid;
  std::unique_ptr<Pipeline> pipeline;
  std::unique_ptr<RestartPolicy> policy;  // Null: the text is wrong, nothing of it can run.
  std::unique_ptr<loop::Timer> restart;
  std::int64_t started = 0;  // Monotonic.
  std::uint64_t restarts = 0;
  bool paused = false;    // By somebody; kept in the store.
  bool steering = false;  // A steering or a change is under way.
  bool misnamed = false;  // Its name is another's.
  bool changing = false;  // A change is: it is neither this version nor the next.
};

}  // namespace leat::runtime
