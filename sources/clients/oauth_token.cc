#include "sources/clients/oauth_token.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace leat::clients {
namespace {

/// A token with a key of its own and some claims takes 1 to 4 KiB.
constexpr std::size_t kLongestAnswer = 64 << 10;
/// Of a token whose server tells no lifetime: it is tried until it is refused.
constexpr std::chrono::hours kUntold{24 * 365};
/// A request may be under way so long after its token was looked at.
constexpr std::chrono::seconds kMargin{30};

HttpClientOptions endpoint_of(const OAuthOptions& options) {
  HttpClientOptions endpoint = options.endpoint;
  endpoint.kept_body_bytes = kLongestAnswer;
  return endpoint;
}

/// What the server says of a refusal (RFC 6749, section 5.2), for people.
std::string refusal(std::string_view body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return {};
  std::string text;
  for (const char* member : {"error", "error_description"})
    if (json.contains(member) && json[member].is_string()) text += ": " + json[member].get<std::string>();
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return text.substr(0, 200);
}

/// A number, which some servers write as a text.
std::optional<std::chrono::seconds> seconds_of(const nlohmann::json& value) {
  constexpr double kYear = 86'400.0 * 365;
  double seconds = -1;
  if (value.is_number()) seconds = value.get<double>();
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    std::from_chars(text.data(), text.data() + text.size(), seconds);
  }
  if (!(seconds >= 0)) return std::nullopt;
  return std::chrono::seconds(static_cast<std::int64_t>(std::min(seconds, kYear)));
}

}  // namespace

std::string token_request(const OAuthOptions& options) {
  std::string form = "grant_type=client_credentials";
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) form += fmt::format("&{}={}", name, percent_encoded(value));
  };
  add("scope", options.scope);
  add("audience", options.audience);
  if (options.credentials == OAuthOptions::Credentials::kBody) {
    add("client_id", options.client_id);
    add("client_secret", options.client_secret.reveal());
  }
  return form;
}

Result<AccessToken> read_token(std::string_view body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  const auto text = [&](const char* member) {
    return json.contains(member) && json[member].is_string() ? json[member].get<std::string>()
                                                             : std::string();
  };
  if (!json.is_object() || text("access_token").empty())
    return fail(ErrorCode::kInvalid, "the answer is no JSON object with 'access_token'");
  std::string type = text("token_type");
  std::ranges::transform(type, type.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (type != "bearer")
    return fail(ErrorCode::kInvalid,
                fmt::format("the token's type is '{}', and must be Bearer", text("token_type")));
  const std::string value = text("access_token");
  if (!std::ranges::all_of(value, [](char c) { return c > ' ' && c < '\x7f'; }))
    return fail(ErrorCode::kInvalid, "the token holds characters that no token has");
  AccessToken token{Secret(value), std::nullopt};
  if (const auto lifetime = json.find("expires_in"); lifetime != json.end())
    token.lifetime = seconds_of(*lifetime);
  return token;
}

OAuthTokens::OAuthTokens(OAuthOptions options)
    : options_(std::move(options)), client_(endpoint_of(options_)) {}

Result<std::string> OAuthTokens::authorization(Clock::time_point now) {
  if (token_.empty() || now >= expires_)
    LEAT_TRY(renew(now));
  else
    used_ = true;
  return "Bearer " + token_.reveal();
}

bool OAuthTokens::forget() {
  if (!std::exchange(used_, false)) return false;
  token_ = Secret();
  return true;
}

Status OAuthTokens::renew(Clock::time_point now) {
  HttpRequest request{"POST", {}, token_request(options_)};
  request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  request.headers.emplace_back("Accept", "application/json");
  if (options_.credentials == OAuthOptions::Credentials::kHeader)
    request.headers.emplace_back("Authorization",
                                 basic_authorization(percent_encoded(options_.client_id),
                                                     percent_encoded(options_.client_secret.reveal())));
  retry_after_.clear();
  auto response = client_.send(request);
  const std::string who = "the token endpoint " + options_.endpoint.url.origin();
  if (!response) return fail(response.error().code, fmt::format("{}: {}", who, response.error().message));
  if (response->status != 200) {
    retry_after_ = response->retry_after;
    const bool later = response->status >= 500 || response->status == 429 || response->status == 408;
    return fail(later ? ErrorCode::kUnavailable : ErrorCode::kInvalid,
                fmt::format("{} answered {}{}", who, response->status, refusal(response->body)));
  }
  const auto granted = read_token(response->body);
  if (!granted) return fail(granted.error().code, fmt::format("{}: {}", who, granted.error().message));
  token_ = granted->value;
  used_ = false;
  const Clock::duration lifetime = granted->lifetime.value_or(kUntold);
  expires_ =
      now + std::max(lifetime - std::min<Clock::duration>(kMargin, lifetime / 10), Clock::duration::zero());
  return {};
}

}  // namespace leat::clients
