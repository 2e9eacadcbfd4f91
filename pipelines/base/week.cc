#include "pipelines/base/week.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "pipelines/base/time.h"

namespace leat {
namespace {

constexpr int kDays = 7;
constexpr int kMinutesPerDay = 24 * 60;
constexpr std::int64_t kMicrosPerWeek = kDays * kMicrosPerDay;
/// 1970-01-01 was a Thursday.
constexpr std::int64_t kDaysFromMondayToEpoch = 3;

constexpr std::array<std::string_view, kDays> kDayNames{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// Takes what lies before the separator off `rest`.
std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return trimmed(taken);
}

tl::unexpected<Error> not_a_window(std::string_view window, std::string_view why) {
  return fail(ErrorCode::kInvalid,
              fmt::format("'{}' {}; expected a form such as '22:00-06:00' or 'Mon-Fri 20:00-24:00; Sat,Sun "
                          "00:00-24:00'",
                          window, why));
}

std::optional<int> read_day(std::string_view text) {
  const auto found = std::ranges::find(kDayNames, text);
  if (found == kDayNames.end()) return std::nullopt;
  return static_cast<int>(found - kDayNames.begin());
}

/// "HH:MM" in minutes; 24:00 is the end of the day.
std::optional<int> read_time(std::string_view text) {
  const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4))
    return std::nullopt;
  const auto number = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  const int minutes = number(0) * 60 + number(3);
  if (number(3) > 59 || minutes > kMinutesPerDay) return std::nullopt;
  return minutes;
}

using Days = std::array<bool, kDays>;

bool add_days(std::string_view text, Days& days) {
  std::string_view last = text;
  const auto from = read_day(take_until(last, '-'));
  const auto to = last.empty() ? from : read_day(trimmed(last));
  if (!from || !to) return false;
  for (int day = *from;; day = (day + 1) % kDays) {
    days[static_cast<std::size_t>(day)] = true;
    if (day == *to) return true;
  }
}

Result<Days> read_days(std::string_view window, std::string_view text) {
  Days days{};
  if (text.empty()) days.fill(true);
  while (!text.empty()) {
    const std::string_view part = take_until(text, ',');
    if (!add_days(part, days)) return not_a_window(window, "names no days of the week");
  }
  return days;
}

}  // namespace

Result<Week> Week::parse(std::string_view text) {
  Week week;
  while (!text.empty()) {
    const std::string_view window = take_until(text, ';');
    const std::size_t space = window.rfind(' ');
    std::string_view times = space == std::string_view::npos ? window : window.substr(space + 1);
    LEAT_ASSIGN(const Days days,
                read_days(window, space == std::string_view::npos ? "" : trimmed(window.substr(0, space))));
    const auto begin = read_time(take_until(times, '-'));
    const auto end = read_time(trimmed(times));
    if (!begin || !end) return not_a_window(window, "has no two times of day");
    if (*begin == *end || *begin == kMinutesPerDay) return not_a_window(window, "has no length");
    const int length = *end > *begin ? *end - *begin : *end + kMinutesPerDay - *begin;
    for (int day = 0; day < kDays; ++day)
      if (days[static_cast<std::size_t>(day)])
        week.windows_.emplace_back(day * kMinutesPerDay + *begin, day * kMinutesPerDay + *begin + length);
  }
  if (week.windows_.empty()) return not_a_window("", "holds no window");
  return week;
}

std::int64_t Week::until_next(std::int64_t local) const {
  const std::int64_t now = floor_mod(local + kDaysFromMondayToEpoch * kMicrosPerDay, kMicrosPerWeek);
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (const auto& [begin, end] : windows_) {
    const std::int64_t from = begin * kMicrosPerMinute;
    const std::int64_t length = (end - begin) * kMicrosPerMinute;
    const std::int64_t since = floor_mod(now - from, kMicrosPerWeek);
    if (since < length) return 0;
    least = std::min(least, kMicrosPerWeek - since);
  }
  return least;
}

}  // namespace leat
