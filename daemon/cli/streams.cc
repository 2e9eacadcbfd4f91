// leat streams: the streams between pipelines and what waits in them, through the daemon's API.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>

#include "daemon/cli/api_client.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/printable.h"
#include "daemon/cli/verbs.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kResource = "/api/v1/streams";

int complain(const Error& error) {
  fmt::print(stderr, "leat streams: {}\n", printable(error.message));
  return error.code == ErrorCode::kInvalid ? kUsage : kFailed;
}

std::string names(const ordered_json& list) {
  if (list.empty()) return "nobody";
  return printable(fmt::format("{}", fmt::join(list.get<std::vector<std::string>>(), ", ")));
}

void print_list(const ordered_json& streams) {
  std::size_t widest = 6;
  for (const ordered_json& each : streams) widest = std::max(widest, text_of(each["name"]).size());
  const auto line = [&](const auto&... cells) {
    fmt::print(fmt::runtime("{:<{}}  {:>12}  {:>12}  {:>10}  {:>10}  {:>12}  {}\n"), cells...);
  };
  line("STREAM", widest, "WRITTEN", "WAITING", "DROPPED", "UNREAD", "BYTES", "FROM -> TO");
  for (const ordered_json& each : streams) {
    const ordered_json& rows = each["rows"];
    line(text_of(each["name"]), widest, text_of(rows["written"]), text_of(rows["waiting"]),
         text_of(rows["dropped"]), text_of(rows["unread"]), text_of(each["waiting_bytes"]),
         names(each["writers"]) + " -> " + names(each["readers"]));
  }
}

void print_stream(const ordered_json& stream) {
  const auto line = [](std::string_view name, const std::string& value) {
    fmt::print("{:<14} {}\n", name, value);
  };
  line("stream", text_of(stream["name"]));
  line("columns", text_of(stream["columns"]));
  line("written by", names(stream["writers"]));
  line("read by", names(stream["readers"]));
  const ordered_json& rows = stream["rows"];
  line("waiting",
       fmt::format("{} rows, {} bytes", text_of(rows["waiting"]), text_of(stream["waiting_bytes"])));
  line("so far", fmt::format("{} written, {} passed, {} dropped, {} unread", text_of(rows["written"]),
                             text_of(rows["passed"]), text_of(rows["dropped"]), text_of(rows["unread"])));
}

}  // namespace

int streams(const StreamsOptions& options) {
  const auto client = ApiClient::find(options.api);
  if (!client) return complain(client.error());
  const bool one = !options.stream.empty();
  const auto answer = client->get(one ? fmt::format("{}/{}", kResource, segment(options.stream)) : kResource);
  if (!answer) return complain(answer.error());
  if (options.json) return print_json(*answer), kOk;
  if (one)
    print_stream(*answer);
  else
    print_list((*answer)["streams"]);
  return kOk;
}

}  // namespace leat::cli
