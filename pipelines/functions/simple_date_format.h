// Patterns of Java's SimpleDateFormat, by which Flink reads and prints in UNIX_TIMESTAMP, FROM_UNIXTIME,
// CONVERT_TZ, TO_DATE(string, format) and DATE_FORMAT of a string. DATE_FORMAT of a time and TO_TIMESTAMP go
// by DateTimeFormatter (java_format.h), which is strict and has other letters.
//
// Letters: G y Y M L w W D d F E u a H k K h m s S (milliseconds) z Z X. Reading is lenient: numbers beyond
// their range go on in the next unit, and what follows the pattern's end is not looked at. Two digits of a
// year are 1946 to 2045: Java takes 80 years before today, but the engine knows no today.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"
#include "pipelines/column/zone.h"
#include "pipelines/functions/calendar_text.h"

namespace leat::functions {

class SimpleDateFormat {
 public:
  enum class Use : std::uint8_t { kPrint, kParse };
  /// Errors: invalid, names the pattern and the letter. zzzz, the zone's long name, is read only.
  static Result<SimpleDateFormat> compile(std::string_view pattern, Use use);

  /// A point in time and the zone that it is read or printed in; one for a column.
  class Clock {
   public:
    explicit Clock(Zone zone) : zone_(zone), clock_(std::move(zone)) {}
    [[nodiscard]] const Zone& zone() const { return zone_; }
    std::int64_t to_local(std::int64_t utc) { return clock_.to_local(utc); }
    /// Of a time that exists twice the later one, as java.util.Calendar does and java.time does not.
    std::int64_t to_utc(std::int64_t local);

   private:
    Zone zone_;
    ZoneClock clock_;
  };

  /// Appends a point in time.
  void print(std::int64_t utc, Clock& clock, std::string& out) const;
  /// The point in time whose text stands at the front of `text`.
  [[nodiscard]] std::optional<std::int64_t> parse(std::string_view text, Clock& clock) const;

 private:
  struct Reading;
  /// Whether the next part is a field, so that a number before it ends by its count of letters.
  [[nodiscard]] bool abuts(std::size_t part) const;
  static std::optional<bool> read_word(const PatternPart& part, std::string_view& text, Reading& reading);
  static bool read(const PatternPart& part, bool abutting, std::string_view& text, Reading& reading);

  std::vector<PatternPart> parts_;
};

}  // namespace leat::functions
