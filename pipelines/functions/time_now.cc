// The row's own time: when it came in, and the watermark before it. Never folded.
#include "pipelines/base/time.h"
#include "pipelines/column/zone.h"
#include "pipelines/functions/binding.h"
#include "pipelines/functions/cast.h"
#include "pipelines/functions/families.h"

namespace leat::functions {
namespace {

// What is taken of the wall clock, or of the instant.
enum class NowPart : std::uint8_t { kInstant, kTimestamp, kDate, kTime };

Type type_of(NowPart part) {
  switch (part) {
    case NowPart::kInstant:
      return Type::timestamp_ltz(3).with_nullable(false);
    case NowPart::kTimestamp:
      return Type::timestamp(3).with_nullable(false);
    case NowPart::kDate:
      return Type::date().with_nullable(false);
    default:
      return Type::time(0).with_nullable(false);
  }
}

ColumnPtr now_column(NowPart part, const Type& type, const Zone& zone, const CallContext& context) {
  ZoneClock clock(zone);
  if (part == NowPart::kDate) {
    Output<std::int32_t> out(type, context.rows);
    for (std::size_t i = 0; i < context.rows; ++i)
      out.data()[i] =
          static_cast<std::int32_t>(floor_div(clock.to_local(context.intake_times[i]), kMicrosPerDay));
    return out.finish({});
  }
  Output<std::int64_t> out(type, context.rows);
  for (std::size_t i = 0; i < context.rows; ++i) {
    const std::int64_t time = context.intake_times[i];
    const std::int64_t shown = part == NowPart::kInstant ? time : clock.to_local(time);
    out.data()[i] =
        cut_to_precision(part == NowPart::kTime ? floor_mod(shown, kMicrosPerDay) : shown, type.precision());
  }
  return out.finish({});
}

// The examples show what does not change with the clock.
ScalarFunction now_function(std::string name, NowPart part, std::string doc, std::string call,
                            std::string length) {
  const std::string example = "CHAR_LENGTH(CAST(" + call + " AS STRING))";
  return {name,
          call,
          std::move(doc),
          example,
          std::move(length),
          [=](Arguments arguments, const Session& session) -> Result<BoundScalar> {
            if (!arguments.empty()) return wrong_arguments(call, arguments);
            LEAT_ASSIGN(Zone zone, Zone::find(session.time_zone));
            const Type type = type_of(part);
            return BoundScalar{type,
                               {},
                               [=](const CallContext& context, std::span<const Datum>) {
                                 return now_column(part, type, zone, context);
                               },
                               false};
          }};
}

Result<BoundScalar> bind_current_watermark(Arguments arguments, const Session&) {
  if (arguments.size() != 1 || !arguments[0].type.is_timestamp())
    return wrong_arguments("CURRENT_WATERMARK(rowtime)", arguments);
  const Type type = Type(arguments[0].type.kind(), 3);
  return BoundScalar{type,
                     {arguments[0].type},
                     [type](const CallContext& context, std::span<const Datum> a) {
                       Collector<std::int64_t> out(context, type, {});
                       for (std::size_t i = 0; i < context.rows; ++i) {
                         if (context.watermarks[i] == kMinWatermark)
                           out.put_null(i);
                         else
                           out.put(i, cut_to_precision(context.watermarks[i], 3));
                       }
                       return out.finish(a);
                     },
                     false};
}

}  // namespace

ScalarFunctions time_now_functions() {
  using enum NowPart;
  const std::string instant = "When the row came in, as an instant.";
  return {
      now_function("CURRENT_TIMESTAMP", kInstant, instant, "CURRENT_TIMESTAMP", "23"),
      now_function("CURRENT_ROW_TIMESTAMP", kInstant, instant, "CURRENT_ROW_TIMESTAMP()", "23"),
      now_function("NOW", kInstant, instant, "NOW()", "23"),
      now_function("PROCTIME", kInstant, instant, "PROCTIME()", "23"),
      now_function("LOCALTIMESTAMP", kTimestamp, "When the row came in, on the session's wall clock.",
                   "LOCALTIMESTAMP", "23"),
      now_function("CURRENT_DATE", kDate, "The date on which the row came in, in the session's zone.",
                   "CURRENT_DATE", "10"),
      now_function("CURRENT_TIME", kTime, "The time of day at which the row came in, in the session's zone.",
                   "CURRENT_TIME", "8"),
      now_function("LOCALTIME", kTime, "The same as CURRENT_TIME.", "LOCALTIME", "8"),
      {"CURRENT_WATERMARK", "CURRENT_WATERMARK(rowtime)",
       "The watermark before the row; NULL before the first.",
       "CURRENT_WATERMARK(TIMESTAMP '2020-01-01 00:00:00') IS NULL", "TRUE", bind_current_watermark},
  };
}

}  // namespace leat::functions
