// The daemon's log: one line per event on standard error, a constant message and key=value pairs.
// Thread-safe.
//
// Levels say what a person has to do: error = data was lost or somebody must act; warn = a surprise,
// survived; info = a state changed; debug = never per row. The same message is written at most once a second;
// the next line that comes through says how many were held back.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarn, kError };
enum class Form : std::uint8_t {
  kText,      ///< "2026-11-22T09:00:00.123Z INFO  message key=value"
  kJson,      ///< {"time":"…","level":"info","message":"…","key":"value"}
  kJournald,  ///< A record of the journal with priority and fields (journal.h); where its socket cannot be
              ///< reached "<6>message key=value": the priority prefix that systemd reads. Time is the
              ///< journal's.
};

struct Settings {
  Form form = Form::kText;
  Level level = Level::kInfo;
};

/// kJournald when standard error is connected to the journal (JOURNAL_STREAM), else kText.
Form detect_form();
/// Before any thread is started.
void configure(const Settings& settings);
Result<Level> parse_level(std::string_view name);

/// From now on, whatever was configured; any thread.
void set_level(Level level);
Level level();
std::string_view to_string(Level level);

/// A line that was written.
struct Line {
  std::int64_t time = 0;  ///< Microseconds since the epoch, by the system's clock.
  Level level = Level::kInfo;
  std::string message;
  std::vector<std::pair<std::string, std::string>> fields;
};
/// The last lines of at least this level, the oldest first; a thousand are kept at most. Any thread.
std::vector<Line> recent(std::size_t most, Level least);

using Field = std::pair<std::string_view, std::string>;
void write(Level level, std::string_view message, std::initializer_list<Field> fields);
/// The same, whatever the level, and never held back: lines that somebody counts on, such as who did what.
void always(Level level, std::string_view message, std::initializer_list<Field> fields);

inline void debug(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::kDebug, message, fields);
}
inline void info(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::kInfo, message, fields);
}
inline void warn(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::kWarn, message, fields);
}
inline void error(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::kError, message, fields);
}

}  // namespace leat::log
