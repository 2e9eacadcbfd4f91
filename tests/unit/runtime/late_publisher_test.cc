#include "daemon/runtime/late_publisher.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "daemon/log/log.h"
#include "daemon/runtime/delivery.h"
#include "tests/support/eventually.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/runtime/delivery_fixture.h"

namespace leat::runtime {
namespace {

namespace fs = std::filesystem;

/// A filesystem sink was served, and is gone; its first record is delivered and its file open.
struct GoneFixture : OutboxFixture {
  test::TemporaryFolder folder;
  fs::path out = fs::path(folder.path()) / "out";
  LatePublisher publisher{*store, "gw"};

  GoneFixture() {
    log::configure({.form = log::Form::kText, .level = log::Level::kError});
    put({"first"});
    serve();
  }
  /// Until all that waits is delivered.
  void serve() {
    sinks::SinkContext context{.gateway_id = "gw", .store = store->id()};
    context.pipeline = route.pipeline;
    context.table = route.sink;
    context.format = "csv";
    context.separator = "\n";
    auto sink = sinks::find_sink("filesystem")->build({{"path", out.string()}}, context);
    REQUIRE(sink);
    Delivery delivery(*store, *std::move(sink), {.route = route, .limits = {}, .options = {}}, clock);
    delivery.start();
    REQUIRE(test::eventually([this] { return status().records == 0; }));
  }
  /// A shipment has its number, and nobody knows what became of it.
  void leave_unsettled() {
    put({"second"});
    std::promise<bool> given;
    store->next_shipment(route.pipeline, route.sink, {},
                         [&](const auto& shipment) { given.set_value(shipment && *shipment); });
    REQUIRE(given.get_future().get());
  }
  void publish(const PipelineName& given_up = {}) {
    publisher.begin(*store->outbox_status(), given_up);
    publisher.await(route.pipeline);
  }
  /// Of the files that readers see; in a folder each, as the records' keys are folders.
  [[nodiscard]] std::string published() const {
    std::string all;
    for (const auto& entry : fs::recursive_directory_iterator(out))
      if (entry.is_regular_file() && !entry.path().filename().string().starts_with("."))
        all += (std::stringstream() << std::ifstream(entry.path()).rdbuf()).str();
    return all;
  }
};

TEST_CASE_FIXTURE(GoneFixture,
                  "what a sink that is gone had open is published, and its state goes on behind it") {
  CHECK(published().empty());
  publish();
  CHECK(published() == "first\n");
  CHECK(publisher.still_open().empty());
  put({"second"});
  serve();
  publish();
  CHECK(published().size() == std::string("first\nsecond\n").size());
}

TEST_CASE_FIXTURE(GoneFixture, "what waits for a sink that is gone holds up nothing that it had open") {
  put({"second"});
  publish();
  CHECK(published() == "first\n");
  CHECK(status().records == 1);
}

TEST_CASE_FIXTURE(GoneFixture,
                  "behind a shipment that is not settled only what is thrown away is published") {
  leave_unsettled();
  publish();
  CHECK(published().empty());
  REQUIRE(publisher.still_open().size() == 1);
  CHECK(publisher.still_open()[0].why.find("is not settled") != std::string::npos);
  publish(route.pipeline);
  CHECK(published() == "first\n");
  CHECK(publisher.still_open().empty());
}

TEST_CASE_FIXTURE(GoneFixture, "what cannot be published is told until it can be") {
  fs::rename(out, out.string() + ".aside");
  std::ofstream(out) << "in the way";
  publish();
  REQUIRE(publisher.still_open().size() == 1);
  CHECK(publisher.still_open()[0].files[0].starts_with(out.string() + "/key first/.leat-gw~plant~upstream~"));
  CHECK(publisher.still_open()[0].why.ends_with("Not a directory"));
  fs::remove(out);
  fs::rename(out.string() + ".aside", out);
  publish();
  CHECK(publisher.still_open().empty());
  CHECK(published() == "first\n");
}

TEST_CASE_FIXTURE(GoneFixture, "what is served again is left alone") {
  fs::rename(out, out.string() + ".aside");
  publish();
  CHECK(publisher.still_open().size() == 1);
  publisher.keep(route.pipeline);
  CHECK(publisher.still_open().empty());
}

}  // namespace
}  // namespace leat::runtime
