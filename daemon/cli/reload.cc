// leat reload: the daemon reads its configuration and its pipeline folder anew.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "daemon/cli/api_client.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/printable.h"
#include "daemon/cli/verbs.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

/// Each pipeline may take seconds to hand over.
constexpr std::chrono::minutes kPatience{10};

int complain(const Error& error) {
  fmt::print(stderr, "leat reload: {}\n", printable_lines(error.message));
  return error.code == ErrorCode::kInvalid ? kUsage : kFailed;
}

void print_file(const ordered_json& file, bool dry) {
  const std::string outcome = text_of(file["outcome"]);
  if (outcome == "unchanged") return;
  std::FILE* const to = outcome == "refused" ? stderr : stdout;
  const char* would = dry && outcome != "refused" ? "would be " : "";
  if (outcome == "forgotten")
    fmt::print(to, "{}: is gone; its text did not run, nothing ends\n", printable(text_of(file["file"])));
  else
    fmt::print(to, "{}: pipeline {} {}{}\n", printable(text_of(file["file"])),
               printable(text_of(file["pipeline"])), would, outcome);
  if (const std::string error = file.value("error", ""); !error.empty())
    fmt::print(to, "{}\n", printable_lines(error));
  for (const ordered_json& each : file["state"]["cold"])
    fmt::print(to, "  {} starts cold: {}\n", printable(text_of(each["operator"])),
               printable(text_of(each["why"])));
  for (const ordered_json& each : file["warnings"])
    fmt::print(to, "  warning: {}\n", printable(text_of(each)));
  for (const ordered_json& each : file["sessions"]) fmt::print(to, "  {}\n", printable(text_of(each)));
}

void print_configuration(const ordered_json& configuration, bool dry) {
  if (const std::string error = configuration.value("error", ""); !error.empty())
    fmt::print(stderr, "the configuration is refused, what was in force stays:\n{}\n",
               printable_lines(error));
  for (const ordered_json& key : configuration["applied"])
    fmt::print("{} {}\n", printable(text_of(key)), dry ? "would be applied" : "is applied");
  for (const ordered_json& key : configuration["at_next_start"])
    fmt::print("{} takes effect at the next start of the daemon\n", printable(text_of(key)));
}

void print_counts(const ordered_json& counts) {
  std::string text;
  for (const auto& [name, count] : counts.items())
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", text_of(count), name);
  fmt::print("{}\n", text);
}

}  // namespace

int reload(const ReloadOptions& options) {
  auto client = ApiClient::find(options.api);
  if (!client) return complain(client.error());
  client->wait_for_answers(kPatience);
  const auto answer = client->post(
      "/api/v1/reload", {{"dry_run", options.dry_run}, {"cold", options.refuse_cold ? "refuse" : "accept"}});
  if (!answer) return complain(answer.error());
  const int code = answer->value("all_well", false) ? kOk : kBadConfig;
  if (options.json) return print_json(*answer), code;
  for (const ordered_json& file : answer->at("files")) print_file(file, options.dry_run);
  print_configuration(answer->at("configuration"), options.dry_run);
  print_counts(answer->at("counts"));
  return code;
}

}  // namespace leat::cli
