// Times from text and numbers, and back: TO_TIMESTAMP, TO_DATE, DATE_FORMAT, UNIX_TIMESTAMP, CONVERT_TZ, ….
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "pipelines/base/time.h"
#include "pipelines/column/text.h"
#include "pipelines/column/zone.h"
#include "pipelines/functions/binding.h"
#include "pipelines/functions/cast.h"
#include "pipelines/functions/decimal.h"
#include "pipelines/functions/families.h"
#include "pipelines/functions/java_format.h"
#include "pipelines/functions/java_time_zone.h"
#include "pipelines/functions/parse.h"
#include "pipelines/functions/simple_date_format.h"

namespace leat::functions {
namespace {

using MaybeTime = std::optional<std::int64_t>;

constexpr std::int32_t kMillis = 3;

/// Formats that were met, by their pattern; mostly one.
template <class Format>
class FormatsOf {
 public:
  explicit FormatsOf(typename Format::Use use) : use_(use) {}
  const Result<Format>& get(std::string_view pattern) {
    const auto known = formats_.find(pattern);
    if (known != formats_.end()) return known->second;
    // A column of ever new patterns must not grow for ever.
    if (formats_.size() > 64) formats_.clear();
    return formats_.emplace(std::string(pattern), Format::compile(pattern, use_)).first->second;
  }

