// leat pipelines, leat status: what runs and how it fares, and pausing, resuming and restarting it, through
// the daemon's API.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "daemon/cli/api_client.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/printable.h"
#include "daemon/cli/verbs.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kResource = "/api/v1/pipelines";

/// `invalid`: the exit code where what was asked for is wrong.
int complain(std::string_view verb, const Error& error, int invalid = kUsage) {
  fmt::print(stderr, "leat {}: {}\n", verb, printable_lines(error.message));
  return error.code == ErrorCode::kInvalid ? invalid : kFailed;
}

/// The first line: an error of a wrong file has many, and a list one line each.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::string why(const ordered_json& pipeline) {
  const auto text = [&](const char* member) { return pipeline.at(member).get<std::string>(); };
  const auto outages = pipeline.value("outages", std::vector<std::string>());
  const std::string waits =
      text("waiting_for").empty() && !outages.empty() ? outages[0] : text("waiting_for");
  if (!text("error").empty()) return printable(first_line(text("error")));
  const std::string refused = pipeline.value("refused", std::string());
  if (!refused.empty()) return "a new text is refused: " + printable(first_line(refused));
  return printable(first_line(waits));
}

void print_list(const ordered_json& pipelines) {
  std::size_t widest = 8;
  for (const ordered_json& each : pipelines) widest = std::max(widest, text_of(each["name"]).size());
  const auto line = [&](const auto&... cells) {
    const std::string text = fmt::format(fmt::runtime("{:<{}}  {:<8}  {:<27}  {:<27}  {:>12}  {}"), cells...);
    fmt::print("{}\n", text.substr(0, text.find_last_not_of(' ') + 1));
  };
  line("PIPELINE", widest, "STATE", "WATERMARK", "LAST COMMIT", "DEAD LETTERS", "WHY");
  for (const ordered_json& each : pipelines)
    line(text_of(each["name"]), widest, text_of(each["state"]), text_of(each["watermark"]),
         text_of(each["last_commit_time"]), text_of(each["dead_letters"]), why(each));
}

/// "readings (mqtt), connected: 120 received, 3 queued, 1 dead"
std::string about_source(const ordered_json& source) {
  std::string text = fmt::format("{} ({}), {}:", text_of(source["table"]), text_of(source["connector"]),
                                 text_of(source["link"]));
  for (const auto& [name, count] : source["messages"].items())
    if (name == "received" || count.get<std::uint64_t>() > 0)
      text += fmt::format(" {} {},", text_of(count), name);
  text.pop_back();
  if (const std::string detail = text_of(source["detail"]); !detail.empty())
    text += "\n               " + detail;
  return text;
}

std::string about_operator(const ordered_json& each) {
  std::string text = text_of(each["name"]) + ":";
  for (const auto& [name, count] : each["rows"].items())
    if (name == "in" || name == "out" || count.get<std::uint64_t>() > 0)
      text += fmt::format(" {} {},", text_of(count), name);
  text.pop_back();
  return text;
}

void print_pipeline(const ordered_json& pipeline) {
  const auto line = [](std::string_view name, const std::string& value) {
    fmt::print("{:<14} {}\n", name, value);
  };
  line("pipeline", text_of(pipeline["name"]));
  if (pipeline.value("origin", "file") == "deployed")
    line("deployed", fmt::format("version {}", text_of(pipeline["version"])));
  else
    line("file", text_of(pipeline["file"]));
  if (const std::string identity = pipeline.value("identity", ""); identity != text_of(pipeline["name"]))
    line("identity", printable(identity));
  line("state", text_of(pipeline["state"]));
  for (const char* member : {"error", "waiting_for"})
    if (const auto text = pipeline.at(member).get<std::string>(); !text.empty())
      line(member, printable_lines(text));
  if (const std::string refused = pipeline.value("refused", ""); !refused.empty())
    line("refused", "a new text:\n" + printable_lines(refused));
  line("watermark", text_of(pipeline["watermark"]));
  line("last commit",
       fmt::format("{}, number {}", text_of(pipeline["last_commit_time"]), text_of(pipeline["last_commit"])));
  line("dead letters", text_of(pipeline["dead_letters"]));
  line("restarts", text_of(pipeline["restarts"]));
  for (const ordered_json& source : pipeline["sources"]) line("source", about_source(source));
  for (const ordered_json& each : pipeline["operators"]) line("operator", about_operator(each));
  for (const ordered_json& sink : pipeline["sinks"])
    line("sink", fmt::format("{} ({}): {} rows", text_of(sink["table"]), text_of(sink["connector"]),
                             text_of(sink["rows"])));
  for (const ordered_json& violation : pipeline["accounting_violations"])
    line("DOES NOT ADD UP", text_of(violation));
}

