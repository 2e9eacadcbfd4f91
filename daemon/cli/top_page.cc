#include "daemon/cli/top_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "daemon/cli/printable.h"
#include "daemon/cli/row_printer.h"
#include "pipelines/formats/read_scalar.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

struct Line {
  std::string pipeline;
  std::string state;
  double in_per_second = 0;
  double out_per_second = 0;
  std::uint64_t queued = 0;
  std::optional<double> lag;  ///< Seconds from the watermark to now.
  std::uint64_t waiting = 0;  ///< Records in the outbox,
  double oldest = 0;          ///< the age of the oldest in seconds.
  std::uint64_t dead = 0;
  double p99_micros = 0;  ///< Of the slowest operator.
  std::string why;
};

std::uint64_t sum(const ordered_json& list, const ordered_json::json_pointer& member) {
  std::uint64_t total = 0;
  for (const ordered_json& each : list)
    if (each.contains(member)) total += each.at(member).get<std::uint64_t>();
  return total;
}

std::uint64_t received(const ordered_json& pipeline) {
  return sum(pipeline.at("sources"), ordered_json::json_pointer("/messages/received"));
}

std::uint64_t given(const ordered_json& pipeline) {
  return sum(pipeline.at("sinks"), ordered_json::json_pointer("/rows"));
}

/// RFC 3339 in UTC, as the API writes it; none: null.
std::optional<std::int64_t> moment(const ordered_json& text) {
  if (!text.is_string()) return std::nullopt;
  constexpr std::int32_t kMicrosecondDigits = 6;
  return formats::read_timestamp(text.get<std::string>(), {'T', 'Z'}, kMicrosecondDigits);
}

double rate(std::uint64_t before, std::uint64_t now, double seconds) {
  return now <= before || seconds <= 0 ? 0 : static_cast<double>(now - before) / seconds;
}

const ordered_json* find_pipeline(const TopSample& sample, const std::string& name) {
  for (const ordered_json& each : sample.pipelines)
    if (each.at("name") == name) return &each;
  return nullptr;
}

Line line_of(const ordered_json& pipeline, const TopSample& before, const TopSample& now) {
  Line line{.pipeline = pipeline.at("name").get<std::string>(),
            .state = pipeline.at("state").get<std::string>()};
  const std::string error = pipeline.at("error").get<std::string>();
  line.why = error.empty() ? pipeline.at("waiting_for").get<std::string>() : error;
  line.why = printable(line.why.substr(0, line.why.find('\n')));
  const double seconds = static_cast<double>(now.time - before.time) / 1e6;
  if (const ordered_json* old = find_pipeline(before, line.pipeline)) {
    line.in_per_second = rate(received(*old), received(pipeline), seconds);
    line.out_per_second = rate(given(*old), given(pipeline), seconds);
  }
  line.queued = sum(pipeline.at("sources"), ordered_json::json_pointer("/messages/queued"));
  const auto watermark = moment(pipeline.at("watermark"));
  const auto clock = moment(now.status.at("now"));
  if (watermark && clock) line.lag = static_cast<double>(*clock - *watermark) / 1e6;
  for (const ordered_json& sink : now.outbox.at("sinks")) {
    if (sink.at("pipeline") != line.pipeline) continue;
    line.waiting += sink.at("records").at("waiting").get<std::uint64_t>();
    line.oldest = std::max(line.oldest, sink.at("age_seconds").get<double>());
  }
  line.dead = pipeline.at("dead_letters").get<std::uint64_t>();
  for (const ordered_json& each : pipeline.at("operators"))
    line.p99_micros = std::max(line.p99_micros, each.at("latency").at("p99_micros").get<double>());
  return line;
}

std::vector<Line> lines_of(const TopSample& before, const TopSample& now) {
  std::vector<Line> lines;
  for (const ordered_json& pipeline : now.pipelines) lines.push_back(line_of(pipeline, before, now));
  return lines;
}

