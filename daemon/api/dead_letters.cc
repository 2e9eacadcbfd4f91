// Dead letters: looking at them, putting them back, throwing them away.
#include <fmt/format.h>

#include <future>
#include <memory>

#include "daemon/api/dead_letter_request.h"
#include "daemon/api/json_text.h"
#include "daemon/api/routes.h"
#include "pipelines/functions/base64.h"

namespace leat::api {
namespace {

using nlohmann::ordered_json;

constexpr std::int64_t kDefaultLimit = 100;
constexpr std::int64_t kMostAtOnce = 1000;
/// Of a payload in a list; /dead-letters/ID has all that is kept.
constexpr std::uint64_t kPreviewBytes = 1024;
/// Deleted in one transaction.
constexpr std::size_t kPurgedAtOnce = 1000;

/// The stored object, empty where there is none.
ordered_json metadata_json(const std::string& text) {
  if (text.empty()) return ordered_json::object();
  auto object = ordered_json::parse(text, nullptr, false);
  return object.is_object() ? object : ordered_json{{"text", text}};
}

ordered_json letter_json(const store::DeadLetterRow& row) {
  return {{"id", row.id},
          {"pipeline", row.pipeline.value},
          {"origin", row.letter.origin},
          {"reason", row.letter.reason},
          {"time", time_json(row.letter.time)},
          {"payload", row.letter.payload},
          {"payload_bytes", row.letter.payload_bytes},
          {"kept_bytes", row.kept_bytes},
          {"metadata", metadata_json(row.letter.metadata)}};
}

Response wrong_parameter(const std::string& detail) {
  return problem(400, "wrong parameter", detail);
}

Response unreadable(const Error& error) {
  return problem(503, "the store cannot be read", error.message);
}

/// The number given as `limit`, or the default; nullopt when it is none from 1 to the most.
std::optional<std::size_t> limit_of(const Request& request) {
  const auto given = request.query.find("limit");
  std::int64_t limit = kDefaultLimit;
  if (given != request.query.end() && !option_text::read(given->second, limit)) return std::nullopt;
  if (limit < 1 || limit > kMostAtOnce) return std::nullopt;
  return static_cast<std::size_t>(limit);
}

ordered_json totals_json(const store::DeadLetterStatus& totals) {
  return {{"letters", totals.letters},       {"bytes", totals.bytes},       {"written", totals.written},
          {"pushed_out", totals.pushed_out}, {"replayed", totals.replayed}, {"purged", totals.purged}};
}

/// What changes letters needs to be told which ones, or that all are meant.
std::optional<Response> refuse_nothing_meant(const Request& request) {
  const auto all = request.body.find("all");
  const bool everything = all != request.body.end() && all->is_boolean() && all->get<bool>();
  const bool something = request.body.size() > (all != request.body.end() ? 1 : 0);
  if (everything || something) return std::nullopt;
  return wrong_parameter(
      "say which dead letters are meant (ids, pipeline, origin, since, until), or 'all': true");
}

}  // namespace

Response list_dead_letters(const ApiContext& context, const Request& request) {
  const auto limit = limit_of(request);
  if (!limit) return wrong_parameter("limit is a number from 1 to 1000");
  const auto filter = dead_letter_filter(request, context.clock->wall());
  if (!filter) return wrong_parameter(filter.error().message);
  const auto rows = context.store->dead_letters(*filter, {.letters = *limit, .payload_bytes = kPreviewBytes});
  if (!rows) return unreadable(rows.error());
  const auto totals = context.store->dead_letter_status();
  if (!totals) return unreadable(totals.error());
  ordered_json letters = ordered_json::array();
  for (const store::DeadLetterRow& row : *rows) letters.push_back(letter_json(row));
  return json_response(
      {{"count", totals->letters}, {"totals", totals_json(*totals)}, {"dead_letters", std::move(letters)}});
}

Response show_dead_letter(const ApiContext& context, const Request& request) {
  std::int64_t id = 0;
  if (!option_text::read(request.parts.at(0), id)) return wrong_parameter("this is no id of a dead letter");
  const auto rows = context.store->dead_letters({.ids = {id}}, {.letters = 1});
  if (!rows) return unreadable(rows.error());
  if (rows->empty())
    return problem(
        404, "no such dead letter",
        fmt::format("there is no dead letter {}: it was never written, or it has been replayed, purged or "
                    "pushed out",
                    id));
  ordered_json body = letter_json(rows->front());
  body["payload_base64"] = functions::to_base64(rows->front().letter.payload);
  return json_response(body);
}

Response replay_dead_letters(const ApiContext& context, const Request& request) {
  if (auto refused = refuse_nothing_meant(request)) return *refused;
  auto filter = dead_letter_filter(request, context.clock->wall());
  if (!filter) return wrong_parameter(filter.error().message);
  const auto report = context.host->replay(*std::move(filter));
  if (!report) {
    const bool busy = report.error().code == ErrorCode::kConflict;
    return problem(busy ? 409 : 503, "the letters are not replayed", report.error().message);
  }
  ordered_json refused = ordered_json::array();
  for (const auto& [id, reason] : report->outcome.refused)
    refused.push_back({{"id", id}, {"reason", reason}});
  return json_response({{"replayed", report->outcome.replayed},
                        {"dead_again", report->outcome.dead_again},
                        {"refused", std::move(refused)},
                        {"last", report->last},
                        {"before", report->below},
                        {"more", report->more}});
}

Response purge_dead_letters(const ApiContext& context, const Request& request) {
  if (auto refused = refuse_nothing_meant(request)) return *refused;
  const auto filter = dead_letter_filter(request, context.clock->wall());
  if (!filter) return wrong_parameter(filter.error().message);
  std::uint64_t purged = 0;
  for (;;) {
    const auto answer = std::make_shared<std::promise<Result<std::uint64_t>>>();
    context.store->purge_dead_letters(*filter, kPurgedAtOnce, [answer](Result<std::uint64_t> count) {
      answer->set_value(std::move(count));
    });
    const Result<std::uint64_t> count = answer->get_future().get();
    if (!count) return problem(503, "not all of the letters are purged", count.error().message);
    purged += *count;
    if (*count < kPurgedAtOnce) return json_response({{"purged", purged}});
  }
}

}  // namespace leat::api
