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

/// "paused: it is not known whether a shipment has arrived"
std::string standing(const ordered_json& sink) {
  const ordered_json& delivery = sink["delivery"];
  if (delivery.is_null()) return "its pipeline is down";
  constexpr std::pair<std::string_view, std::string_view> kHolds[] = {
      {"none", ""},
      {"by-user", ": somebody paused it"},
      {"undecided", ": it is not known whether a shipment has arrived"},
      {"fenced", ": another one has taken its place"},
  };
  const std::string hold = text_of(delivery["hold"]);
  for (const auto& [name, words] : kHolds)
    if (name == hold) return text_of(delivery["state"]) + std::string(words);
  return fmt::format("{} ({})", text_of(delivery["state"]), hold);
}

/// "paused (undecided)": in a list there is room for words only.
std::string short_standing(const ordered_json& sink) {
  const ordered_json& delivery = sink["delivery"];
  if (delivery.is_null()) return "down";
  const std::string hold = text_of(delivery["hold"]);
  return hold == "none" ? text_of(delivery["state"])
                        : fmt::format("{} ({})", text_of(delivery["state"]), hold);
}

void print_list(const ordered_json& sinks) {
  const auto line = [](const auto&... cells) {
    fmt::print("{:<20} {:<20} {:<20} {:>10} {:>12} {}\n", cells...);
  };
  line("PIPELINE", "SINK", "DELIVERY", "WAITING", "BYTES", "OLDEST");
  for (const ordered_json& sink : sinks)
    line(text_of(sink["pipeline"]), text_of(sink["sink"]), short_standing(sink),
         text_of(sink["records"]["waiting"]), text_of(sink["bytes"]), text_of(sink["oldest"]));
}

void print_sink(const ordered_json& sink, const ApiOptions& api) {
  const auto line = [](std::string_view name, const std::string& value) {
    fmt::print("{:<14} {}\n", name, value);
  };
  line("pipeline", text_of(sink["pipeline"]));
  line("sink", text_of(sink["sink"]));
  line("delivery", standing(sink));
  const ordered_json& records = sink["records"];
  line("waiting", records["waiting"] == 0
                      ? "nothing"
                      : fmt::format("{} records, {} bytes, the oldest since {}", text_of(records["waiting"]),
                                    text_of(sink["bytes"]), text_of(sink["oldest"])));
  std::string so_far;
  for (const auto& [name, count] : records.items())
    if (count.is_number() && name != "waiting")
      so_far += fmt::format("{}{} {}", so_far.empty() ? "" : ", ", text_of(count), name);
  line("so far", so_far);
  line("last shipment", "number " + text_of(sink["last_shipment"]));
  const ordered_json& delivery = sink["delivery"];
  if (delivery.is_null()) return;
  line("last success", text_of(delivery["last_success"]));
  if (!delivery["why"].is_null()) line("why", text_of(delivery["why"]));
  if (!delivery["next_try"].is_null()) line("next try", text_of(delivery["next_try"]));
  if (const std::string error = text_of(delivery["last_error"]); !error.empty())
    line("last error", with_place(error, api));
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
  if (options.action == "show") print_sink(*answer, options.api);
  if (!looks) fmt::print("{}: sink {} of pipeline {}\n", options.action, options.sink, options.pipeline);
  return kOk;
}

}  // namespace leat::cli
