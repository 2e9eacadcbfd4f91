#include "sinks/filesystem/rolling_file.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>
#include <variant>

#include "sinks/block.h"
#include "sinks/filesystem/file_state.h"
#include "sinks/filesystem/filesystem_options.h"
#include "sinks/filesystem/filesystem_sink.h"

using namespace leat;
using namespace leat::sinks;

namespace {

struct Folder {
  std::string path = make();
  ~Folder() { std::filesystem::remove_all(path); }

  static std::string make() {
    std::string name = (std::filesystem::temp_directory_path() / "leat-files-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    return name;
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ifstream file(path + "/" + name);
    return (std::stringstream() << file.rdbuf()).str();
  }
  [[nodiscard]] bool has(const std::string& name) const { return std::filesystem::exists(path + "/" + name); }
};

}  // namespace

TEST_CASE("a new folder is made with those above it") {
  const Folder folder;
  REQUIRE(ensure_folder(folder.path + "/a/b"));
  REQUIRE(ensure_folder(folder.path + "/a/b"));
  REQUIRE(append_at(folder.path + "/a/b", "f", 0, "x"));
  CHECK(ensure_folder(folder.path + "/a/b/f").error().code == ErrorCode::kConflict);
  CHECK(folder.has("a/b/f"));
}

TEST_CASE("appending first takes away what lies behind the recorded length") {
  const Folder folder;
  REQUIRE(append_at(folder.path, "f", 0, "one\n"));
  REQUIRE(append_at(folder.path, "f", 4, "half of a li"));
  REQUIRE(append_at(folder.path, "f", 4, "two\n"));
  CHECK(folder.text("f") == "one\ntwo\n");
}

TEST_CASE("a file that is gone or too short is said so, never filled up") {
  const Folder folder;
  CHECK(append_at(folder.path, "f", 4, "x").error().code == ErrorCode::kNotFound);
  REQUIRE(append_at(folder.path, "f", 0, "ab"));
  CHECK(append_at(folder.path, "f", 4, "x").error().code == ErrorCode::kConflict);
  CHECK(folder.text("f") == "ab");
}

TEST_CASE("publishing shows the recorded length under the final name, twice is once") {
  const Folder folder;
  REQUIRE(append_at(folder.path, ".f", 0, "kept, not kept"));
  REQUIRE(publish(folder.path, ".f", "f", 4));
  REQUIRE(publish(folder.path, ".f", "f", 4));
  CHECK(folder.text("f") == "kept");
  CHECK_FALSE(folder.has(".f"));
}

TEST_CASE("publishing a file that is gone under both names says which") {
  const Folder folder;
  const Status published = publish(folder.path, ".f", "f", 4);
  REQUIRE_FALSE(published.has_value());
  CHECK(published.error().code == ErrorCode::kNotFound);
  CHECK(published.error().message.find(folder.path + "/.f with 4") == 0);
}

TEST_CASE("publishing never writes over a file that is there") {
  const Folder folder;
  REQUIRE(append_at(folder.path, "f", 0, "somebody else's"));
  REQUIRE(append_at(folder.path, ".f", 0, "ours"));
  CHECK(publish(folder.path, ".f", "f", 4).error().code == ErrorCode::kConflict);
  CHECK(folder.text("f") == "somebody else's");
  CHECK(folder.text(".f") == "ours");
}

TEST_CASE("a file that tells of others is made once, and stays as it is where there is one") {
  const Folder folder;
  REQUIRE(touch_file(folder.path, "_SUCCESS"));
  CHECK(folder.has("_SUCCESS"));
  REQUIRE(append_at(folder.path, "kept", 0, "somebody's"));
  REQUIRE(touch_file(folder.path, "kept"));
  CHECK(folder.text("kept") == "somebody's");
  CHECK(touch_file(folder.path + "/nowhere", "_SUCCESS").error().code == ErrorCode::kIo);
}

TEST_CASE("a name that is too long is something that a human must mend") {
  const Folder folder;
  const std::string name(300, 'x');
  CHECK(append_at(folder.path, name, 0, "x").error().code == ErrorCode::kInvalid);
  CHECK(ensure_folder(folder.path + "/" + name).error().code == ErrorCode::kInvalid);
}

TEST_CASE("the name of a success file is that of a file") {
  for (const auto& [name, wrong] : {std::pair{std::string("DONE"), false},
                                    {"..done", false},
                                    {"", true},
                                    {".", true},
                                    {"..", true},
                                    {"a/b", true},
                                    {std::string(256, 'x'), true}}) {
    FilesystemOptions options;
    options.path = "/tmp";
    options.success_file = name;
    std::vector<OptionError> errors;
    check_filesystem_options(options, {}, errors);
    CHECK_MESSAGE(errors.empty() != wrong, name);
  }
}

TEST_CASE("the interval of looks at open files is one that can be waited for") {
  for (const auto& [interval, wrong] : {std::pair{Micros{1}, false},
                                        {Micros{0}, true},
                                        {Micros{36'500 * kMicrosPerDay}, false},
                                        {Micros{36'500 * kMicrosPerDay + 1}, true}}) {
    FilesystemOptions options;
    options.path = "/tmp";
    options.check_interval = interval;
    std::vector<OptionError> errors;
    check_filesystem_options(options, {}, errors);
    CHECK(errors.empty() != wrong);
  }
}

TEST_CASE("a sink whose files would have names or paths that are too long is not built") {
  const auto built = [](const std::string& table, const std::string& path) {
    const SinkContext context{.gateway_id = "gw",
                              .store = StoreId{"0123456789abcdef"},
                              .pipeline = PipelineName{"p"},
                              .table = TableName{table},
                              .format = "csv"};
    const auto sink = filesystem_connector().build({{"path", path}}, context);
    return sink ? std::string() : sink.error().message;
  };
  CHECK(built(std::string(180, 'x'), "/tmp").empty());
  CHECK(built(std::string(230, 'x'), "/tmp").find("would have 2") != std::string::npos);
  std::string accents;
  for (int i = 0; i < 40; ++i) accents += "ü";
  CHECK(built(accents, "/tmp").find("more than 255") != std::string::npos);
  CHECK(built("t", "/tmp/" + std::string(2000, 'x')).find("a folder of a shorter path") != std::string::npos);
}

namespace {

/// A sink that is built anew before each step, with what the step before has left.
struct ChangingSink {
  Folder folder;
  std::string gateway = "gw";
  std::string path = folder.path + "/out";
  OptionMap more = {};
  std::string state = {};
  std::uint64_t shipments = 0;

  [[nodiscard]] std::unique_ptr<Sink> build() const {
    SinkContext context{.gateway_id = gateway, .store = StoreId{"0123456789abcdef"}};
    context.pipeline = {"p"};
    context.table = {"t"};
    context.format = "csv";
    context.separator = "\n";
    OptionMap options = more;
    options["path"] = path;
    auto sink = filesystem_connector().build(options, context);
    REQUIRE(sink);
    return *std::move(sink);
  }
  void deliver(const std::string& record, const std::string& partition = "") {
    BlockBuilder block;
    block.add(partition, record);
    const Delivery answer = build()->deliver({.store = {"0123456789abcdef"},
                                              .number = {++shipments},
                                              .blocks = {block.seal()},
                                              .sink_state = state});
    REQUIRE_MESSAGE(std::holds_alternative<Delivered>(answer),
                    (std::holds_alternative<Retry>(answer) ? std::get<Retry>(answer).reason : ""));
    state = std::get<Delivered>(answer).sink_state;
  }
  void finish() { REQUIRE(build()->finish(state)); }
  /// Its table is gone: all that is known is what it has left.
  [[nodiscard]] std::optional<LeftOpen> gone() const {
    return find_left_open(
        state,
        {.gateway_id = gateway, .store = StoreId{"0123456789abcdef"}, .pipeline = {"p"}, .table = {"t"}});
  }
};

}  // namespace

TEST_CASE_FIXTURE(ChangingSink, "a file that is open when 'path' changes is published where it is") {
  deliver("1");
  path = folder.path + "/other";
  deliver("2");
  CHECK(folder.text("out/gw~p~t~01234567~00000000.csv") == "1\n");
  finish();
  CHECK(folder.text("other/gw~p~t~01234567~00000001.csv") == "2\n");
}

TEST_CASE_FIXTURE(ChangingSink, "a file that was moved to the new 'path' is published there") {
  deliver("1");
  path = folder.path + "/other";
  std::filesystem::rename(folder.path + "/out", path);
  deliver("2");
  CHECK(folder.text("other/gw~p~t~01234567~00000000.csv") == "1\n");
}

TEST_CASE_FIXTURE(ChangingSink, "a file that is open when a name changes is published under the former one") {
  deliver("1");
  gateway = "mill";
  deliver("2");
  finish();
  CHECK(folder.text("out/gw~p~t~01234567~00000000.csv") == "1\n");
  CHECK(folder.text("out/mill~p~t~01234567~00000001.csv") == "2\n");
}

TEST_CASE_FIXTURE(ChangingSink, "files of partitions are published in the folders of the former 'path'") {
  deliver("1", "day=1");
  deliver("2", "day=2");
  path = folder.path + "/other";
  finish();
  CHECK(folder.text("out/day=1/gw~p~t~01234567~00000001.csv") == "1\n");
  CHECK(folder.text("out/day=2/gw~p~t~01234567~00000002.csv") == "2\n");
}

TEST_CASE_FIXTURE(ChangingSink, "an open file that is gone is missed where it was") {
  deliver("1");
  std::filesystem::remove_all(path);
  const std::string former = std::exchange(path, folder.path + "/other");
  const Status finished = build()->finish(state);
  REQUIRE_FALSE(finished.has_value());
  CHECK(finished.error().message.find(former + "/.leat-gw~p~t") == 0);
}

TEST_CASE_FIXTURE(ChangingSink, "a former 'path' that is dead pauses the sink, and the way out is one") {
  deliver("1");
  const std::string former = std::exchange(path, folder.path + "/other");
  std::filesystem::rename(former, folder.path + "/aside");
  std::ofstream(former) << "not a folder any more";
  BlockBuilder block;
  block.add("", "2");
  const Shipment shipment{
      .store = {"0123456789abcdef"}, .number = {++shipments}, .blocks = {block.seal()}, .sink_state = state};
  const Delivery answer = build()->deliver(shipment);
  REQUIRE(std::holds_alternative<Retry>(answer));
  const Retry retry = std::get<Retry>(answer);
  CHECK(retry.paused);
  CHECK(retry.reason.find("Not a directory; .leat-gw~p~t~01234567~00000000.csv.inprogress was begun under "
                          "the former 'path' (" +
                          former + ") with 2 delivered bytes") != std::string::npos);
  std::filesystem::create_directories(path);
  SUBCASE("the file is moved") {
    std::filesystem::rename(folder.path + "/aside/.leat-gw~p~t~01234567~00000000.csv.inprogress",
                            path + "/.leat-gw~p~t~01234567~00000000.csv.inprogress");
  }
  SUBCASE("its records are not missed") {
    std::ofstream(path + "/gw~p~t~01234567~00000000.csv");
  }
  CHECK(std::holds_alternative<Delivered>(build()->deliver(shipment)));
}

TEST_CASE_FIXTURE(ChangingSink, "what a sink has left open is published without its table") {
  more = {{"compression", "gzip"}, {"sink.partition-commit.policy.kind", "success-file"}};
  deliver("1", "day=1");
  deliver("2", "day=2");
  auto open = gone();
  REQUIRE(open);
  REQUIRE(open->sink);
  CHECK(open->files.size() == 2);
  CHECK(open->files[0] == path + "/day=1/.leat-gw~p~t~01234567~00000001.csv.gz.inprogress");
  REQUIRE(open->sink->finish(state));
  CHECK(folder.has("out/day=1/gw~p~t~01234567~00000001.csv.gz"));
  CHECK(folder.has("out/day=2/gw~p~t~01234567~00000002.csv.gz"));
  CHECK(folder.has("out/day=2/_SUCCESS"));
  CHECK_FALSE(gone());
}

TEST_CASE_FIXTURE(ChangingSink, "what cannot be published leaves open what is not, and no more") {
  deliver("1", "day=1");
  deliver("2", "day=2");
  FileStates files = *decode_files(state);
  files[0].root = folder.path + "/nowhere";
  state = encode_files(files);
  auto open = gone();
  REQUIRE(open);
  CHECK_FALSE(open->sink->finish(state));
  CHECK(folder.has("out/day=2/gw~p~t~01234567~00000002.csv"));
  open = gone();
  REQUIRE(open);
  CHECK(open->files.size() == 1);
}

TEST_CASE_FIXTURE(ChangingSink, "what only the former sink can publish is named with why") {
  state = encode_files(
      {{.length = 7, .form = ".csv", .mark = "5f", .root = "webhdfs://nn:9870/out", .stem = "g~p~t"}});
  auto open = gone();
  REQUIRE(open);
  CHECK(open->sink == nullptr);
  CHECK(open->files[0].starts_with("webhdfs://nn:9870/out/.leat-g~p~t~01234567~00000000.csv.5f.inprogress"));
  CHECK(open->why_not == "the store does not say as whom its cluster was asked");
  state = {'\x02', '\x03', '\x07', '\0', '\0', '\0'};  // Of version 2, without a place.
  open = gone();
  REQUIRE(open);
  CHECK(open->files[0] == ".leat-gw~p~t~01234567~00000003.*.inprogress");
  CHECK(open->why_not == "the store does not say which folder it is in");
}

TEST_CASE_FIXTURE(ChangingSink,
                  "nothing is open by the state of one that was never used, or of another connector") {
  CHECK_FALSE(gone());
  deliver("1");
  CHECK(gone());
  finish();
  CHECK_FALSE(gone());
  state = {1, 2, 3, 4};
  CHECK_FALSE(gone());
}

TEST_CASE("where a file is and what it is called come back with its state, and are new in version 5") {
  const FileState first{
      .folder = "a", .length = 1, .store = "01", .mark = "5f", .root = "/x", .stem = "g~p~t"};
  const FileState second{.folder = "b", .length = 1, .root = "/x", .stem = "g~q~t"};
  std::string bytes = encode_files({first, second});
  const auto files = decode_files(bytes);
  REQUIRE(files);
  CHECK(files->at(0).root == "/x");
  CHECK(files->at(1).root == "/x");
  CHECK(files->at(1).stem == "g~q~t");
  bytes = encode_files({{.folder = "a", .length = 1, .mark = "5f"}});
  bytes.front() = 4;
  bytes.resize(bytes.size() - 3);  // Three empty texts.
  const auto earlier = decode_files(bytes);
  REQUIRE(earlier);
  CHECK(earlier->at(0).mark == "5f");
  CHECK(earlier->at(0).root.empty());
}