/// As it was written, but for its secrets.
int print_sql(const std::string& pipeline, const ordered_json& answer) {
  const ordered_json sql = answer.value("sql", ordered_json(nullptr));
  if (!sql.is_string()) {
    fmt::print(stderr, "leat pipelines: the text of pipeline {} cannot be read\n", printable(pipeline));
    return kFailed;
  }
  fmt::print("{}", sql.get<std::string>());
  return kOk;
}

int looked(const PipelinesOptions& options, const ordered_json& answer) {
  if (options.sql) return print_sql(options.pipeline, answer);
  if (options.json) return print_json(answer), kOk;
  if (options.action == "list")
    print_list(answer["pipelines"]);
  else
    print_pipeline(answer);
  return kOk;
}

}  // namespace

int pipelines(const PipelinesOptions& options) {
  const auto client = ApiClient::find(options.api);
  if (!client) return complain("pipelines", client.error());
  const std::string one = fmt::format("{}/{}", kResource, segment(options.pipeline));
  const bool looks = options.action == "list" || options.action == "show";
  const auto answer = options.action == "list" ? client->get(kResource)
                      : looks                  ? client->get(one)
                              : client->post(one + "/" + options.action, ordered_json::object());
  // A restart takes what the pipeline's file has now.
  if (!answer) return complain("pipelines", answer.error(), looks ? kUsage : kBadConfig);
  if (looks) return looked(options, *answer);
  if (options.json) return print_json(*answer), kOk;
  const char* now = options.action == "pause"    ? "paused"
                    : options.action == "resume" ? "resumed"
                                                 : "restarted";
  fmt::print("pipeline {} is {}\n", printable(options.pipeline), now);
  if (const std::string note = answer->value("note", std::string()); !note.empty())
    fmt::print("  {}\n", printable(note));
  return kOk;
}

int status(const StatusOptions& options) {
  const auto client = ApiClient::find(options.api);
  if (!client) return complain("status", client.error());
  const auto ready = client->get("/readyz", ApiClient::Refusals::kAnswers);
  if (!ready) return complain("status", ready.error());
  const auto list = client->get(kResource);
  if (!list) return complain("status", list.error());
  const bool well = ready->at("ready").get<bool>();
  if (options.json) {
    print_json({{"url", client->url()}, {"readiness", *ready}, {"pipelines", list->at("pipelines")}});
    return well ? kOk : kFailed;
  }
  fmt::print("daemon at {}: {}\n", client->url(), well ? "ready" : "not ready");
  for (const char* kind : {"reasons", "outages", "damage", "leftovers"})
    for (const ordered_json& sentence : ready->value(kind, ordered_json::array()))
      fmt::print("  {}\n", printable(with_place(first_line(sentence.get<std::string>()), options.api)));
  if (const ordered_json& clock = ready->at("clock"); clock.at("state") != "good")
    fmt::print("  the clock is {}: {}\n", text_of(clock.at("state")), text_of(clock.at("detail")));
  fmt::print("\n");
  print_list(list->at("pipelines"));
  return well ? kOk : kFailed;
}

}  // namespace leat::cli