 private:
  typename Format::Use use_;
  std::map<std::string, Result<Format>, std::less<>> formats_;
};

using Formats = FormatsOf<JavaFormat>;
using SimpleFormats = FormatsOf<SimpleDateFormat>;
using SimpleClock = SimpleDateFormat::Clock;

// By the format; what does not fit it is tried in SQL's own form, as Flink does ("1999-9-10").
Result<MaybeTime> parse_by(Formats& formats, std::string_view text, std::string_view pattern) {
  const Result<JavaFormat>& format = formats.get(pattern);
  if (!format) return tl::unexpected(format.error());
  const MaybeTime time = format->parse(text);
  return time ? time : parse_timestamp(trimmed(text));
}

Result<MaybeTime> parse_simply(SimpleFormats& formats, SimpleClock& clock, std::string_view text,
                               std::string_view pattern) {
  const Result<SimpleDateFormat>& format = formats.get(pattern);
  if (!format) return tl::unexpected(format.error());
  return format->parse(text, clock);
}

MaybeTime to_millis(MaybeTime time) {
  return time ? MaybeTime(cut_to_precision(*time, kMillis)) : time;
}

// A wrong literal pattern is said at bind time.
template <class Format>
Status check_format(Arguments arguments, std::size_t at, typename Format::Use use) {
  if (at >= arguments.size()) return {};
  const std::optional<std::string> pattern = text_literal(arguments[at]);
  if (!pattern) return {};
  if (Result<Format> format = Format::compile(*pattern, use); !format)
    return tl::unexpected(std::move(format).error());
  return {};
}

// An overload whose kernel needs more than its cells; `run` is a map_rows over the arguments.
template <class Run>
Overload custom(std::vector<Type> parameters, Type result, Run run) {
  return {std::move(parameters), std::move(result), true, [run](const Type& type) -> Kernel {
            return [run, type](const CallContext& context, std::span<const Datum> a) {
              return run(context, type, a);
            };
          }};
}

using Text = std::string_view;

// ---- To times --------------------------------------------------------------------------------------------

Result<BoundScalar> bind_to_timestamp(Arguments arguments, const Session& session) {
  LEAT_TRY(check_format<JavaFormat>(arguments, 1, JavaFormat::Use::kParse));
  const Type text = Type::string();
  const Type type = Type::timestamp(kMillis);
  return choose("TO_TIMESTAMP(string [, format])",
                {of(
                     {text}, type, +[](Text in) { return to_millis(parse_timestamp(in)); }),
                 custom({text, text}, type,
                        [](const CallContext& context, const Type& result, std::span<const Datum> a) {
                          Formats formats(JavaFormat::Use::kParse);
                          return map_rows<Text, Text>(context, result, a,
                                                      [&](Text in, Text pattern) -> Result<MaybeTime> {
                                                        return parse_by(formats, in, pattern).map(to_millis);
                                                      });
                        })})(arguments, session);
}

Result<BoundScalar> bind_to_date(Arguments arguments, const Session& session) {
  LEAT_TRY(check_format<SimpleDateFormat>(arguments, 1, SimpleDateFormat::Use::kParse));
  using MaybeDay = std::optional<std::int32_t>;
  const Type text = Type::string();
  const auto by_format = [](const CallContext& context, const Type& result, std::span<const Datum> a) {
    SimpleFormats formats(SimpleDateFormat::Use::kParse);
    SimpleClock utc{Zone()};
    return map_rows<Text, Text>(context, result, a, [&](Text in, Text pattern) -> Result<MaybeDay> {
      LEAT_ASSIGN(const MaybeTime time, parse_simply(formats, utc, in, pattern));
      if (!time) return std::nullopt;
      return static_cast<std::int32_t>(floor_div(*time, kMicrosPerDay));
    });
  };
  return choose("TO_DATE(string [, format])",
                {of({text}, Type::date(), parse_date), custom({text, text}, Type::date(), by_format)})(
      arguments, session);
}

// Microseconds of `value` units of 10^-digits seconds; nothing when that is beyond all time.
MaybeTime scaled_time(std::int64_t value, std::int32_t digits) {
  static constexpr std::int64_t kScale[] = {1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};
  if (digits > 6) return floor_div(value, digits == 7 ? 10 : digits == 8 ? 100 : 1000);
  std::int64_t micros = 0;
  if (__builtin_mul_overflow(value, kScale[digits], &micros)) return std::nullopt;
  return micros;
}

// Towards the past, to whole milliseconds at least.
MaybeTime scaled_time(double value, std::int32_t digits) {
  const std::int32_t kept = std::max(digits, kMillis);
  const double units = std::floor(value * std::pow(10.0, kept - digits));
  if (!(std::abs(units) < 9.2e18)) return std::nullopt;
  return scaled_time(static_cast<std::int64_t>(units), kept);
}

bool is_precision(std::int32_t digits) {
  return digits >= 0 && digits <= 9;
}

/// Flink's: the years 0 to 9999, else NULL.
MaybeTime in_calendar(MaybeTime time) {
  constexpr std::int64_t kFirst = -62'167'219'200'000 * kMicrosPerMilli;
  constexpr std::int64_t kBehind = 253'402'300'800'000 * kMicrosPerMilli;
  return time && *time >= kFirst && *time < kBehind ? time : std::nullopt;
}

template <class T>
std::vector<Overload> instants_from_numbers(const Type& parameter, const Type& type) {
  Overload one =
      custom({parameter}, type, [](const CallContext& context, const Type& result, std::span<const Datum> a) {
        return map_rows<T>(context, result, a,
                           [](T value) { return in_calendar(scaled_time(value, kMillis)); });
      });
  Overload two =
      custom({parameter, Type::integer()}, type,
             [](const CallContext& context, const Type& result, std::span<const Datum> a) {
               return map_rows<T, std::int32_t>(
                   context, result, a, [](T value, std::int32_t digits) -> Result<MaybeTime> {
                     if (is_precision(digits)) return in_calendar(scaled_time(value, digits));
                     return fail(ErrorCode::kInvalid,
                                 "TO_TIMESTAMP_LTZ knows precisions 0 to 9, not " + std::to_string(digits));
                   });
             });
  return {std::move(one), std::move(two)};
}

// Text in a zone, UTC when it is not said.
Overload instant_from_text(std::size_t count, std::int32_t precision) {
  return custom(std::vector(count, Type::string()), Type::timestamp_ltz(precision),
                [](const CallContext& context, const Type& result, std::span<const Datum> a) {
                  Formats formats(JavaFormat::Use::kParse);
                  const auto parse = [&](Text in, Text pattern, Text zone_name) -> Result<MaybeTime> {
                    LEAT_ASSIGN(Zone zone, Zone::find(zone_name));
                    LEAT_ASSIGN(MaybeTime time, parse_by(formats, in, pattern));
                    if (!time) return time;
                    const std::int64_t utc = ZoneClock(std::move(zone)).to_utc(*time);
                    return MaybeTime(cut_to_precision(utc, result.precision()));
                  };
                  constexpr Text kPattern = "yyyy-MM-dd HH:mm:ss.SSS";
                  if (a.size() == 1)
                    return map_rows<Text>(context, result, a,
                                          [&](Text in) { return parse(in, kPattern, "UTC"); });
                  if (a.size() == 2)
                    return map_rows<Text, Text>(
                        context, result, a, [&](Text in, Text pattern) { return parse(in, pattern, "UTC"); });
                  return map_rows<Text, Text, Text>(context, result, a, parse);
                });
}

// The S at the end of the pattern of a text, at least those of milliseconds.
std::int32_t pattern_precision(Arguments arguments) {
  const std::optional<std::string> pattern = arguments.size() > 1 ? text_literal(arguments[1]) : std::nullopt;
  if (!pattern) return kMillis;
  const std::size_t behind = pattern->find_last_not_of('S') + 1;  // 0 if there is nothing else.
  return static_cast<std::int32_t>(std::clamp<std::size_t>(pattern->size() - behind, kMillis, 6));
}

Result<BoundScalar> bind_to_timestamp_ltz(Arguments arguments, const Session& session) {
  const bool text = !arguments.empty() && arguments[0].type.is_character();
  if (text) LEAT_TRY(check_format<JavaFormat>(arguments, 1, JavaFormat::Use::kParse));
  // A literal precision beyond milliseconds shows in the type.
  const bool literal = !text && arguments.size() == 2 && arguments[1].type.is_integer() &&
                       arguments[1].literal && !arguments[1].literal->is_null();
  const std::int64_t digits = literal ? arguments[1].literal->as_integer() : kMillis;
  if (literal && !is_precision(static_cast<std::int32_t>(std::min<std::int64_t>(digits, 10))))
    return fail(ErrorCode::kInvalid,
                "TO_TIMESTAMP_LTZ knows precisions 0 to 9, not " + std::to_string(digits));
  const Type type = Type::timestamp_ltz(std::max(kMillis, static_cast<std::int32_t>(digits)));
  std::vector<Overload> overloads = instants_from_numbers<std::int64_t>(Type::big_int(), type);
  for (Overload& overload : instants_from_numbers<double>(Type::float64(), type))
    overloads.push_back(std::move(overload));
  for (std::size_t count = 1; count <= 3; ++count)
    overloads.push_back(instant_from_text(count, pattern_precision(arguments)));
  // The fraction of a DECIMAL is cut off, that of a DOUBLE is not.
  std::vector<ArgumentInfo> whole(arguments.begin(), arguments.end());
  if (!whole.empty() && whole[0].type.kind() == TypeKind::kDecimal)
    whole[0].type = Type::big_int().with_nullable(whole[0].type.nullable());
  return choose("TO_TIMESTAMP_LTZ(number [, precision]), TO_TIMESTAMP_LTZ(string [, format [, zone]])",
                std::move(overloads))(whole, session);
}

// ---- To text ---------------------------------------------------------------------------------------------

Result<std::string> print_by(Formats& formats, std::int64_t local, std::string_view pattern) {
  const Result<JavaFormat>& format = formats.get(pattern);
  if (!format) return tl::unexpected(format.error());
  std::string out;
  format->print(local, out);
  return out;
}

constexpr Text kSeconds = "yyyy-MM-dd HH:mm:ss";

Result<std::string> print_simply(SimpleFormats& formats, SimpleClock& clock, std::int64_t utc,
                                 std::string_view pattern) {
  const Result<SimpleDateFormat>& format = formats.get(pattern);
  if (!format) return tl::unexpected(format.error());
  std::string out;
  format->print(utc, clock, out);
  return out;
}

// DATE_FORMAT of a text, which must have a date and a time: NULL where it is none.
Result<BoundScalar> format_of_text(Arguments arguments) {
  LEAT_TRY(check_format<SimpleDateFormat>(arguments, 1, SimpleDateFormat::Use::kPrint));
  LEAT_ASSIGN(SimpleDateFormat read, SimpleDateFormat::compile(kSeconds, SimpleDateFormat::Use::kParse));
  const Type type = Type::string();
  return BoundScalar{type, {type, type}, [=](const CallContext& context, std::span<const Datum> a) {
                       SimpleFormats formats(SimpleDateFormat::Use::kPrint);
                       SimpleClock utc{Zone()};
                       return map_rows<Text, Text>(
                           context, type, a,
                           [&](Text in, Text pattern) -> Result<std::optional<std::string>> {
                             const MaybeTime time = read.parse(in, utc);
                             if (!time) return std::nullopt;
                             return print_simply(formats, utc, *time, pattern).map([](std::string&& text) {
                               return std::optional(std::move(text));
                             });
                           });
                     }};
}

Result<BoundScalar> bind_date_format(Arguments arguments, const Session& session) {
  constexpr std::string_view kSignature = "DATE_FORMAT(time or string, format)";
  if (arguments.size() != 2) return wrong_arguments(kSignature, arguments);
  const Type from = type_or(arguments[0], Type::timestamp(kMillis));
  const bool local = from.kind() == TypeKind::kTimestampLtz;
  const bool known = from.is_timestamp() || from.is_character() || from.kind() == TypeKind::kDate;
  if (!known || !implicitly_castable(arguments[1].type, Type::string()))
    return wrong_arguments(kSignature, arguments);
  LEAT_ASSIGN(Zone zone, Zone::find(local ? session.time_zone : "UTC"));
  const Type point = local ? from : Type::timestamp(9);
  if (from.is_character()) return format_of_text(arguments);
  LEAT_TRY(check_format<JavaFormat>(arguments, 1, JavaFormat::Use::kPrint));
  const Type type = nullable_like(Type::string(), arguments);
  return BoundScalar{
      type, {point, Type::string()}, [=](const CallContext& context, std::span<const Datum> a) {
        Formats formats(JavaFormat::Use::kPrint);
        ZoneClock clock(zone);
        return map_rows<std::int64_t, Text>(context, type, a, [&](std::int64_t time, Text pattern) {
          return print_by(formats, clock.to_local(time), pattern);
        });
      }};
}

constexpr std::string_view kConvertTzSignature = "CONVERT_TZ(string, from, to)";

Result<BoundScalar> bind_from_unixtime(Arguments arguments, const Session& session) {
  LEAT_TRY(check_format<SimpleDateFormat>(arguments, 1, SimpleDateFormat::Use::kPrint));
  LEAT_ASSIGN(Zone zone, Zone::find(session.time_zone));
  const auto print = [zone](const CallContext& context, const Type& type, std::span<const Datum> a) {
    SimpleFormats formats(SimpleDateFormat::Use::kPrint);
    SimpleClock clock(zone);
    const auto one = [&](std::int64_t seconds, Text pattern) -> Result<std::string> {
      const MaybeTime time = scaled_time(seconds, 0);
      if (!time)
        return fail(ErrorCode::kInvalid,
                    "FROM_UNIXTIME of " + std::to_string(seconds) + " is beyond all time");
      return print_simply(formats, clock, *time, pattern);
    };
    if (a.size() == 1)
      return map_rows<std::int64_t>(context, type, a,
                                    [&](std::int64_t seconds) { return one(seconds, kSeconds); });
    return map_rows<std::int64_t, Text>(context, type, a, one);
  };
  const Type text = Type::string();
  return choose("FROM_UNIXTIME(seconds [, format])",
                {custom({Type::big_int()}, text, print), custom({Type::big_int(), text}, text, print)})(
      arguments, session);
}

// What cannot be read is Java's least long, as in Flink.
Result<BoundScalar> bind_unix_timestamp(Arguments arguments, const Session& session) {
  LEAT_TRY(check_format<SimpleDateFormat>(arguments, 1, SimpleDateFormat::Use::kParse));
  LEAT_ASSIGN(Zone zone, Zone::find(session.time_zone));
  if (arguments.empty()) {
    const Type type = Type::big_int().with_nullable(false);
    return BoundScalar{type,
                       {},
                       [type](const CallContext& context, std::span<const Datum>) {
                         Output<std::int64_t> out(type, context.rows);
                         for (std::size_t i = 0; i < context.rows; ++i)
                           out.data()[i] = floor_div(context.intake_times[i], kMicrosPerSecond);
                         return out.finish({});
                       },
                       false};
  }
  const auto read = [zone](const CallContext& context, const Type& type, std::span<const Datum> a) {
    SimpleFormats formats(SimpleDateFormat::Use::kParse);
    SimpleClock clock(zone);
    const auto one = [&](Text in, Text pattern) {
      // Java's division: towards 1970, on both of its sides.
      return parse_simply(formats, clock, in, pattern).map([](MaybeTime time) {
        return time ? *time / kMicrosPerSecond : std::numeric_limits<std::int64_t>::min();
      });
    };
    if (a.size() == 1) return map_rows<Text>(context, type, a, [&](Text in) { return one(in, kSeconds); });
    return map_rows<Text, Text>(context, type, a, one);
  };
  const Type text = Type::string();
  return choose("UNIX_TIMESTAMP([string [, format]])",
                {custom({text}, Type::big_int(), read), custom({text, text}, Type::big_int(), read)})(
      arguments, session);
}

/// The zone of the row before; the most columns of zones repeat one.
class ZoneCache {
 public:
  SimpleClock& get(std::string_view name) {
    if (name != name_) {
      name_ = name;
      clock_ = SimpleClock(java_time_zone(name));
    }
    return clock_;
  }

