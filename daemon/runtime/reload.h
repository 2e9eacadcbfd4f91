// Reading the pipeline folder anew while the daemon runs: plain data of what is asked for and of what came of
// it, and the pure question of which file has which pipeline.
//
// A file that has not changed, nor any that its formats name (a .proto), leaves its pipeline alone. A new one
// starts a pipeline, a changed one puts its text in the place of the version that runs, as a deployment does,
// and a pipeline whose file went away ends and leaves what it had, as a removal does. A text that is wrong
// changes nothing: what runs goes on, and the refusal is shown until a reload takes the file.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/runtime/deploy.h"
#include "daemon/runtime/format_files.h"
#include "pipelines/base/ids.h"
#include "pipelines/plan/planner.h"

namespace leat::runtime {

struct ReloadRequest {
  DeployRequest::Cold cold = DeployRequest::Cold::kAccept;  ///< As a restart of the daemon does.
  DeployRequest::Run run = DeployRequest::Run::kReal;
  std::function<void()> progress = {};  ///< Called before each change, which may take seconds.
};

enum class FileOutcome : std::uint8_t {
  kUnchanged,  ///< The pipeline runs on.
  kStarted,    ///< A pipeline is new.
  kReplaced,   ///< Its new text has taken over.
  kEnded,      ///< The file, or its name for the pipeline, is gone; so is the pipeline.
  kForgotten,  ///< The file is gone, and its text never ran: nothing ends.
  kRefused,    ///< The text is wrong, or cannot take over. What ran before goes on.
};
std::string_view to_string(FileOutcome outcome);

struct ReloadedFile {
  std::string file;
  PipelineName pipeline;
  FileOutcome outcome = FileOutcome::kUnchanged;
  std::string error = {};  ///< Why it is refused, whole: with the caret under a fault.
  StateReport state = {};  ///< Of a text that takes over.
  std::vector<std::string> warnings = {};
  std::vector<std::string> sessions = {};  ///< As in Deployed.
};

struct ReloadReport {
  std::vector<ReloadedFile> files;  ///< In the order of the files' names; what ended comes first.
  [[nodiscard]] std::size_t count(FileOutcome outcome) const;
};

/// A file of the folder as it is now.
struct FolderFile {
  std::string path;
  std::optional<std::string> sql;  ///< None: it cannot be read.
  std::string unreadable = {};     ///< Why not.
  PipelineName pipeline;           ///< As its text says; else the file's name.
  plan::PlanOutcome outcome;       ///< Empty while it has not been planned.
};

/// A pipeline that the host has.
struct ServedFile {
  std::string path;  ///< Empty: deployed.
  PipelineName pipeline;
  bool can_run = false;  ///< Its text is right and the name is its own.
  std::optional<std::string> sql;
  FileMarks format_files = {};  ///< As it was built with them.
};

/// Which file has which pipeline. A name stays with the file that has it, as long as that file wants it;
/// among others the first file gets it.
struct FolderPlan {
  std::map<PipelineName, std::size_t> owners;    ///< Index of the file, of those that are right.
  std::map<std::size_t, std::string> conflicts;  ///< Why a file that is right does not get its name.
};
FolderPlan assign_names(const std::vector<FolderFile>& files, const std::vector<ServedFile>& served);

}  // namespace leat::runtime
