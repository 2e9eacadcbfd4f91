// What the filesystem sink and print promise beyond the suite for all.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
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

namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

/// Records by their folders.
Shipment in_folders(std::uint64_t number, const Rows& rows, std::string state = {}) {
  Shipment shipment = make_shipment(number, {}, std::move(state));
  for (const auto& [folder, payload] : rows) shipment.blocks.push_back(record_in(folder, payload));
  return shipment;
}

std::string deliver(Sink& sink, const Shipment& shipment) {
  const Delivery outcome = sink.deliver(shipment);
  REQUIRE(delivered(outcome));
  return std::get<Delivered>(outcome).sink_state;
}

/// Each file below, with its text: those that are hidden, or those that are published.
enum class Which : std::uint8_t { kHidden, kPublished };
std::map<std::string, std::string> tree(const FilesystemHarness& files, Which which) {
  std::map<std::string, std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(files.path())) {
    const std::string name = std::filesystem::relative(entry.path(), files.path()).string();
    const bool wanted = hidden(entry.path().filename().string()) == (which == Which::kHidden);
    if (entry.is_regular_file() && wanted) found[name] = files.text(name);
  }
  return found;
}

std::string name_in(const std::string& folder, int number) {
  return folder + "/gw1~pumps~upstream~01234567~0000000" + std::to_string(number) + ".json";
}

}  // namespace

TEST_CASE("records go to their folders, each with a file of its own that appears whole") {
  FilesystemHarness files;
  auto sink = files.build();
  std::string state = deliver(*sink, in_folders(1, {{"p=a", "1"}, {"p=b/q=c", "2"}, {"p=a", "3"}}));
  CHECK(tree(files, Which::kPublished).empty());
  state = deliver(*sink, in_folders(2, {{"p=a", "4"}, {"p=d", "5"}}, state));
  REQUIRE(sink->finish(state));
  CHECK(tree(files, Which::kHidden).empty());
  CHECK(tree(files, Which::kPublished) == std::map<std::string, std::string>{{name_in("p=a", 1), "1\n3\n4\n"},
                                                                             {name_in("p=b/q=c", 1), "2\n"},
                                                                             {name_in("p=d", 2), "5\n"}});
  deliver(*sink, in_folders(3, {{"p=a", "6"}}, state));
  CHECK(tree(files, Which::kHidden).size() == 1);
}

TEST_CASE("a crash amid the folders of a shipment doubles nothing in any of them") {
  FilesystemHarness files;
  const OptionMap small{{"sink.rolling-policy.file-size", "4 b"}};
  const std::string state = deliver(*files.build_with(small), in_folders(1, {{"p=a", "one"}, {"p=b", "2"}}));
  deliver(*files.build_with(small), in_folders(2, {{"p=a", "3"}, {"p=b", "4"}, {"p=c", "5"}}, state));
  std::string again =
      deliver(*files.build_with(small), in_folders(2, {{"p=a", "3"}, {"p=b", "4"}, {"p=c", "5"}}, state));
  REQUIRE(files.build_with(small)->finish(again));
  CHECK(tree(files, Which::kPublished) == std::map<std::string, std::string>{{name_in("p=a", 1), "one\n"},
                                                                             {name_in("p=a", 2), "3\n"},
                                                                             {name_in("p=b", 1), "2\n4\n"},
                                                                             {name_in("p=c", 2), "5\n"}});
  CHECK(tree(files, Which::kHidden).empty());
}

TEST_CASE("of too many open folders those that were written longest ago are rolled") {
  FilesystemHarness files;
  const OptionMap few{{"sink.max-open-partitions", "2"}};
  std::string state = deliver(*files.build_with(few), in_folders(1, {{"p=a", "1"}}));
  files.now = 1;
  state = deliver(*files.build_with(few), in_folders(2, {{"p=b", "2"}}, state));
  files.now = 2;
  state = deliver(*files.build_with(few), in_folders(3, {{"p=a", "3"}}, state));
  files.now = 3;
  state = deliver(*files.build_with(few), in_folders(4, {{"p=c", "4"}}, state));
  CHECK(tree(files, Which::kPublished) == std::map<std::string, std::string>{{name_in("p=b", 2), "2\n"}});
  state = deliver(*files.build_with(few), in_folders(5, {{"p=d", "5"}, {"p=e", "6"}, {"p=f", "7"}}, state));
  CHECK(tree(files, Which::kHidden).size() == 3);
}

TEST_CASE("a folder whose files are whole has a file that says so, where that is wanted") {
  FilesystemHarness files;
  auto sink = files.build_with({{"sink.partition-commit.policy.kind", "success-file"}});
  std::string state = deliver(*sink, in_folders(1, {{"p=a", "1"}}));
  CHECK(tree(files, Which::kPublished).empty());
  REQUIRE(sink->finish(state));
  CHECK(tree(files, Which::kPublished) ==
        std::map<std::string, std::string>{{"p=a/_SUCCESS", ""}, {name_in("p=a", 1), "1\n"}});
}

TEST_CASE("ways to commit a partition that are not there are refused") {
  for (const auto& [key, value] : {std::pair{"trigger", "partition-time"},
                                   {"delay", "1 min"},
                                   {"policy.kind", "metastore,success-file"},
                                   {"success-file.name", "a/b"},
                                   {"policy.class", "org.example.Policy"}}) {
    std::vector<OptionError> errors;
    find_sink("filesystem")
        ->info.validate_sink({{"path", "/tmp"}, {std::string("sink.partition-commit.") + key, value}}, {},
                             errors);
    CHECK_MESSAGE(errors.size() == 1, key);
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
