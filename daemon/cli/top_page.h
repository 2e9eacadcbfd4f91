// What `leat top` shows: one line for each pipeline, made of two looks at the daemon. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace leat::cli {

/// One look at the daemon.
struct TopSample {
  std::int64_t time = 0;                          ///< Of this machine's steady clock, microseconds.
  nlohmann::ordered_json status;                  ///< /api/v1/status
  std::vector<nlohmann::ordered_json> pipelines;  ///< /api/v1/pipelines/{name}, of each
  nlohmann::ordered_json outbox;                  ///< /api/v1/outbox
};

/// The lines, none wider than `width`. Rates are those between the two samples.
std::vector<std::string> top_page(const TopSample& before, const TopSample& now, std::size_t width);
/// The same for programs.
nlohmann::ordered_json top_json(const TopSample& before, const TopSample& now);

/// "1.2k", "350", "4.0M": four characters and a letter at most.
std::string short_number(double number);
/// "12 MiB", in the units of the settings.
std::string short_bytes(double bytes);
/// "350 ms", "12 s", "3 min", "5 h", "2 d"
std::string short_time(double seconds);

}  // namespace leat::cli
