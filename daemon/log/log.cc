#include "daemon/log/log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>

#include "daemon/log/journal.h"
#include "pipelines/base/time.h"

namespace leat::log {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kQuietTime = std::chrono::seconds(1);
constexpr std::size_t kRememberedMessages = 1024;

/// Of the lines that are kept for who asks: the oldest go.
constexpr std::size_t kKeptLines = 1'000;
constexpr std::size_t kKeptBytes = 512 * 1024;

std::string_view name_of(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarn:
      return "warn";
    case Level::kError:
      return "error";
  }
  return "info";
}

/// syslog's priorities.
int priority_of(Level level) {
  switch (level) {
    case Level::kDebug:
      return 7;
    case Level::kInfo:
      return 6;
    case Level::kWarn:
      return 4;
    case Level::kError:
      return 3;
  }
  return 6;
}

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

/// A value as logfmt has it: quoted when it holds a space, a quote or nothing; always on one line.
void append_value(std::string_view value, std::string& out) {
  if (!value.empty() && value.find_first_of(" \"=\n\r\t") == std::string_view::npos) {
    out += value;
    return;
  }
  append_json_string(value, out);
}

std::string now_text() {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  // Three digits in each line, so that the words behind them stand below each other.
  std::string text = format_rfc3339(Timestamp(now.time_since_epoch()));
  text.pop_back();
  const std::size_t point = text.find('.');
  if (point == std::string::npos) return text + ".000Z";
  text.resize(point + 4, '0');
  return text + "Z";
}

std::string text_line(std::string_view message, std::initializer_list<Field> fields,
                      std::uint64_t held_back) {
  std::string line(message);
  for (const auto& [key, value] : fields) {
    line += fmt::format(" {}=", key);
    append_value(value, line);
  }
  if (held_back > 0) line += fmt::format(" repeated={}", held_back);
  return line;
}

std::string json_line(Level level, std::string_view message, std::initializer_list<Field> fields,
                      std::uint64_t held_back) {
  std::string line = fmt::format(R"({{"time":"{}","level":"{}","message":)", now_text(), name_of(level));
  append_json_string(message, line);
  for (const auto& [key, value] : fields) {
    line += ',';
    append_json_string(key, line);
    line += ':';
    append_json_string(value, line);
  }
  if (held_back > 0) line += fmt::format(R"(,"repeated":{})", held_back);
  return line + "}";
}

/// The one log of the process. A process has one standard error, so this is the one place with a global.
class Log {
 public:
  void configure(const Settings& settings) {
    const std::scoped_lock lock(mutex_);
    settings_ = settings;
    to_journal_ = settings.form == Form::kJournald && journal_is_there();
  }

  enum class Repeats : std::uint8_t { kHeldBack, kWritten };
  void write(Level level, std::string_view message, std::initializer_list<Field> fields, Repeats repeats) {
    const std::scoped_lock lock(mutex_);
    if (repeats == Repeats::kHeldBack && level < settings_.level) return;
    std::uint64_t held_back = 0;
    if (repeats == Repeats::kHeldBack && !admit(message, fields, held_back)) return;
    put_out(level, message, fields, held_back);
    keep(level, message, fields, held_back);
  }

  void set_level(Level level) {
    const std::scoped_lock lock(mutex_);
    settings_.level = level;
  }
  Level level() {
    const std::scoped_lock lock(mutex_);
    return settings_.level;
  }
  std::vector<Line> recent(std::size_t most, Level least) {
    const std::scoped_lock lock(mutex_);
    std::vector<Line> lines;
    for (auto line = kept_.rbegin(); line != kept_.rend() && lines.size() < most; ++line)
      if (line->level >= least) lines.push_back(*line);
    std::ranges::reverse(lines);
    return lines;
  }

 private:
  struct Seen {
    Clock::time_point last;
    std::uint64_t held_back = 0;
  };

  static std::size_t bytes_of(const Line& line) {
    std::size_t bytes = sizeof(Line) + line.message.size();
    for (const auto& [key, value] : line.fields) bytes += key.size() + value.size() + sizeof(line.fields[0]);
    return bytes;
  }

