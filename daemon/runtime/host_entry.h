// One pipeline of the host, shared by its source files only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "daemon/runtime/host.h"
#include "pipelines/plan/node.h"

namespace leat::runtime {

struct Host::Entry {
  PipelineName name;
  std::string file;
  plan::Plan plan;
  std::string error;  // Set while there is no pipeline to ask.
  ErrorCode error_code = ErrorCode::kInvalid;
  std::unique_ptr<Pipeline> pipeline;
  std::unique_ptr<RestartPolicy> policy;
  std::unique_ptr<loop::Timer> restart;
  std::int64_t started = 0;  // Monotonic.
  std::uint64_t restarts = 0;
  bool paused = false;    // By somebody; kept in the store.
  bool steering = false;  // A steering is under way.
};

}  // namespace leat::runtime
