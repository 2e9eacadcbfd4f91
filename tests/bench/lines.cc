// leat_bench_lines ROWS DEVICES [FIRST]: JSON lines of sensor readings on standard output, a hundred thousand
// per second of event time, always the same for the same arguments. FIRST rows lie before the first one in
// time.
#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>

namespace {

constexpr std::uint64_t kRowsPerSecond = 100'000;
constexpr std::size_t kFlushBytes = 1 << 20;

std::uint64_t number(const char* text) {
  std::uint64_t value = 0;
  const std::string_view view(text);
  std::from_chars(view.data(), view.data() + view.size(), value);
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t rows = argc > 1 ? number(argv[1]) : 0;
  const std::uint64_t devices = argc > 2 ? number(argv[2]) : 0;
  const std::uint64_t first = argc > 3 ? number(argv[3]) : 0;
  if (rows == 0 || devices == 0) {
    fmt::print(stderr, "usage: leat_bench_lines ROWS DEVICES [FIRST]\n");
    return 2;
  }
  std::mt19937_64 random(1);
  std::string out;
  for (std::uint64_t row = 0; row < rows; ++row) {
    const std::uint64_t millis = (first + row) * 1000 / kRowsPerSecond;
    const std::uint64_t second = millis / 1000;
    fmt::format_to(
        std::back_inserter(out),
        R"({{"device":"device-{:05}","ts":"2026-01-01 {:02}:{:02}:{:02}.{:03}","temperature":{}.{:02},"humidity":{}}})"
        "\n",
        random() % devices, second / 3600 % 24, second / 60 % 60, second % 60, millis % 1000,
        15 + random() % 20, random() % 100, 30 + random() % 60);
    if (out.size() < kFlushBytes) continue;
    std::fwrite(out.data(), 1, out.size(), stdout);
    out.clear();
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
  return std::fflush(stdout) == 0 ? 0 : 1;
}
