// One pipeline of the host, and a change of one, shared by its source files only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/runtime/format_files.h"
#include "daemon/runtime/host.h"
#include "daemon/store/stream_store.h"
#include "daemon/store/table_status.h"
#include "pipelines/exec/dataflow.h"
#include "pipelines/plan/node.h"

namespace leat::runtime {

/// What a pipeline may take to process what it has taken in; the rest stays in its journals.
inline constexpr std::int64_t kDrainMicros = 5 * kMicrosPerSecond;

std::string rendered_errors(const plan::PlanOutcome& outcome);
/// As the text says; else the file's name.
PipelineName name_of_file(const std::string& path, const plan::Plan& plan);

/// Which operators would lose what, a line each.
std::string cold_message(const PipelineName& pipeline, const StateReport& state);

struct Host::Entry {
  PipelineName name;
  PipelineName identity;  // Under which brokers, receivers and journals know it.
  Origin origin = Origin::kFile;
  std::uint64_t version = 0;       // Of a deployed one.
  std::optional<std::string> sql;  // None: the file could not be read.
  std::string file;                // Empty: deployed.
  plan::Plan plan;
  FileMarks format_files;  // As they were when it was built.
  std::string error;       // Set while there is no pipeline to ask.
  ErrorCode error_code = ErrorCode::kInvalid;
  std::unique_ptr<Pipeline> pipeline;
  std::unique_ptr<RestartPolicy> policy;  // Null: the text is wrong, nothing of it can run.
  std::unique_ptr<loop::Timer> restart;
  std::int64_t started = 0;  // Monotonic.
  std::uint64_t restarts = 0;
  std::string refused;    // Why the file's text of now does not take over.
  bool paused = false;    // By somebody; kept in the store.
  bool steering = false;  // A steering or a change is under way.
  bool changing = false;  // A change is: it is neither this version nor the next.
};

/// The version that runs, as the caller's thread may know it.
struct Host::Former {
  bool is_there = false;
  Origin origin = Origin::kFile;
  std::string file;
  PipelineName identity;
  std::uint64_t version = 0;
  std::optional<std::string> sql;
  plan::Plan plan;
  FileMarks format_files;
  std::vector<exec::Dataflow::OperatorInfo> operators;
};

/// A change under way: the new version before step 3, the old one behind it.
struct Host::Swap {
  PipelineName pipeline;
  PipelineName identity;
  bool creates = false;
  bool paused = false;  // Of one that is new.
  std::string sql;
  std::string file;  // Empty: it is deployed, and its text goes to the store.
  std::uint64_t version = 1;
  plan::Plan plan;
  bool built = false;  // The entry has the new version.
  std::vector<store::TableDeclaration> tables;
  std::vector<store::StreamUse> streams;
  Former former;
};

}  // namespace leat::runtime
