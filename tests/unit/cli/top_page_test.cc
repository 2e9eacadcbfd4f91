#include "daemon/cli/top_page.h"

#include <doctest/doctest.h>

#include "daemon/cli/row_printer.h"

using namespace leat::cli;
using nlohmann::ordered_json;

namespace {

TopSample sample(std::int64_t second, std::uint64_t received) {
  TopSample made{.time = second * 1'000'000};
  made.status = {{"version", "1.0"},
                 {"gateway", "mill-7"},
                 {"started", "2026-01-01T00:00:00.000000Z"},
                 {"now", "2026-01-01T02:00:00.000000Z"},
                 {"memory_bytes", 12'000'000},
                 {"store", {{"bytes", 4'200'000}}},
                 {"disk", {{"free_bytes", 9'000'000'000}}}};
  made.outbox = {{"sinks",
                  {{{"pipeline", "line3"}, {"records", {{"waiting", 1'500}}}, {"age_seconds", 90}},
                   {{"pipeline", "other"}, {"records", {{"waiting", 7}}}, {"age_seconds", 1}}}}};
  made.pipelines = {
      {{"name", "line3"},
       {"state", "stalled"},
       {"error", ""},
       {"waiting_for", "the outbox of 'up' is full"},
       {"watermark", "2026-01-01T01:59:48.000000Z"},
       {"dead_letters", 3},
       {"sources", {{{"messages", {{"received", received}, {"queued", 12}}}}}},
       {"operators", {{{"latency", {{"p99_micros", 250.0}}}}, {{"latency", {{"p99_micros", 1'500.0}}}}}},
       {"sinks", {{{"rows", received / 10}}}}}};
  return made;
}

}  // namespace

TEST_CASE("rates are those between two looks") {
  const ordered_json page = top_json(sample(10, 1'000), sample(12, 5'000));
  const ordered_json& line = page.at("pipelines").at(0);
  CHECK(line.at("messages_per_second") == 2'000.0);
  CHECK(line.at("rows_out_per_second") == 200.0);
  CHECK(line.at("watermark_lag_seconds") == 12.0);
  CHECK(line.at("outbox_waiting") == 1'500);
  CHECK(line.at("outbox_oldest_seconds") == 90.0);
  CHECK(line.at("slowest_p99_micros") == 1'500.0);
}

TEST_CASE("a pipeline that began anew has no rate, and one that is new none either") {
  CHECK(top_json(sample(10, 1'000), sample(12, 10)).at("pipelines").at(0).at("messages_per_second") == 0.0);
  TopSample before = sample(10, 1'000);
  before.pipelines.clear();
  CHECK(top_json(before, sample(12, 5'000)).at("pipelines").at(0).at("messages_per_second") == 0.0);
}

TEST_CASE("sizes are in the units of the settings") {
  CHECK(short_bytes(0) == "0 B");
  CHECK(short_bytes(1024) == "1.0 KiB");
  CHECK(short_bytes(67'108'864) == "64 MiB");
  CHECK(short_bytes(9e9) == "8.4 GiB");
}

TEST_CASE("the page has a line for each pipeline and is no wider than the terminal") {
  const auto page = top_page(sample(10, 1'000), sample(12, 5'000), 1'000);
  REQUIRE(page.size() == 4);
  CHECK(page[0].find("leat 1.0  mill-7  up 2 h  memory 11 MiB") == 0);
  CHECK(page[3].find("line3") == 0);
  for (const char* word :
       {"stalled", "2.0k", "200", "12 s", "1.5k", "90 s", "2 ms", "the outbox of 'up' is full"}) {
    CAPTURE(page[3]);
    CHECK(page[3].find(word) != std::string::npos);
  }
  for (const std::string& line : top_page(sample(10, 1'000), sample(12, 5'000), 30))
    CHECK(shown_width(line) <= 30);
}

TEST_CASE("numbers and times take few characters") {
  CHECK(short_number(0) == "0");
  CHECK(short_number(7) == "7");
  CHECK(short_number(0.5) == "0.5");
  CHECK(short_number(999) == "999");
  CHECK(short_number(999.9) == "1.0k");
  CHECK(short_number(12'345) == "12k");
  CHECK(short_number(4'000'000) == "4.0M");
  CHECK(short_time(0.0000005) == "0 us");
  CHECK(short_time(0.25) == "250 ms");
  CHECK(short_time(90) == "90 s");
  CHECK(short_time(7'300) == "2 h");
  CHECK(short_time(-3) == "-3 s");
}

TEST_CASE("cells are padded by characters, not bytes, and a line has no blanks at its end") {
  CHECK(padded_line({"ü", "b", ""}, {3, 2, 5}) == "ü    b");
}
