// leat outbox: what waits for the sinks, and decisions about it, through the daemon's API.
#include <fmt/format.h>

#include <array>
#include <cstdio>

#include "daemon/cli/api_client.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/printable.h"
#include "daemon/cli/verbs.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kResource = "/api/v1/outbox";

int complain(const Error& error) {
  fmt::print(stderr, "leat outbox: {}\n", error.message);
  return error.code == ErrorCode::kInvalid ? kUsage : kFailed;
}

/// "paused (undecided)"
std::string standing(const ordered_json& sink) {
  const ordered_json& delivery = sink["delivery"];
  if (delivery.is_null()) return "down";
  const std::string state = text_of(delivery["state"]);
  const std::string hold = text_of(delivery["hold"]);
  return hold == "none" ? state : fmt::format("{} ({})", state, hold);
}

void print_list(const ordered_json& sinks) {
  const auto line = [](const auto&... cells) {
    fmt::print("{:<20} {:<20} {:<20} {:>10} {:>12} {}\n", cells...);
  };
  line("PIPELINE", "SINK", "DELIVERY", "WAITING", "BYTES", "OLDEST");
  for (const ordered_json& sink : sinks)
    line(text_of(sink["pipeline"]), text_of(sink["sink"]), standing(sink),
         text_of(sink["records"]["waiting"]), text_of(sink["bytes"]), text_of(sink["oldest"]));
}

void print_sink(const ordered_json& sink) {
  const auto line = [](std::string_view name, const std::string& value) {
    fmt::print("{:<14} {}\n", name, value);
  };
  line("pipeline", text_of(sink["pipeline"]));
  line("sink", text_of(sink["sink"]));
  line("delivery", standing(sink));
  for (const auto& [name, count] : sink["records"].items())
    if (count.is_number()) line(name, text_of(count) + " records");
  line("bytes", text_of(sink["bytes"]));
  line("oldest", text_of(sink["oldest"]));
  line("last shipment", text_of(sink["last_shipment"]));
  const ordered_json& delivery = sink["delivery"];
  if (delivery.is_null()) return;
  line("last success", text_of(delivery["last_success"]));
  if (!delivery["why"].is_null()) line("why", text_of(delivery["why"]));
  if (!delivery["next_try"].is_null()) line("next try", text_of(delivery["next_try"]));
  if (const std::string error = text_of(delivery["last_error"]); !error.empty()) line("last error", error);
}

std::string path_of(const OutboxOptions& options) {
  return fmt::format("{}/{}/{}", kResource, segment(options.pipeline), segment(options.sink));
}

int print_purged(const OutboxOptions& options, const ordered_json& answer) {
  fmt::print("purge: sink {} of pipeline {}: {} records dropped, {} wait still\n", printable(options.sink),
             printable(options.pipeline), text_of(answer["dropped"]), text_of(answer["waiting"]));
  return kOk;
}

}  // namespace

int outbox(const OutboxOptions& options) {
  const auto client = ApiClient::find(options.api);
  if (!client) return complain(client.error());
  const bool looks = options.action == "list" || options.action == "show";
  const std::string path = options.action == "list" ? kResource : path_of(options);
  ordered_json body = ordered_json::object();
  if (options.action == "purge") body["all"] = true;
  const auto answer = looks ? client->get(path) : client->post(path + "/" + options.action, body);
  if (!answer) return complain(answer.error());
  if (options.json) return print_json(*answer), kOk;
  if (options.action == "purge") return print_purged(options, *answer);
  if (options.action == "list") print_list((*answer)["sinks"]);
  if (options.action == "show") print_sink(*answer);
  if (!looks) fmt::print("{}: sink {} of pipeline {}\n", options.action, options.sink, options.pipeline);
  return kOk;
}

}  // namespace leat::cli