std::string cut(const std::string& text, std::size_t width) {
  std::size_t shown = 0;
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (begins && shown == width) break;
    shown += begins ? 1 : 0;
  }
  return text.substr(0, end);
}

std::string head(const TopSample& now) {
  const ordered_json& status = now.status;
  const auto bytes = [](const ordered_json& number) { return short_bytes(number.get<double>()); };
  std::string text = fmt::format("leat {}  {}", text_of(status.at("version")), text_of(status.at("gateway")));
  const auto started = moment(status.at("started"));
  const auto clock = moment(status.at("now"));
  if (started && clock) text += "  up " + short_time(static_cast<double>(*clock - *started) / 1e6);
  return text + fmt::format("  memory {}  store {}  disk free {}", bytes(status.at("memory_bytes")),
                            bytes(status.at("store").at("bytes")), bytes(status.at("disk").at("free_bytes")));
}

constexpr std::array<const char*, 11> kTitles = {"PIPELINE", "STATE",  "IN/S", "OUT/S", "QUEUED", "LAG",
                                                 "OUTBOX",   "OLDEST", "DEAD", "P99",   "WHY"};

}  // namespace

std::string short_number(double number) {
  constexpr std::array<const char*, 5> kUnits = {"", "k", "M", "G", "T"};
  std::size_t unit = 0;
  while (std::abs(number) >= 999.5 && unit + 1 < kUnits.size()) {
    number /= 1000;
    ++unit;
  }
  const bool whole = number >= 9.95 || (unit == 0 && number == std::floor(number));
  return fmt::format("{:.{}f}{}", number, whole ? 0 : 1, kUnits[unit]);
}

std::string short_bytes(double bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1023.5 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  return fmt::format("{:.{}f} {}", bytes, bytes >= 9.95 || unit == 0 ? 0 : 1, kUnits[unit]);
}

std::string short_time(double seconds) {
  if (seconds < 0) return "-" + short_time(-seconds);
  if (seconds < 1e-3) return fmt::format("{:.0f} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  if (seconds < 7'200) return fmt::format("{:.0f} min", seconds / 60);
  if (seconds < 172'800) return fmt::format("{:.0f} h", seconds / 3'600);
  return fmt::format("{:.0f} d", seconds / 86'400);
}

std::vector<std::string> top_page(const TopSample& before, const TopSample& now, std::size_t width) {
  std::vector<std::vector<std::string>> cells{{kTitles.begin(), kTitles.end()}};
  for (const Line& line : lines_of(before, now))
    cells.push_back({printable(line.pipeline), line.state, short_number(line.in_per_second),
                     short_number(line.out_per_second), short_number(static_cast<double>(line.queued)),
                     line.lag ? short_time(*line.lag) : "-", short_number(static_cast<double>(line.waiting)),
                     line.waiting > 0 ? short_time(line.oldest) : "-",
                     short_number(static_cast<double>(line.dead)), short_time(line.p99_micros / 1e6),
                     line.why});
  std::vector<std::size_t> widths(kTitles.size());
  for (const auto& row : cells)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], shown_width(row[i]));
  std::vector<std::string> page{cut(head(now), width), ""};
  for (const auto& row : cells) page.push_back(cut(padded_line(row, widths), width));
  return page;
}

ordered_json top_json(const TopSample& before, const TopSample& now) {
  ordered_json list = ordered_json::array();
  for (const Line& line : lines_of(before, now))
    list.push_back({{"pipeline", line.pipeline},
                    {"state", line.state},
                    {"messages_per_second", line.in_per_second},
                    {"rows_out_per_second", line.out_per_second},
                    {"queued", line.queued},
                    {"watermark_lag_seconds", line.lag ? ordered_json(*line.lag) : ordered_json(nullptr)},
                    {"outbox_waiting", line.waiting},
                    {"outbox_oldest_seconds", line.oldest},
                    {"dead_letters", line.dead},
                    {"slowest_p99_micros", line.p99_micros},
                    {"why", line.why}});
  return {{"daemon", now.status}, {"pipelines", std::move(list)}};
}

}  // namespace leat::cli
