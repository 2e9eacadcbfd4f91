// Reading configuration and pipeline folder anew.
#include "daemon/api/reload.h"

#include <fmt/format.h>

#include "daemon/api/deploy_json.h"
#include "daemon/api/json_text.h"
#include "daemon/api/routes.h"

namespace leat::api {
namespace {

using nlohmann::ordered_json;
using runtime::FileOutcome;

ordered_json file_json(const runtime::ReloadedFile& file) {
  return {{"file", file.file},        {"pipeline", file.pipeline.value}, {"outcome", to_string(file.outcome)},
          {"error", file.error},      {"state", state_json(file.state)}, {"warnings", file.warnings},
          {"sessions", file.sessions}};
}

ordered_json counts_json(const runtime::ReloadReport& report) {
  ordered_json counts = ordered_json::object();
  for (const FileOutcome outcome : {FileOutcome::kStarted, FileOutcome::kReplaced, FileOutcome::kUnchanged,
                                    FileOutcome::kEnded, FileOutcome::kRefused, FileOutcome::kForgotten})
    counts[std::string(to_string(outcome))] = report.count(outcome);
  return counts;
}

}  // namespace

Response reload(const ApiContext& context, const Request& request) {
  if (!context.reload) return problem(503, "nothing to reload", "this daemon has no files");
  const auto cold = read_cold(request.body, runtime::DeployRequest::Cold::kAccept);
  const auto run = read_run(request.body);
  if (!cold || !run)
    return problem(400, "wrong parameter", cold ? run.error().message : cold.error().message);
  const auto done = context.reload({.cold = *cold, .run = *run});
  if (!done)
    return problem(status_of(done.error().code), "the files cannot be read anew", done.error().message);
  ordered_json files = ordered_json::array();
  for (const runtime::ReloadedFile& file : done->pipelines.files) files.push_back(file_json(file));
  return json_response({{"all_well", done->all_well()},
                        {"dry_run", *run == runtime::DeployRequest::Run::kDry},
                        {"counts", counts_json(done->pipelines)},
                        {"files", std::move(files)},
                        {"configuration",
                         {{"error", done->configuration.error},
                          {"applied", done->configuration.applied},
                          {"at_next_start", done->configuration.at_next_start}}}});
}

}  // namespace leat::api
