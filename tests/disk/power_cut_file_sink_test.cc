// The filesystem sink over power cuts: after any cut the shipments that were not settled are delivered again,
// and in the end each record is in exactly one file, in order.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <variant>

#include "sinks/filesystem/filesystem_sink.h"
#include "tests/disk/power_cut.h"

namespace leat::sinks {
namespace {

constexpr int kShipments = 14;
constexpr int kRecords = 9;

std::string line(int shipment, int record) {
  return std::to_string(shipment) + "." + std::to_string(record) + " " +
         std::string(static_cast<std::size_t>(200 + 150 * (shipment % 4)), 'r');
}

Shipment shipment(int number, const std::string& state) {
  BlockBuilder block;
  for (int record = 0; record < kRecords; ++record) block.add("", line(number, record));
  return {.store = {"0123456789abcdef0123456789abcdef"},
          .number = {static_cast<std::uint64_t>(number)},
          .blocks = {block.seal()},
          .sink_state = state};
}

struct RecordedSink {
  test::TemporaryFolder folder;
  test::Tape tape;
  std::vector<std::string> states{""};  ///< By mark: what the store has after the settlement.

  static std::unique_ptr<Sink> make(const std::string& where) {
    SinkContext context{.gateway_id = "gw", .store = {"0123456789abcdef0123456789abcdef"}};
    context.pipeline = {"plant"};
    context.table = {"archive"};
    context.format = "csv";
    context.separator = "\n";
    context.now = [] { return std::int64_t{1'000'000}; };
    const OptionMap options{{"path", where}, {"sink.rolling-policy.file-size", "16 kb"}};
    auto sink = filesystem_connector().build(options, context);
    REQUIRE(sink);
    return *std::move(sink);
  }
  static std::string deliver(Sink& sink, int number, const std::string& state) {
    const Delivery delivery = sink.deliver(shipment(number, state));
    REQUIRE_MESSAGE(std::holds_alternative<Delivered>(delivery),
                    (std::holds_alternative<Retry>(delivery) ? std::get<Retry>(delivery).reason : ""));
    return std::get<Delivered>(delivery).sink_state;
  }
  void record() {
    const test::WatchDisk watch(folder.path(), tape);
    const auto sink = make(folder.path());
    for (int number = 1; number <= kShipments; ++number) {
      states.push_back(deliver(*sink, number, states.back()));
      tape.mark(states.size() - 1);
    }
    std::string state = states.back();
    REQUIRE(sink->finish(state));
    states.push_back(state);
    tape.mark(states.size() - 1);
  }
  static std::string all_records(const std::string& where) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(where)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::string all;
    for (const auto& file : files) {
      CHECK_FALSE(file.filename().string().starts_with(".leat-"));
      std::ostringstream content;
      content << std::ifstream(file, std::ios::binary).rdbuf();
      all += content.str();
    }
    return all;
  }
  void check_recovery(const test::Cut& cut) const {
    CAPTURE(cut.call);
    CAPTURE(cut.seed);
    const auto sink = make(cut.folder);
    std::string state = states[cut.mark];
    for (int number = static_cast<int>(cut.mark) + 1; number <= kShipments; ++number)
      state = deliver(*sink, number, state);
    REQUIRE(sink->finish(state));
    std::string expected;
    for (int number = 1; number <= kShipments; ++number)
      for (int record = 0; record < kRecords; ++record) expected += line(number, record) + "\n";
    CHECK(all_records(cut.folder) == expected);
  }
};

TEST_CASE_FIXTURE(RecordedSink, "filesystem sink, power cut: each record is in one file, in order") {
  record();
  const std::size_t cuts = test::for_each_cut(
      tape, folder.path(), [this](const test::Cut& cut) { check_recovery(cut); }, 30);
  MESSAGE("filesystem sink: ", tape.calls.size(), " calls, ", cuts, " different states after a cut");
  CHECK(cuts > 100);
}

}  // namespace
}  // namespace leat::sinks
