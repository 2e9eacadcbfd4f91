#include <charconv>
#include <limits>

#include "daemon/api/json_text.h"
#include "daemon/api/routes.h"

namespace leat::api {
namespace {

constexpr std::int64_t kDefaultLimit = 100;
constexpr std::int64_t kMostAtOnce = 1000;

/// The number given as `name`, or `fallback`; nullopt when it is no number above 0.
std::optional<std::int64_t> number(const Request& request, const std::string& name, std::int64_t fallback) {
  const auto given = request.query.find(name);
  if (given == request.query.end()) return fallback;
  const std::string& text = given->second;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value <= 0) return std::nullopt;
  return value;
}

/// The stored object, or the text as it is should it be none.
nlohmann::ordered_json metadata_json(const std::string& text) {
  auto object = nlohmann::ordered_json::parse(text, nullptr, false);
  return object.is_discarded() ? nlohmann::ordered_json(text) : object;
}

}  // namespace

Response list_dead_letters(const ApiContext& context, const Request& request) {
  const auto limit = number(request, "limit", kDefaultLimit);
  const auto before = number(request, "before", std::numeric_limits<std::int64_t>::max());
  if (!limit || !before || *limit > kMostAtOnce)
    return problem(400, "wrong parameter",
                   "limit is a number from 1 to 1000, before the id of a dead letter");
  const auto rows = context.store->dead_letters(static_cast<std::size_t>(*limit), *before);
  const auto count = context.store->dead_letter_count();
  if (!rows) return problem(503, "the store cannot be read", rows.error().message);
  nlohmann::ordered_json letters = nlohmann::ordered_json::array();
  for (const store::DeadLetterRow& row : *rows)
    letters.push_back({{"id", row.id},
                       {"pipeline", row.pipeline.value},
                       {"origin", row.letter.origin},
                       {"reason", row.letter.reason},
                       {"time", time_json(row.letter.time)},
                       {"payload", row.letter.payload},
                       {"metadata", metadata_json(row.letter.metadata)}});
  return json_response({{"count", count.value_or(0)}, {"dead_letters", std::move(letters)}});
}

}  // namespace leat::api
