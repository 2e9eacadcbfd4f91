// What the filesystem sink and print promise beyond the suite for all.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <tuple>

#include "pipelines/formats/compression.h"
#include "tests/contract/sinks/harness.h"
#include "tests/contract/sinks/local_harnesses.h"

using namespace leat;
using namespace leat::contract;
using namespace leat::sinks;

namespace {

/// Delivers, and gives the state of the success.
std::string deliver(Sink& sink, std::uint64_t number, const Payloads& payloads,
                    const std::string& state = {}) {
  const Delivery outcome = sink.deliver(make_shipment(number, payloads, state));
  REQUIRE(delivered(outcome));
  return std::get<Delivered>(outcome).sink_state;
}

bool hidden(const std::string& name) {
  return name.starts_with(".leat-") && name.ends_with(".inprogress");
}

}  // namespace

TEST_CASE("a file is hidden until the end of the run, then has a name of its own") {
  FilesystemHarness files;
  auto sink = files.build();
  std::string state = deliver(*sink, 1, {"a"});
  CHECK(hidden(files.names().at(0)));
  REQUIRE(sink->finish(state));
  CHECK(files.names() == std::vector<std::string>{"gw1~pumps~upstream~01234567~00000000.json"});
}

TEST_CASE("finishing twice with the old state, as after a crash, is finishing once") {
  FilesystemHarness files;
  auto sink = files.build();
  std::string state = deliver(*sink, 1, {"a"});
  std::string again = state;
  REQUIRE(sink->finish(state));
  REQUIRE(sink->finish(again));
  CHECK(state == again);
  CHECK(files.arrived() == Payloads{"a"});
}

TEST_CASE("finishing a run that wrote nothing leaves nothing") {
  FilesystemHarness files;
  std::string state;
  REQUIRE(files.build()->finish(state));
  CHECK(files.names().empty());
}

TEST_CASE("a file of the size is rolled when the next records come") {
  FilesystemHarness files;
  auto sink = files.build_with({{"sink.rolling-policy.file-size", "4 b"}});
  std::string state = deliver(*sink, 1, {"abc"});
  state = deliver(*sink, 2, {"def"}, state);
  REQUIRE(files.names().size() == 2);
  CHECK_FALSE(hidden(files.names()[0]));
  CHECK(hidden(files.names()[1]));
  CHECK(files.arrived() == Payloads{"abc", "def"});
}

TEST_CASE("a file is rolled by its age and by the silence before") {
  for (const char* key :
       {"sink.rolling-policy.rollover-interval", "sink.rolling-policy.inactivity-interval"}) {
    FilesystemHarness files;
    auto sink = files.build_with({{key, "1 min"}});
    std::string state = deliver(*sink, 1, {"a"});
    files.now = kMicrosPerMinute - 1;
    state = deliver(*sink, 2, {"b"}, state);
    CHECK(files.names().size() == 1);
    files.now += kMicrosPerMinute;
    deliver(*sink, 3, {"c"}, state);
    CHECK(files.names().size() == 2);
    CHECK(files.arrived() == Payloads{"a", "b", "c"});
  }
}

TEST_CASE("a file that has been silent for long enough is published without another record") {
  FilesystemHarness files;
  auto sink = files.build_with({{"sink.rolling-policy.inactivity-interval", "1 min"}});
  std::string state = deliver(*sink, 1, {"a"});
  REQUIRE(sink->check(state));
  CHECK(hidden(files.names()[0]));
  files.now = kMicrosPerMinute;
  REQUIRE(sink->check(state));
  REQUIRE(files.names().size() == 1);
  CHECK_FALSE(hidden(files.names()[0]));
  deliver(*sink, 2, {"b"}, state);
  CHECK(files.arrived() == Payloads{"a", "b"});
}

TEST_CASE("a crash after rolling doubles nothing, even when the clock has gone back") {
  FilesystemHarness files;
  const OptionMap by_age{{"sink.rolling-policy.rollover-interval", "1 min"}};
  const std::string state = deliver(*files.build_with(by_age), 1, {"a"});
  files.now = kMicrosPerHour;
  deliver(*files.build_with(by_age), 2, {"b"}, state);
  files.now = 0;
  const std::string after = deliver(*files.build_with(by_age), 2, {"b"}, state);
  CHECK(files.arrived() == Payloads{"a", "b"});
  deliver(*files.build_with(by_age), 3, {"c"}, after);
  CHECK(files.arrived() == Payloads{"a", "b", "c"});
}

