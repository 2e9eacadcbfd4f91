#include "sinks/http/http_outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <string>

namespace leat::sinks {

namespace {

/// What is too large for any clock; how long is really waited, delivery decides.
constexpr Micros kLongestWait{100 * 365 * kMicrosPerDay};
/// So many attempts do not find an earlier one still being worked on.
constexpr std::uint32_t kLastingConflict = 10;

bool any_of(int status, std::initializer_list<int> list) {
  return std::find(list.begin(), list.end(), status) != list.end();
}

/// The beginning of the answer's body on one line.
std::string excerpt(std::string_view body) {
  constexpr std::size_t kLongest = 200;
  std::string line(body.substr(0, kLongest));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; },
      ' ');
  return line.empty() ? line : ": " + line;
}

std::optional<Micros> parse_seconds(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc::result_out_of_range) return kLongestWait;
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0) return std::nullopt;
  return Micros(std::min(seconds, kLongestWait.count() / kMicrosPerSecond) * kMicrosPerSecond);
}

std::optional<std::int64_t> parse_http_date(const std::string& text) {
  for (const char* form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    std::tm parts{};
    const char* end = ::strptime(text.c_str(), form, &parts);
    if (end != nullptr && *end == '\0') return static_cast<std::int64_t>(::timegm(&parts)) * kMicrosPerSecond;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Micros> parse_retry_after(std::string_view text, std::int64_t now) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (text.empty()) return std::nullopt;
  if (const auto seconds = parse_seconds(text)) return seconds;
  const auto date = parse_http_date(std::string(text));
  if (!date) return std::nullopt;
  return std::clamp(Micros(*date - now), Micros(0), kLongestWait);
}

Delivery outcome_of(const clients::HttpResponse& response, std::int64_t now, std::uint32_t attempt) {
  const int status = response.status;
  if (status >= 200 && status < 300) return Delivered{};
  std::string reason = fmt::format("HTTP {}{}", status, excerpt(response.body));
  const bool lasts = status == 409 && attempt >= kLastingConflict;
  if (lasts) return Retry{std::move(reason), parse_retry_after(response.retry_after, now), /*paused=*/true};
  if (any_of(status, {408, 409, 421, 423, 425, 429}) || status >= 500)
    return Retry{std::move(reason), parse_retry_after(response.retry_after, now)};
  if (any_of(status, {401, 403, 404, 405, 407, 410, 411, 415, 426, 451}))
    return Retry{std::move(reason), std::nullopt, /*paused=*/true};
  if (status == 413) return Rejected{std::move(reason), {}, Rejected::Cause::kSize};
  if (status >= 400) return Rejected{std::move(reason), {}};
  if (!response.location.empty())
    reason = fmt::format("HTTP {}: a redirect to {} is not followed; set 'url' to where it leads", status,
                         excerpt(response.location).substr(2));
  return Retry{std::move(reason), std::nullopt, /*paused=*/true};
}

}  // namespace leat::sinks