  void keep(Level level, std::string_view message, std::initializer_list<Field> fields,
            std::uint64_t held_back) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    Line line{.time = std::chrono::duration_cast<Micros>(now).count(),
              .level = level,
              .message = std::string(message),
              .fields = {}};
    for (const auto& [key, value] : fields) line.fields.emplace_back(key, value);
    if (held_back > 0) line.fields.emplace_back("repeated", std::to_string(held_back));
    kept_bytes_ += bytes_of(line);
    kept_.push_back(std::move(line));
    while (kept_.size() > kKeptLines || (kept_bytes_ > kKeptBytes && kept_.size() > 1)) {
      kept_bytes_ -= bytes_of(kept_.front());
      kept_.pop_front();
    }
  }

  bool admit(std::string_view message, std::initializer_list<Field> fields, std::uint64_t& held_back) {
    const auto now = Clock::now();
    if (seen_.size() > kRememberedMessages) seen_.clear();
    // The first field names the thing, and these what of it: its neighbour's message is another message.
    std::string identity(message);
    for (const auto& field : fields)
      if (&field == fields.begin() || field.first == "table" || field.first == "sink")
        identity += '\0' + field.second;
    const auto [entry, fresh] = seen_.try_emplace(std::move(identity), Seen{now});
    if (!fresh && now - entry->second.last < kQuietTime) {
      ++entry->second.held_back;
      return false;
    }
    held_back = std::exchange(entry->second.held_back, 0);
    entry->second.last = now;
    return true;
  }

  /// To the journal itself, or to standard error, which may be its stream.
  void put_out(Level level, std::string_view message, std::initializer_list<Field> fields,
               std::uint64_t held_back) {
    if (to_journal_ && send_to_journal(priority_of(level), text_line(message, fields, held_back), fields))
      return;
    logger_.info("{}", line(level, message, fields, held_back));
    logger_.flush();
  }

  [[nodiscard]] std::string line(Level level, std::string_view message, std::initializer_list<Field> fields,
                                 std::uint64_t held_back) const {
    switch (settings_.form) {
      case Form::kJson:
        return json_line(level, message, fields, held_back);
      case Form::kJournald:
        return fmt::format("<{}>{}", priority_of(level), text_line(message, fields, held_back));
      case Form::kText:
        break;
    }
    return fmt::format("{} {:<5} {}", now_text(), name_of(level), text_line(message, fields, held_back));
  }

  static spdlog::logger plain_logger() {
    spdlog::logger logger("leat", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger.set_pattern("%v");
    logger.set_level(spdlog::level::trace);
    return logger;
  }

  std::mutex mutex_;
  Settings settings_;
  bool to_journal_ = false;
  std::unordered_map<std::string, Seen> seen_;
  std::deque<Line> kept_;
  std::size_t kept_bytes_ = 0;
  spdlog::logger logger_ = plain_logger();
};

Log& the_log() {
  static Log log;
  return log;
}

}  // namespace

Form detect_form() {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || ::fstat(2, &status) != 0) return Form::kText;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream ? Form::kJournald : Form::kText;
}

void configure(const Settings& settings) {
  the_log().configure(settings);
}

Result<Level> parse_level(std::string_view name) {
  for (const Level level : {Level::kDebug, Level::kInfo, Level::kWarn, Level::kError})
    if (name_of(level) == name) return level;
  return fail(ErrorCode::kInvalid,
              fmt::format("expected 'debug', 'info', 'warn' or 'error', found '{}'", name));
}

void set_level(Level level) {
  the_log().set_level(level);
}

Level level() {
  return the_log().level();
}

std::string_view to_string(Level level) {
  return name_of(level);
}

std::vector<Line> recent(std::size_t most, Level least) {
  return the_log().recent(most, least);
}

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  the_log().write(level, message, fields, Log::Repeats::kHeldBack);
}

void always(Level level, std::string_view message, std::initializer_list<Field> fields) {
  the_log().write(level, message, fields, Log::Repeats::kWritten);
}

}  // namespace leat::log
