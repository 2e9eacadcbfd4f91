// leat_bench_anomaly: runs a detector over series, or times it.
//
//   leat_bench_anomaly --method M [--history N] IN OUT
//       Each file of the folder IN whose name ends in .csv, with lines of timestamp,value, becomes a file of
//       the same relative path in OUT, with lines of timestamp,value,anomaly_score. The score is -log10 of
//       the chance of such a value; rows in which an alert is held back have 0, rows without a verdict, too.
//       OUT is another folder than IN and not in it. A file is there when it is whole: a line that cannot be
//       read ends the program, and leaves nothing of its file.
//   leat_bench_anomaly --method M [--history N] --speed DEVICES ROWS
//       ROWS rows of generated series, one row of each of DEVICES devices after the other. Prints nanoseconds
//       and events for each second of one core, and bytes held for each device. The alerts are counted twice,
//       by two runs that must agree.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/anomaly/detector_table.h"
#include "pipelines/base/time.h"

namespace {

namespace fs = std::filesystem;
using leat::anomaly::DetectorOptions;
using leat::anomaly::DetectorPtr;
using leat::anomaly::Verdict;

constexpr int kWrongUsage = 2;

struct Arguments {
  DetectorOptions options;
  bool speed = false;
  std::vector<std::string> rest;
};

std::optional<Arguments> parse(int argc, char** argv) {
  Arguments arguments;
  leat::OptionMap given;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if ((word == "--method" || word == "--history") && i + 1 < argc)
      given[std::string(word.substr(2))] = argv[++i];
    else if (word == "--speed")
      arguments.speed = true;
    else
      arguments.rest.emplace_back(word);
  }
  std::vector<leat::OptionError> mistakes;
  arguments.options = leat::anomaly::detector_option_table().read(given, {}, mistakes);
  if (mistakes.empty())
    if (auto useless = find_useless(given, arguments.options)) mistakes.push_back(*std::move(useless));
  if (mistakes.empty())
    if (auto mistake = find_mistake(arguments.options, 1)) mistakes.push_back(*std::move(mistake));
  for (const leat::OptionError& mistake : mistakes) fmt::print(stderr, "{}\n", mistake.message);
  if (!mistakes.empty() || arguments.rest.size() != 2) return std::nullopt;
  return arguments;
}

// ---- Files -----------------------------------------------------------------------------------------------

/// "2014-07-01 00:30:00" in UTC, in microseconds; none: it is no such time.
std::optional<std::int64_t> time_of(std::string_view text) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  const std::string copy(text);
  if (std::sscanf(copy.c_str(), "%d-%u-%u%*c%d:%d:%d", &year, &month, &day, &hour, &minute, &second) != 6)
    return std::nullopt;
  const auto days =
      std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day));
  const std::chrono::seconds time = days.time_since_epoch() + std::chrono::hours(hour) +
                                    std::chrono::minutes(minute) + std::chrono::seconds(second);
  return time.count() * leat::kMicrosPerSecond;
}

/// What an alert has to rise above: within `cooldown` rows behind one there is none.
class HeldBack {
 public:
  explicit HeldBack(const DetectorOptions& options) {
    constexpr std::uint32_t kOfNovelty = 120;
    const bool novelty = options.method == leat::anomaly::Method::kNovelty;
    rows_ = options.cooldown.value_or(novelty ? kOfNovelty : 0);
  }
  double score(const Verdict& verdict) {
    ++since_alert_;
    if (verdict.alert) since_alert_ = 0;
    if (std::isnan(verdict.rarity)) return 0;
    return verdict.alert || since_alert_ > rows_ ? verdict.rarity : 0;
  }

 private:
  std::uint64_t rows_ = 0;
  std::uint64_t since_alert_ = 1'000'000'000;
};

/// False: the line that is no timestamp,value has been reported.
bool run_lines(std::istream& in, std::ostream& out, const fs::path& from, const DetectorOptions& options) {
  const DetectorPtr detector = make_detector(options, 1);
  HeldBack held_back(options);
  std::string line;
  std::getline(in, line);
  out << "timestamp,value,anomaly_score\n";
  for (std::size_t number = 2; std::getline(in, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    const std::size_t comma = line.find(',');
    const auto time = time_of(line.substr(0, comma));
    const char* const digits = comma == std::string::npos ? "" : line.c_str() + comma + 1;
    char* end = nullptr;
    const double value = std::strtod(digits, &end);
    if (!time || end == digits || *end != '\0') {
      fmt::print(stderr, "{}:{}: '{}' is no timestamp,value\n", from.string(), number, line);
      return false;
    }
    out << fmt::format("{},{:.6f}\n", line, held_back.score(detector->observe({&value, 1}, *time)));
  }
  return true;
}

/// Writes beside `to` and renames.
bool run_file(const fs::path& from, const fs::path& to, const DetectorOptions& options) {
  std::ifstream in(from);
  fs::create_directories(to.parent_path());
  fs::path aside = to;
  aside += ".part";
  std::ofstream out(aside);
  bool whole = run_lines(in, out, from, options);
  out.close();
  if (whole && !out.good()) {
    fmt::print(stderr, "{}: cannot be written\n", aside.string());
    whole = false;
  }
  if (whole)
    fs::rename(aside, to);
  else
    fs::remove(aside);
  return whole;
}

bool is_in(const fs::path& inner, const fs::path& outer) {
  const fs::path path = fs::weakly_canonical(inner).lexically_relative(fs::canonical(outer));
  return !path.empty() && *path.begin() != "..";
}

int run_folder(const Arguments& arguments) {
  const fs::path in = arguments.rest[0];
  if (is_in(arguments.rest[1], in)) {
    fmt::print(stderr, "leat_bench_anomaly: OUT '{}' is the folder IN, or in it: give another one\n",
               arguments.rest[1]);
    return kWrongUsage;
  }
  std::size_t files = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(in)) {
    if (entry.path().extension() != ".csv") continue;
    if (!run_file(entry.path(), arguments.rest[1] / fs::relative(entry.path(), in), arguments.options))
      return 1;
    ++files;
  }
  fmt::print("{} files\n", files);
  return files > 0 ? 0 : 1;
}

