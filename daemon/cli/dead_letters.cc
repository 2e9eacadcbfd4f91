// leat dead-letters: what could not be used, over the daemon's REST API.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "daemon/cli/exit_code.h"
#include "daemon/cli/printable.h"
#include "daemon/cli/verbs.h"
#include "pipelines/formats/read_scalar.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kPath = "/api/v1/dead-letters";

int complain(const Error& error) {
  fmt::print(stderr, "leat dead-letters: {}\n", printable(error.message));
  return kFailed;
}

std::string text(const ordered_json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string("-");
}

/// What the options say of the letters, as the words of the API.
ordered_json meant(const DeadLettersOptions& options) {
  ordered_json words = ordered_json::object();
  const std::pair<const char*, const std::string&> texts[] = {{"pipeline", options.pipeline},
                                                              {"origin", options.origin},
                                                              {"since", options.since},
                                                              {"until", options.until}};
  for (const auto& [word, value] : texts)
    if (!value.empty()) words[word] = value;
  if (!options.ids.empty()) words["ids"] = options.ids;
  if (options.all) words["all"] = true;
  return words;
}

/// Nothing was found: a filter that is misspelt should not pass for good news.
void tell_none(const DeadLettersOptions& options) {
  const bool filtered = !meant(options).empty() && !options.all;
  if (filtered)
    fmt::print(stderr, "leat dead-letters: no dead letter matches{}{}{}{}\n",
               options.pipeline.empty() ? "" : fmt::format(" --pipeline '{}'", printable(options.pipeline)),
               options.origin.empty() ? "" : fmt::format(" --origin '{}'", printable(options.origin)),
               options.since.empty() ? "" : fmt::format(" --since '{}'", printable(options.since)),
               options.until.empty() ? "" : fmt::format(" --until '{}'", printable(options.until)));
}

int list(const DeadLettersOptions& options, const ApiClient& api) {
  std::string query = fmt::format("{}?limit={}", kPath, options.limit);
  const ordered_json words = meant(options);
  for (const auto& [word, value] : words.items())
    query += fmt::format("&{}={}", word, segment(value.get<std::string>()));
  const auto body = api.get(query);
  if (!body) return complain(body.error());
  if (options.json) return print_json(*body), kOk;
  constexpr std::size_t kShown = 100;
  for (const ordered_json& letter : body->at("dead_letters")) {
    const std::string payload = text(letter, "payload");
    fmt::print("{}  {}  {}  {}  {} bytes\n    {}\n    {}{}\n", letter.at("id").dump(), text(letter, "time"),
               printable(text(letter, "pipeline")), printable(text(letter, "origin")),
               letter.at("payload_bytes").dump(), printable(text(letter, "reason")),
               printable(payload.substr(0, kShown)), payload.size() > kShown ? " …" : "");
  }
  if (body->at("dead_letters").empty()) tell_none(options);
  const ordered_json& totals = body->at("totals");
  fmt::print("in all {} dead letters ({} bytes); of {} written {} were replayed, {} purged, {} pushed out\n",
             totals.at("letters").dump(), totals.at("bytes").dump(), totals.at("written").dump(),
             totals.at("replayed").dump(), totals.at("purged").dump(), totals.at("pushed_out").dump());
  return kOk;
}

int write_raw(const std::string& payload) {
  if (::isatty(STDOUT_FILENO) != 0) {
    fmt::print(stderr,
               "leat dead-letters: --raw would send unknown bytes to this terminal: redirect it to a file\n");
    return kUsage;
  }
  const bool written = std::fwrite(payload.data(), 1, payload.size(), stdout) == payload.size();
  return written && std::fflush(stdout) == 0 ? kOk : kFailed;
}

int show(const DeadLettersOptions& options, const ApiClient& api) {
  const auto body = api.get(fmt::format("{}/{}", kPath, options.ids.at(0)));
  if (!body) return complain(body.error());
  if (options.json) return print_json(*body), kOk;
  std::string payload;
  if (!formats::read_base64(text(*body, "payload_base64"), payload))
    return complain({ErrorCode::kInvalid, "the daemon's answer holds no payload"});
  if (options.raw) return write_raw(payload);
  fmt::print(
      "id        {}\npipeline  {}\norigin    {}\ntime      {}\nreason    {}\nmetadata  {}\npayload   {} "
      "bytes{}\n\n",
      body->at("id").dump(), printable(text(*body, "pipeline")), printable(text(*body, "origin")),
      text(*body, "time"), printable(text(*body, "reason")), printable(body->at("metadata").dump()),
      body->at("payload_bytes").dump(),
      body->at("kept_bytes") == body->at("payload_bytes")
          ? ""
          : fmt::format(", of which {} were kept", body->at("kept_bytes").dump()));
  fmt::print("{}\n", printable(payload));
  return kOk;
}

/// Page by page, up to the letters that were there when it began: what dies again is not tried again.
int replay(const DeadLettersOptions& options, const ApiClient& api) {
  ordered_json request = meant(options);
  ordered_json sum = {{"replayed", 0}, {"dead_again", 0}, {"refused", ordered_json::array()}};
  for (bool more = true; more;) {
    const auto page = api.post(fmt::format("{}/replay", kPath), request);
    if (!page) return complain(page.error());
    for (const char* count : {"replayed", "dead_again"})
      sum[count] = sum[count].get<std::uint64_t>() + page->at(count).get<std::uint64_t>();
    for (const ordered_json& refused : page->at("refused")) sum["refused"].push_back(refused);
    more = page->at("more").get<bool>();
    request["after"] = page->at("last");
    request["before"] = page->at("before");
  }
  const bool all_went = sum["refused"].empty();
  if (all_went && sum["replayed"] == 0) tell_none(options);
  if (options.json) return print_json(sum), all_went ? kOk : kFailed;
  for (const ordered_json& refused : sum["refused"])
    fmt::print(stderr, "leat dead-letters: {} stays: {}\n", refused.at("id").dump(),
               printable(text(refused, "reason")));
  fmt::print("{} replayed, {} records of them are dead letters again, {} stay\n", sum["replayed"].dump(),
             sum["dead_again"].dump(), sum["refused"].size());
  return all_went ? kOk : kFailed;
}

int purge(const DeadLettersOptions& options, const ApiClient& api) {
  const auto body = api.post(fmt::format("{}/purge", kPath), meant(options));
  if (!body) return complain(body.error());
  if (body->at("purged") == 0) tell_none(options);
  if (options.json) return print_json(*body), kOk;
  fmt::print("{} purged\n", body->at("purged").dump());
  return kOk;
}

}  // namespace

int dead_letters(const DeadLettersOptions& options) {
  const auto api = ApiClient::find(options.api);
  if (!api) {
    complain(api.error());
    return kBadConfig;
  }
  switch (options.action) {
    case DeadLettersOptions::Action::kList:
      return list(options, *api);
    case DeadLettersOptions::Action::kShow:
      return show(options, *api);
    case DeadLettersOptions::Action::kReplay:
      return replay(options, *api);
    case DeadLettersOptions::Action::kPurge:
      return purge(options, *api);
  }
  return kUsage;
}

}  // namespace leat::cli
