// A calendar that takes any number for any field, as java.util.GregorianCalendar does: the 32nd of January is
// the 1st of February, minute 90 is an hour and a half. What is not set is that of 1970-01-01 00:00:00. Of
// fields that contradict each other (a day of the month, a day of the year) the one set last counts.
//
// Unlike Java's it is Gregorian before 1582, too.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace leat::functions {

enum class CalendarField : std::uint8_t {
  kEra,  ///< 0: before Christ.
  kYear,
  kWeekYear,
  kMonth,  ///< From 0.
  kDay,
  kDayOfYear,
  kWeekOfYear,
  kWeekOfMonth,
  kDayOfWeekInMonth,  ///< 2: the second Tuesday, say.
  kDayOfWeek,         ///< Sunday is 1.
  kHourOfDay,
  kHour,       ///< Of half a day, from 0.
  kAfternoon,  ///< 1: behind noon.
  kMinute,
  kSecond,
  kMilli,
  kNumber  ///< How many there are.
};

class LenientCalendar {
 public:
  void set(CalendarField field, std::int32_t value);
  /// The wall clock in microseconds; nothing beyond the years -32767 to 32767.
  [[nodiscard]] std::optional<std::int64_t> micros() const;

 private:
  static constexpr std::size_t kFields = static_cast<std::size_t>(CalendarField::kNumber);

  /// 0: not set; else greater than that of every field set before.
  [[nodiscard]] int stamp(CalendarField field) const { return stamps_[static_cast<std::size_t>(field)]; }
  [[nodiscard]] std::int64_t get(CalendarField field, std::int64_t unset) const;
  [[nodiscard]] std::optional<std::int64_t> day() const;
  [[nodiscard]] std::int64_t day_in_month(std::int64_t first, bool by_week) const;
  [[nodiscard]] std::int64_t day_in_week(std::int64_t first, CalendarField week) const;
  [[nodiscard]] std::int64_t seconds_of_day() const;

  std::array<std::int32_t, kFields> values_{};
  std::array<int, kFields> stamps_{};
  int last_ = 0;
};

}  // namespace leat::functions