 private:
  std::string name_;
  SimpleClock clock_{Zone()};
};

Result<BoundScalar> bind_convert_tz(Arguments arguments, const Session& session) {
  LEAT_ASSIGN(SimpleDateFormat read, SimpleDateFormat::compile(kSeconds, SimpleDateFormat::Use::kParse));
  const auto convert = [read](const CallContext& context, const Type& type, std::span<const Datum> a) {
    ZoneCache sources;
    ZoneCache targets;
    return map_rows<Text, Text, Text>(context, type, a, [&](Text in, Text from, Text to) {
      std::optional<std::string> out;
      if (const MaybeTime time = read.parse(in, sources.get(from)))
        read.print(*time, targets.get(to), out.emplace());
      return out;
    });
  };
  const Type text = Type::string();
  return choose(std::string(kConvertTzSignature), {custom({text, text, text}, text, convert)})(arguments,
                                                                                               session);
}

}  // namespace

ScalarFunctions time_text_functions() {
  return {
      {"TO_TIMESTAMP", "TO_TIMESTAMP(string [, format])",
       "The text as TIMESTAMP(3); NULL if it is none. A zone in it is read and not heeded.",
       "TO_TIMESTAMP('1970-01-01 08:01:40')", "1970-01-01 08:01:40.000", bind_to_timestamp},
      {"TO_TIMESTAMP_LTZ",
       "TO_TIMESTAMP_LTZ(number [, precision]), TO_TIMESTAMP_LTZ(string [, format [, zone]])",
       "Seconds (precision 0), milliseconds (3, the default), … since 1970, or text in a zone (UTC if it is "
       "not said; one in the text itself is read and not heeded), as an instant.",
       "TO_TIMESTAMP_LTZ(1234, 3)", "1970-01-01 00:00:01.234", bind_to_timestamp_ltz},
      {"TO_DATE", "TO_DATE(string [, format])", "The text as DATE; NULL if it is none.",
       "TO_DATE('2018-03-18')", "2018-03-18", bind_to_date},
      {"DATE_FORMAT", "DATE_FORMAT(time or string, format)", "The time as text, by a pattern of Java.",
       "DATE_FORMAT(TIMESTAMP '2018-03-14 01:02:03', 'yyyy/MM/dd HH:mm')", "2018/03/14 01:02",
       bind_date_format},
      {"FROM_UNIXTIME", "FROM_UNIXTIME(seconds [, format])",
       "Seconds since 1970 as text in the session's zone.", "FROM_UNIXTIME(44)", "1970-01-01 00:00:44",
       bind_from_unixtime},
      {"UNIX_TIMESTAMP", "UNIX_TIMESTAMP([string [, format]])",
       "Seconds since 1970, of now or of a text in the session's zone.",
       "UNIX_TIMESTAMP('2015-07-24 10:00:00')", "1437732000", bind_unix_timestamp},
      {"CONVERT_TZ", std::string(kConvertTzSignature),
       "The text's wall clock in another zone; zones are Java's, also 'PST', and an unknown one is GMT.",
       "CONVERT_TZ('2018-03-14 11:00:00', 'UTC', 'Asia/Shanghai')", "2018-03-14 19:00:00", bind_convert_tz},
  };
}

}  // namespace leat::functions
