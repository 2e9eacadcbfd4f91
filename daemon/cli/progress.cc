#include "daemon/cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace leat::cli {
namespace {

/// Rates are those of so long.
constexpr std::int64_t kMemory = 5 * kMicrosPerSecond;

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string time_of(std::uint64_t seconds) {
  if (seconds < 100) return fmt::format("{} s", seconds);
  if (seconds < 100 * 60) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
}

std::uint64_t per_second(std::uint64_t amount, std::int64_t micros) {
  return static_cast<std::uint64_t>(static_cast<double>(amount) * 1e6 / static_cast<double>(micros));
}

/// "27.4 of 80.0 MB".
std::string part_of(std::uint64_t done, std::uint64_t whole) {
  const auto [unit, name] = whole >= 10'000'000'000 ? std::pair{1e9, "GB"} : std::pair{1e6, "MB"};
  return fmt::format("{:.1f} of {:.1f} {}", static_cast<double>(done) / unit,
                     static_cast<double>(whole) / unit, name);
}

std::size_t columns() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

void write(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

std::string progress_text(const std::deque<ProgressSample>& samples) {
  const ProgressSample& first = samples.front();
  const ProgressSample& last = samples.back();
  const std::int64_t micros = last.time - first.time;
  const std::string rate =
      micros > 0 ? with_commas(per_second(last.rows - first.rows, micros)) + " rows/s" : "- rows/s";
  if (last.whole_bytes == 0) return fmt::format("{} rows  {}", with_commas(last.rows), rate);
  const std::uint64_t done = std::min(last.done_bytes, last.whole_bytes);
  const std::uint64_t bytes = micros > 0 ? per_second(last.done_bytes - first.done_bytes, micros) : 0;
  const std::string rest = done == last.whole_bytes ? "  finishing"
                           : bytes > 0 ? "  " + time_of((last.whole_bytes - done) / bytes) + " left"
                                       : "";
  return fmt::format("{:3} %  {}  {}{}", done * 100 / last.whole_bytes, part_of(done, last.whole_bytes), rate,
                     rest);
}

bool can_show_progress() {
  const char* const terminal = std::getenv("TERM");
  const bool draws = terminal == nullptr || std::string_view(terminal) != "dumb";
  return draws && ::isatty(STDERR_FILENO) == 1;
}

void ProgressLine::show(const ProgressSample& sample) {
  samples_.push_back(sample);
  while (samples_.size() > 2 && samples_.back().time - samples_[1].time >= kMemory) samples_.pop_front();
  std::string text = progress_text(samples_);
  // A line that wraps could not be drawn over.
  text.resize(std::min(text.size(), columns() - 1));
  write(fmt::format("\r{}\x1b[K\r", text));
  shown_ = true;
}

void ProgressLine::clear() {
  if (shown_) write("\r\x1b[K");
  shown_ = false;
}

}  // namespace leat::cli