TEST_CASE("a compressed file is whole behind each shipment, and a crash doubles nothing in it") {
  using formats::Compression;
  for (const auto& [option, suffix, compression] :
       {std::tuple{"gzip", "gz", Compression::kGzip}, {"zstd", "zst", Compression::kZstd}}) {
    FilesystemHarness files;
    const OptionMap compressed{{"compression", option}};
    const std::string state = deliver(*files.build_with(compressed), 1, {"a", "b"});
    deliver(*files.build_with(compressed), 2, {"c"}, state);
    std::string again = deliver(*files.build_with(compressed), 2, {"c"}, state);
    REQUIRE(files.build_with(compressed)->finish(again));
    const std::string name = std::string("gw1~pumps~upstream~01234567~00000000.json.") + suffix;
    REQUIRE(files.names() == std::vector<std::string>{name});
    std::string text;
    REQUIRE(formats::decompress(files.text(name), compression, 1000, text));
    CHECK(text == "a\nb\nc\n");
  }
}

TEST_CASE("each file begins with the header, once") {
  FilesystemHarness files;
  files.header = "s,n";
  const OptionMap options{
      {"format", "csv"}, {"file.header", "names"}, {"sink.rolling-policy.file-size", "10 b"}};
  std::string state = deliver(*files.build_with(options), 1, {"a,1"});
  deliver(*files.build_with(options), 2, {"b,2"}, state);
  state = deliver(*files.build_with(options), 2, {"b,2"}, state);
  deliver(*files.build_with(options), 3, {"c,3"}, state);
  REQUIRE(files.names().size() == 2);
  CHECK(files.text(files.names()[0]) == "s,n\na,1\nb,2\n");
  CHECK(files.text(files.names()[1]) == "s,n\nc,3\n");
}

TEST_CASE("a file with another header is rolled") {
  FilesystemHarness files;
  const OptionMap options{{"format", "csv"}, {"file.header", "skip"}};
  files.header = "s";
  const std::string state = deliver(*files.build_with(options), 1, {"a"});
  files.header = "s,n";
  deliver(*files.build_with(options), 2, {"b,2"}, state);
  REQUIRE(files.names().size() == 2);
  CHECK(files.text(files.names()[1]) == "s,n\nb,2\n");
}

TEST_CASE("a file that was begun in another form is published as it is") {
  FilesystemHarness files;
  const std::string state = deliver(*files.build(), 1, {"a"});
  deliver(*files.build_with({{"compression", "zstd"}}), 2, {"b"}, state);
  const std::vector<std::string> names = files.names();
  REQUIRE(names.size() == 2);
  CHECK(names[0] == "gw1~pumps~upstream~01234567~00000000.json");
  CHECK(names[1].find("~00000001.json.zst") != std::string::npos);
  CHECK(files.text(names[0]) == "a\n");
}

TEST_CASE("a file that another store id opened is gone on with and published under its names") {
  FilesystemHarness files;
  auto sink = files.build();
  std::string state = deliver(*sink, 1, {"a"});
  Shipment later = make_shipment(2, {"b"}, state);
  later.store = StoreId{"fedcba9876543210"};
  const Delivery outcome = sink->deliver(later);
  REQUIRE(delivered(outcome));
  state = std::get<Delivered>(outcome).sink_state;
  REQUIRE(sink->finish(state));
  CHECK(files.names() == std::vector<std::string>{"gw1~pumps~upstream~01234567~00000000.json"});
  CHECK(files.arrived() == Payloads{"a", "b"});
}

TEST_CASE("a file in progress that somebody removed pauses the sink until they say that it is not missed") {
  FilesystemHarness files;
  const std::string state = deliver(*files.build(), 1, {"a"});
  const std::string folder = files.path();
  std::filesystem::remove(folder + "/" + files.names().at(0));
  auto sink = files.build();
  const Delivery outcome = sink->deliver(make_shipment(2, {"b"}, state));
  REQUIRE(paused(outcome));
  CHECK(std::get<Retry>(outcome).reason.find(".inprogress with") != std::string::npos);
  std::ofstream(folder + "/gw1~pumps~upstream~01234567~00000000.json").flush();
  deliver(*sink, 2, {"b"}, state);
  CHECK(files.arrived() == Payloads{"b"});
}

TEST_CASE("a published file that a reader took before the attempt was settled is not missed") {
  FilesystemHarness files;
  auto sink = files.build_with({{"sink.rolling-policy.file-size", "1 b"}});
  const std::string state = deliver(*sink, 1, {"a"});
  deliver(*sink, 2, {"b"}, state);
  std::filesystem::remove(files.path() + "/gw1~pumps~upstream~01234567~00000000.json");
  deliver(*sink, 2, {"b"}, state);
  CHECK(files.arrived() == Payloads{"b"});
}

TEST_CASE("a state that is not the sink's own pauses it") {
  FilesystemHarness files;
  CHECK(paused(files.build()->deliver(make_shipment(1, {"a"}, "not a state"))));
}

TEST_CASE("print writes its identifier before each line") {
  PrintHarness terminal;
  REQUIRE(delivered(terminal.build_named("out")->deliver(make_shipment(1, {"+I[a, 1]", "-D[a, 1]"}))));
  CHECK(terminal.arrived() == Payloads{"out> +I[a, 1]", "out> -D[a, 1]"});
}
