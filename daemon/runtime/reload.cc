#include "daemon/runtime/reload.h"

#include <fmt/format.h>

#include <algorithm>

namespace leat::runtime {
namespace {

const ServedFile* running_of(const std::vector<ServedFile>& served, const std::string& path) {
  for (const ServedFile& one : served)
    if (one.can_run && one.path == path) return &one;
  return nullptr;
}

bool is_deployed(const std::vector<ServedFile>& served, const PipelineName& name) {
  return std::ranges::any_of(served,
                             [&](const ServedFile& one) { return one.path.empty() && one.pipeline == name; });
}

bool is_right(const FolderFile& file) {
  return file.sql && file.outcome.ok();
}

}  // namespace

std::string_view to_string(FileOutcome outcome) {
  switch (outcome) {
    case FileOutcome::kUnchanged:
      return "unchanged";
    case FileOutcome::kStarted:
      return "started";
    case FileOutcome::kReplaced:
      return "replaced";
    case FileOutcome::kEnded:
      return "ended";
    case FileOutcome::kForgotten:
      return "forgotten";
    case FileOutcome::kRefused:
      break;
  }
  return "refused";
}

std::size_t ReloadReport::count(FileOutcome outcome) const {
  return static_cast<std::size_t>(std::ranges::count(files, outcome, &ReloadedFile::outcome));
}

FolderPlan assign_names(const std::vector<FolderFile>& files, const std::vector<ServedFile>& served) {
  FolderPlan plan;
  // Those that keep what they have: the text is the same, wrong, or still names the same pipeline.
  for (std::size_t i = 0; i < files.size(); ++i) {
    const ServedFile* const now = running_of(served, files[i].path);
    if (now != nullptr && (!is_right(files[i]) || files[i].pipeline == now->pipeline))
      plan.owners.emplace(now->pipeline, i);
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    const FolderFile& file = files[i];
    const ServedFile* const now = running_of(served, file.path);
    if (!is_right(file) || (now != nullptr && file.pipeline == now->pipeline)) continue;
    if (is_deployed(served, file.pipeline))
      plan.conflicts[i] = fmt::format(
          "{}: a pipeline '{}' is deployed and goes on: give the file another name, or remove the deployed "
          "one ('leat pipelines remove {}') and reload",
          file.path, file.pipeline.value, file.pipeline.value);
    else if (const auto [owner, fresh] = plan.owners.emplace(file.pipeline, i); !fresh)
      plan.conflicts[i] = fmt::format("{}: the pipeline of the file '{}' is named '{}', too", file.path,
                                      files[owner->second].path, file.pipeline.value);
    if (plan.conflicts.contains(i) && now != nullptr) plan.owners.emplace(now->pipeline, i);
  }
  return plan;
}

}  // namespace leat::runtime
