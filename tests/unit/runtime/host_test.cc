#include "daemon/runtime/host.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "daemon/log/log.h"
#include "daemon/loop/clock.h"
#include "daemon/loop/loop.h"

using namespace leat;
using namespace leat::runtime;

namespace {

struct HostWorld {
  HostWorld() {
    log::configure({.form = log::Form::kText, .level = log::Level::kError});
    std::string name = (std::filesystem::temp_directory_path() / "leat-host-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    std::vector<std::string> notes;
    store = *store::Store::open({}, notes);
    loop = *loop::Loop::create();
    host = std::make_unique<Host>(HostContext{.loop = loop.get(), .clock = &clock, .store = store.get()});
  }
  ~HostWorld() { std::filesystem::remove_all(folder); }

  void file(const std::string& name, const std::string& text) { std::ofstream(folder / name) << text; }
  void load() { host->load_folder(folder.string()); }
  PipelineStatus status(const std::string& name) {
    for (const PipelineStatus& each : host->statuses())
      if (each.name.value == name) return each;
    return {};
  }
  /// As the API does: from another thread, while the loop runs.
  Status steer(const std::string& name, Steering steering) {
    Status done;
    std::thread asking([&] {
      done = host->steer(PipelineName{name}, steering);
      loop->stop();
    });
    loop->run();
    asking.join();
    return done;
  }
  void start_again() {
    host = std::make_unique<Host>(HostContext{.loop = loop.get(), .clock = &clock, .store = store.get()});
    load();
  }
  void stop() {
    host->stop(clock.monotonic(), [this] { loop->stop(); });
    loop->run();
  }

  std::filesystem::path folder;
  loop::SystemClock clock;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<loop::Loop> loop;
  std::unique_ptr<Host> host;
};

const std::string kGood = R"(
  CREATE TABLE a (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1');
  CREATE TABLE b (n BIGINT) WITH ('connector' = 'blackhole');
  INSERT INTO b SELECT n FROM a;)";

}  // namespace

TEST_CASE("a broken file fails its own pipeline only, with the caret under the fault") {
  HostWorld world;
  world.file("good.sql", kGood);
  world.file("broken.sql", "CREATE TABLE a (n BIGNIT) WITH ('connector' = 'datagen');");
  world.load();
  CHECK(world.status("good").state == PipelineState::kRunning);
  CHECK(world.status("broken").state == PipelineState::kFailed);
  CHECK(world.status("broken").error.find("broken.sql:1:19: error:") != std::string::npos);
  CHECK(world.status("broken").error.find("^~~") != std::string::npos);
  std::vector<std::string> reasons;
  CHECK_FALSE(world.host->ready(reasons));
  REQUIRE(reasons.size() == 1);
  CHECK(reasons[0].find("pipeline 'broken' has failed") == 0);
  world.stop();
}

TEST_CASE("a file whose pipeline's name is taken is shown by who has it, and takes nothing from it") {
  HostWorld world;
  world.file("a.sql", "SET 'pipeline.name' = 'one';" + kGood);
  world.file("b.sql", "SET 'pipeline.name' = 'one';" + kGood);
  world.load();
  const auto statuses = world.host->statuses();
  REQUIRE(statuses.size() == 1);
  CHECK(statuses[0].state == PipelineState::kRunning);
  CHECK(statuses[0].refused.find("b.sql: another file's pipeline is named 'one', too") != std::string::npos);
  CHECK(world.host->counts() == Host::Counts{.running = 1, .refused = 1});
  std::vector<std::string> reasons;
  CHECK_FALSE(world.host->ready(reasons));
  world.stop();
}

TEST_CASE("hidden files and folders are no pipelines") {
  HostWorld world;
  world.file("good.sql", kGood);
  world.file(".hidden.sql", "nonsense");
  std::filesystem::create_directory(world.folder / "folder.sql");
  world.load();
  CHECK(world.host->statuses().size() == 1);
  CHECK(world.status("good").state == PipelineState::kRunning);
  world.stop();
}

TEST_CASE("a folder that is not there is said, and leaves the daemon running") {
  HostWorld world;
  world.host->load_folder((world.folder / "nowhere").string());
  std::vector<std::string> reasons;
  CHECK_FALSE(world.host->ready(reasons));
  CHECK(reasons[0].find("nowhere' cannot be read") != std::string::npos);
  world.stop();
}

TEST_CASE("a paused pipeline stays so over a restart, is as wanted, and goes on when it is resumed") {
  HostWorld world;
  world.file("good.sql", kGood);
  world.load();
  REQUIRE(world.steer("good", Steering::kPause));
  REQUIRE(world.steer("good", Steering::kPause));
  CHECK(world.status("good").state == PipelineState::kPaused);
  CHECK(world.steer("good", Steering::kRestart).error().code == ErrorCode::kConflict);
  world.stop();
  world.start_again();
  CHECK(world.status("good").state == PipelineState::kPaused);
  std::vector<std::string> reasons;
  CHECK(world.host->ready(reasons));
  REQUIRE(world.steer("good", Steering::kResume));
  REQUIRE(world.steer("good", Steering::kResume));
  CHECK(world.status("good").state == PipelineState::kRunning);
  world.stop();
  world.start_again();
  CHECK(world.status("good").state == PipelineState::kRunning);
  world.stop();
}

TEST_CASE("a restart goes on from the last commit; what is not there or wrong cannot be steered") {
  HostWorld world;
  world.file("good.sql", kGood);
  world.file("broken.sql", "CREATE TABLE a (n BIGNIT) WITH ('connector' = 'datagen');");
  world.load();
  REQUIRE(world.steer("good", Steering::kRestart));
  CHECK(world.status("good").state == PipelineState::kRunning);
  CHECK(world.steer("nobody", Steering::kPause).error().code == ErrorCode::kNotFound);
  const Status refused = world.steer("broken", Steering::kPause);
  CHECK(refused.error().code == ErrorCode::kConflict);
  CHECK(refused.error().message.find("pipeline 'broken' cannot run: ") == 0);
  world.stop();
  CHECK(world.host->steer(PipelineName{"good"}, Steering::kPause).error().code == ErrorCode::kUnavailable);
}
