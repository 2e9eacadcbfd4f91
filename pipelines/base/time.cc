#include "pipelines/base/time.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>
#include <string_view>

#include "pipelines/base/civil_date.h"

namespace leat {
namespace {

struct TimeUnit {
  std::string_view name;
  std::int64_t micros;
};

constexpr std::array<TimeUnit, 33> kTimeUnits{{
    {"us", 1},
    {"micro", 1},
    {"micros", 1},
    {"microsecond", 1},
    {"microseconds", 1},
    {"", kMicrosPerMilli},
    {"ms", kMicrosPerMilli},
    {"milli", kMicrosPerMilli},
    {"millis", kMicrosPerMilli},
    {"millisecond", kMicrosPerMilli},
    {"milliseconds", kMicrosPerMilli},
    {"s", kMicrosPerSecond},
    {"sec", kMicrosPerSecond},
    {"secs", kMicrosPerSecond},
    {"second", kMicrosPerSecond},
    {"seconds", kMicrosPerSecond},
    {"m", kMicrosPerMinute},
    {"min", kMicrosPerMinute},
    {"mins", kMicrosPerMinute},
    {"minute", kMicrosPerMinute},
    {"minutes", kMicrosPerMinute},
    {"h", kMicrosPerHour},
    {"hour", kMicrosPerHour},
    {"hours", kMicrosPerHour},
    {"d", kMicrosPerDay},
    {"day", kMicrosPerDay},
    {"days", kMicrosPerDay},
    {"w", 7 * kMicrosPerDay},
    {"week", 7 * kMicrosPerDay},
    {"weeks", 7 * kMicrosPerDay},
    {"hr", kMicrosPerHour},
    {"hrs", kMicrosPerHour},
    {"usec", 1},
}};

tl::unexpected<Error> not_a_duration(std::string_view text) {
  return fail(
      ErrorCode::kInvalid,
      fmt::format("expected a duration such as '200 ms', '10 s', '5 min', '1 h' or '7 d', found '{}'", text));
}

void skip_spaces(std::string_view& rest) {
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
}

/// Takes "<digits> <unit>" off the front and adds it to `total`; false if there is none.
bool take_part(std::string_view& rest, std::int64_t& total) {
  std::int64_t number = 0;
  const auto [after, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc() || number < 0) return false;
  rest.remove_prefix(static_cast<std::size_t>(after - rest.data()));
  skip_spaces(rest);
  std::string unit;
  while (!rest.empty() && std::isalpha(static_cast<unsigned char>(rest.front())) != 0) {
    unit.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(rest.front()))));
    rest.remove_prefix(1);
  }
  skip_spaces(rest);
  for (const TimeUnit& known : kTimeUnits) {
    if (known.name != unit) continue;
    std::int64_t part = 0;
    return !__builtin_mul_overflow(number, known.micros, &part) &&
           !__builtin_add_overflow(total, part, &total);
  }
  return false;
}

}  // namespace

Result<Micros> parse_duration(std::string_view text) {
  std::string_view rest = text;
  skip_spaces(rest);
  std::int64_t total = 0;
  if (rest.empty()) return not_a_duration(text);
  while (!rest.empty())
    if (!take_part(rest, total)) return not_a_duration(text);
  return Micros(total);
}

std::string format_duration(Micros duration) {
  constexpr std::array<TimeUnit, 6> kPrinted{{{"d", kMicrosPerDay},
                                              {"h", kMicrosPerHour},
                                              {"min", kMicrosPerMinute},
                                              {"s", kMicrosPerSecond},
                                              {"ms", kMicrosPerMilli},
                                              {"us", 1}}};
  const std::int64_t micros = duration.count();
  if (micros == 0) return "0 ms";
  for (const TimeUnit& unit : kPrinted)
    if (micros % unit.micros == 0) return fmt::format("{} {}", micros / unit.micros, unit.name);
  return fmt::format("{} us", micros);
}

std::string format_rfc3339(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const CivilDate date = civil_date(day.time_since_epoch().count());
  const std::int64_t of_day = (time - day).count();
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", date.year, date.month, date.day,
                  of_day / kMicrosPerHour, of_day / kMicrosPerMinute % 60, of_day / kMicrosPerSecond % 60);
  if (const std::int64_t fraction = of_day % kMicrosPerSecond; fraction != 0) {
    text += fmt::format(".{:06}", fraction);
    while (text.back() == '0') text.pop_back();
  }
  return text + "Z";
}

}  // namespace leat
