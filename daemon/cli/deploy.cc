// leat pipelines deploy, remove, rename: changing what runs, through the daemon's API.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "daemon/cli/api_client.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/pipeline_text.h"
#include "daemon/cli/printable.h"
#include "daemon/cli/verbs.h"
#include "daemon/runtime/deploy.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

/// `invalid`: the exit code where what was given is wrong.
int complain(const Error& error, int invalid = kUsage) {
  fmt::print(stderr, "leat pipelines: {}\n", printable_lines(error.message));
  return error.code == ErrorCode::kInvalid ? invalid : kFailed;
}

/// The daemon knows the text by the pipeline's name, who deploys it by the file's.
Error in_file(Error error, const std::string& theirs, const std::string& ours) {
  const std::string place = theirs + ":";
  for (std::size_t line = 0; line < error.message.size(); line = error.message.find('\n', line) + 1) {
    if (error.message.compare(line, place.size(), place) == 0)
      error.message.replace(line, theirs.size(), ours);
    if (error.message.find('\n', line) == std::string::npos) break;
  }
  return error;
}

std::string path_of(const std::string& pipeline) {
  return "/api/v1/pipelines/" + segment(pipeline);
}

/// --name, else the text's SET 'pipeline.name', else the file's.
std::string name_of(const DeployOptions& options, const std::string& sql) {
  if (!options.pipeline.empty()) return options.pipeline;
  return runtime::name_in_text(sql).value_or(std::filesystem::path(options.file).stem().string());
}

void print_all(const ordered_json& answer, const char* member, const ApiOptions& api) {
  for (const ordered_json& sentence : answer.value(member, ordered_json::array()))
    fmt::print("  {}\n", printable(with_place(text_of(sentence), api)));
}

void print_deployed(const ordered_json& answer, const ApiOptions& api) {
  const bool dry = answer.value("dry_run", false);
  const char* what = !answer.value("changed", true)   ? "runs this text already"
                     : answer.value("created", false) ? dry ? "would be new" : "is new"
                     : dry                            ? "would be replaced"
                                                      : "is replaced";
  fmt::print("pipeline {} {}, version {}\n", printable(text_of(answer["pipeline"])), what,
             text_of(answer["version"]));
  const ordered_json& state = answer["state"];
  for (const ordered_json& each : state["kept"])
    fmt::print("  {} keeps its state ({} keys)\n", text_of(each["operator"]), text_of(each["keys"]));
  for (const ordered_json& each : state["cold"])
    fmt::print("  {} starts cold: {}\n", text_of(each["operator"]), printable(text_of(each["why"])));
  for (const ordered_json& each : state["dropped"]) fmt::print("  state of {} goes\n", text_of(each));
  for (const ordered_json& each : answer["warnings"]) fmt::print("  warning: {}\n", printable(text_of(each)));
  print_all(answer, "sessions", api);
}

std::string listed(const ordered_json& names) {
  std::string list;
  for (const ordered_json& name : names) list += (list.empty() ? "" : ", ") + text_of(name);
  return list.empty() ? "nothing" : list;
}

void print_removed(const ordered_json& answer, const ApiOptions& api) {
  fmt::print("pipeline {} is {}; purged: {}; kept: {}\n", printable(text_of(answer["pipeline"])),
             answer.value("removed", true) ? "removed" : "not there any more", listed(answer["purged"]),
             listed(answer["kept"]));
  print_all(answer, "notes", api);
  print_all(answer, "sessions", api);
}

}  // namespace

int deploy(const DeployOptions& options) {
  const auto text = read_pipeline(options.file, "");
  if (!text) return complain(text.error(), kBadConfig);
  const auto client = ApiClient::find(options.api);
  if (!client) return complain(client.error());
  const std::string name = name_of(options, text->text);
  const auto answer = client->put(path_of(name), {{"sql", text->text},
                                                  {"cold", options.accept_cold ? "accept" : "refuse"},
                                                  {"dry_run", options.dry_run}});
  // A wrong text is a wrong pipeline, whoever has found it.
  if (!answer) return complain(in_file(answer.error(), name + ".sql", options.file), kBadConfig);
  if (options.json) return print_json(*answer), kOk;
  print_deployed(*answer, options.api);
  return kOk;
}

int remove_pipeline(const RemoveOptions& options) {
  const auto client = ApiClient::find(options.api);
  if (!client) return complain(client.error());
  const std::string query = options.purge.empty() ? "" : "?purge=" + segment(options.purge);
  const auto answer = client->remove(path_of(options.pipeline) + query);
  if (!answer) return complain(answer.error());
  if (options.json) return print_json(*answer), kOk;
  print_removed(*answer, options.api);
  return kOk;
}

int rename_pipeline(const RenameOptions& options) {
  const auto client = ApiClient::find(options.api);
  if (!client) return complain(client.error());
  const auto answer = client->post(path_of(options.pipeline) + "/rename", {{"to", options.to}});
  if (!answer) return complain(answer.error());
  if (options.json) return print_json(*answer), kOk;
  fmt::print("pipeline {} is {} now\n", printable(options.pipeline), printable(options.to));
  return kOk;
}

}  // namespace leat::cli