// ---- Speed -----------------------------------------------------------------------------------------------

/// A day's wave with noise that follows itself: what sensors give.
class Series {
 public:
  explicit Series(std::uint64_t seed) : random_(seed) {}
  double next(std::uint64_t row) {
    drift_ = 0.9 * drift_ + fraction() + fraction() - 1;
    return 20 + 5 * std::sin(2 * std::numbers::pi * static_cast<double>(row % kRowsOfDay) / kRowsOfDay) +
           drift_;
  }
  static constexpr std::int64_t kMicrosOfRow = 5 * leat::kMicrosPerMinute;

 private:
  static constexpr std::uint64_t kRowsOfDay = 288;
  double fraction() {
    random_ = random_ * 6364136223846793005 + 1442695040888963407;
    return static_cast<double>(random_ >> 11) * 0x1p-53;
  }
  std::uint64_t random_;
  double drift_ = 0;
};

struct Timed {
  std::uint64_t alerts = 0;
  std::size_t bytes = 0;
  double seconds = 0;
};

/// The first half of the rows fills the histories; the second one is timed.
Timed time_rows(const DetectorOptions& options, std::size_t devices, std::size_t rows) {
  std::vector<DetectorPtr> detectors;
  std::vector<double> values;
  constexpr std::size_t kBlock = 1 << 16;  // Values are made outside of the time that is taken.
  std::vector<Series> series;
  for (std::size_t device = 0; device < devices; ++device) {
    detectors.push_back(make_detector(options, 1));
    series.emplace_back(device + 1);
  }
  Timed timed;
  for (std::size_t begin = 0; begin < rows; begin += kBlock) {
    const std::size_t end = std::min<std::size_t>(begin + kBlock, rows);
    values.clear();
    for (std::size_t i = begin; i < end; ++i) values.push_back(series[i % devices].next(i / devices));
    const std::clock_t start = std::clock();
    for (std::size_t i = begin; i < end; ++i) {
      const auto time = static_cast<std::int64_t>(i / devices) * Series::kMicrosOfRow;
      timed.alerts += detectors[i % devices]->observe({&values[i - begin], 1}, time).alert ? 1 : 0;
    }
    if (begin >= rows / 2) timed.seconds += static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  }
  for (const DetectorPtr& detector : detectors) timed.bytes += detector->memory_bytes();
  timed.bytes /= devices;
  return timed;
}

constexpr std::uint64_t kLeastTimed = 1 << 18;

int run_speed(const Arguments& arguments) {
  const std::size_t devices = std::strtoul(arguments.rest[0].c_str(), nullptr, 10);
  const std::size_t rows = std::strtoul(arguments.rest[1].c_str(), nullptr, 10);
  // Half of the rows warm up, in whole blocks: what is timed must be more than nothing.
  if (devices == 0 || rows < devices || rows < kLeastTimed) {
    fmt::print(stderr, "leat_bench_anomaly: --speed needs devices, and at least as many rows and {}\n",
               kLeastTimed);
    return kWrongUsage;
  }
  const Timed first = time_rows(arguments.options, devices, rows);
  const Timed second = time_rows(arguments.options, devices, rows);
  if (first.alerts != second.alerts) {
    fmt::print(stderr, "two runs over the same rows gave {} and {} alerts\n", first.alerts, second.alerts);
    return 1;
  }
  constexpr std::size_t kBlock = 1 << 16;
  const std::size_t blocks_before = (rows / 2 + kBlock - 1) / kBlock;
  const auto timed_rows = static_cast<double>(rows - std::min(rows, blocks_before * kBlock));
  const double seconds = std::min(first.seconds, second.seconds);
  fmt::print("{} devices={} rows={} alerts={}: {:.0f} ns a row, {:.2f} M rows/s, {} bytes a device\n",
             to_string(arguments.options.method), devices, rows, first.alerts, seconds / timed_rows * 1e9,
             timed_rows / seconds / 1e6, first.bytes);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<Arguments> arguments = parse(argc, argv);
  if (!arguments) {
    fmt::print(stderr, "usage: leat_bench_anomaly --method M [--history N] IN OUT | --speed DEVICES ROWS\n");
    return kWrongUsage;
  }
  try {
    return arguments->speed ? run_speed(*arguments) : run_folder(*arguments);
  } catch (const std::filesystem::filesystem_error& error) {
    fmt::print(stderr, "leat_bench_anomaly: {}\n", error.what());
    return 1;
  }
}
