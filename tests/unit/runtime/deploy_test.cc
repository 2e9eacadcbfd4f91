// Deploying, removing and renaming on a host with a store of its own, and the pure questions behind them.
#include "daemon/runtime/deploy.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "daemon/log/log.h"
#include "daemon/loop/clock.h"
#include "daemon/loop/loop.h"
#include "daemon/runtime/host.h"
#include "pipelines/base/bytes.h"
#include "tests/support/eventually.h"

using namespace leat;
using namespace leat::runtime;

namespace {

std::string text(const std::string& select, const std::string& settings = "") {
  return settings + R"(
    CREATE TABLE a (n BIGINT, ts AS PROCTIME()) WITH ('connector' = 'datagen', 'rows-per-second' = '50', 'fields.n.min' = '1', 'fields.n.max' = '3');
    CREATE TABLE b (n BIGINT, c BIGINT) WITH ('connector' = 'blackhole');
    SET 'execution.checkpointing.interval' = '10 ms';
    INSERT INTO b )" +
         select + ";";
}
const std::string kCounts = text("SELECT n, COUNT(*) FROM a GROUP BY n");
const std::string kSameState = text("SELECT n + 1, c FROM (SELECT n, COUNT(*) AS c FROM a GROUP BY n)");
const std::string kOtherState = text("SELECT n, COUNT(DISTINCT n) FROM a GROUP BY n");
const std::string kOverMqtt =
    "CREATE TABLE m (n BIGINT) WITH ('connector' = 'mqtt', 'url' = 'tcp://127.0.0.1:1', 'topic' = 'a', "
    "'format' = "
    "'json'); CREATE TABLE b (n BIGINT) WITH ('connector' = 'blackhole'); INSERT INTO b SELECT n FROM m;";

struct DeployWorld {
  DeployWorld() {
    log::configure({.form = log::Form::kText, .level = log::Level::kError});
    std::string name = (std::filesystem::temp_directory_path() / "leat-deploy-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    std::filesystem::create_directories(folder / "pipelines");
    std::filesystem::create_directories(folder / "journal");
    std::vector<std::string> notes;
    store = *store::Store::open({.path = (folder / "leat.db").string()}, notes);
    loop = *loop::Loop::create();
    begin();
  }
  ~DeployWorld() {
    host.reset();
    store.reset();
    std::filesystem::remove_all(folder);
  }

  void begin() {
    make_host();
    load();
  }
  void make_host() {
    host = std::make_unique<Host>(HostContext{.loop = loop.get(),
                                              .clock = &clock,
                                              .store = store.get(),
                                              .journal_dir = (folder / "journal").string()});
  }
  void load() { host->load_folder((folder / "pipelines").string()); }
  void file(const std::string& name, const std::string& sql) {
    std::ofstream(folder / "pipelines" / name) << sql;
  }
  /// As the API does: from another thread, while the loop runs.
  template <class T>
  T ask(const std::function<T()>& question) {
    std::optional<T> answer;
    std::thread asking([&] {
      answer = question();
      loop->stop();
    });
    loop->run();
    asking.join();
    return *std::move(answer);
  }
  DeployOutcome deploy(const std::string& name, const std::string& sql,
                       DeployRequest::Cold cold = DeployRequest::Cold::kRefuse,
                       DeployRequest::Run run = DeployRequest::Run::kReal) {
    return ask<DeployOutcome>([&] { return host->deploy({{name}, sql, cold, run}); });
  }
  Result<Removed> remove(const std::string& name, const std::set<Part>& purge = {}) {
    return ask<Result<Removed>>([&] { return host->remove({name}, purge); });
  }
  Status rename(const std::string& from, const std::string& to) {
    return ask<Status>([&] { return host->rename({from}, {to}); });
  }
  PipelineStatus status(const std::string& name) {
    for (const PipelineStatus& each : host->statuses())
      if (each.name.value == name) return each;
    return {.state = PipelineState::kStopped};
  }
  bool is_there(const std::string& name) { return host->text({name}).has_value(); }
  /// Until it has committed something.
  void wait_for_commits(const std::string& name, std::uint64_t commits = 1) {
    ask<bool>([&] {
      while (store->load({name})->last_commit.value < commits)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      return true;
    });
  }
  void stop() {
    host->stop(clock.monotonic(), [this] { loop->stop(); });
    loop->run();
  }
  void restart() {
    stop();
    begin();
  }

  std::filesystem::path folder;
  loop::SystemClock clock;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<loop::Loop> loop;
  std::unique_ptr<Host> host;
};

}  // namespace

TEST_CASE("a text that is deployed runs, and runs again after a restart") {
  DeployWorld world;
  const DeployOutcome made = world.deploy("mill", kCounts);
  REQUIRE(made);
  CHECK(made->created);
  CHECK(made->version == 1);
  CHECK(world.status("mill").state == PipelineState::kRunning);
  world.restart();
  CHECK(world.status("mill").state == PipelineState::kRunning);
  CHECK(world.host->text({"mill"})->sql == kCounts);
  CHECK(world.host->text({"mill"})->origin == Origin::kDeployed);
  world.stop();
}

TEST_CASE("the same text again changes nothing") {
  DeployWorld world;
  REQUIRE(world.deploy("mill", kCounts));
  const DeployOutcome again = world.deploy("mill", kCounts);
  REQUIRE(again);
  CHECK_FALSE(again->changed);
  CHECK_FALSE(again->created);
  CHECK(again->version == 1);
  world.stop();
}

TEST_CASE("a new version takes over the state that is its own") {
  DeployWorld world;
  REQUIRE(world.deploy("mill", kCounts));
  world.wait_for_commits("mill", 3);
  const DeployOutcome dry =
      world.deploy("mill", kSameState, DeployRequest::Cold::kRefuse, DeployRequest::Run::kDry);
  REQUIRE(dry);
  CHECK(world.host->text({"mill"})->version == 1);
  const DeployOutcome made = world.deploy("mill", kSameState);
  REQUIRE(made);
  CHECK(made->version == 2);
  REQUIRE(made->state.kept.size() == 1);
  CHECK(made->state.kept[0].name == "group aggregate 1");
  CHECK(made->state.kept[0].keys >= 1);
  CHECK(made->state.cold.empty());
  CHECK(made->state.dropped.empty());
  CHECK(world.status("mill").last_commit.value >= 3);
  world.stop();
}

TEST_CASE("an operator that would start cold is asked about, and says why") {
  DeployWorld world;
  REQUIRE(world.deploy("mill", kCounts));
  world.wait_for_commits("mill", 2);
  const DeployOutcome refused = world.deploy("mill", kOtherState);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().error.code == ErrorCode::kConflict);
  REQUIRE(refused.error().state);
  REQUIRE(refused.error().state->cold.size() == 1);
  CHECK(refused.error().state->cold[0].why.find("'group aggregate 1' of the version before is another one") ==
        0);
  CHECK(refused.error().state->cold[0].why.find("COUNT(DISTINCT") != std::string::npos);
  CHECK(refused.error().state->dropped == std::vector<std::string>{"group aggregate 1"});
  CHECK(world.host->text({"mill"})->version == 1);
  CHECK(world.status("mill").state == PipelineState::kRunning);
  REQUIRE(world.deploy("mill", kOtherState, DeployRequest::Cold::kAccept));
  CHECK(world.host->text({"mill"})->version == 2);
  world.stop();
}

TEST_CASE("a text that is wrong or names another pipeline is refused with its place, and changes nothing") {
  DeployWorld world;
  const DeployOutcome broken =
      world.deploy("mill", "CREATE TABLE a (n BIGNIT) WITH ('connector' = 'datagen');");
  REQUIRE_FALSE(broken);
  CHECK(broken.error().messages.at(0).line == 1);
  CHECK(broken.error().messages.at(0).rendered.find("mill.sql:1:19: error:") == 0);
  const DeployOutcome misnamed = world.deploy("mill", "SET 'pipeline.name' = 'plant';" + kCounts);
  REQUIRE_FALSE(misnamed);
  REQUIRE(misnamed.error().messages.size() == 1);
  CHECK(misnamed.error().messages[0].column == 23);
  CHECK(misnamed.error().messages[0].length == 7);
  CHECK_FALSE(world.deploy("a/b", kCounts));
  CHECK_FALSE(world.is_there("mill"));
  CHECK(world.store->pipelines().deployed()->empty());
  world.stop();
}

TEST_CASE("a version that cannot be built leaves the one that runs as it is") {
  DeployWorld world;
  REQUIRE(world.deploy("mill", kCounts));
  world.wait_for_commits("mill");
  const std::string table =
      "CREATE TABLE a (n BIGINT) WITH ('connector' = 'datagen'); CREATE TABLE t (n BIGINT) WITH ('connector' "
      "= "
      "'sqlite'); INSERT INTO t SELECT n FROM a;";
  REQUIRE(world.deploy("other", table));
  std::string reshaped = table;
  reshaped.replace(reshaped.find("t (n BIGINT)"), 12, "t (n STRING)");
  reshaped.replace(reshaped.find("SELECT n"), 8, "SELECT CAST(n AS STRING)");
  const DeployOutcome refused = world.deploy("mill", reshaped, DeployRequest::Cold::kAccept);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().error.code == ErrorCode::kConflict);
  CHECK(refused.error().error.message.find("the table 't' is there in another shape") == 0);
  CHECK(world.status("mill").state == PipelineState::kRunning);
  CHECK(world.host->text({"mill"})->sql == kCounts);
  world.stop();
}

TEST_CASE("a version that does not come up after all leaves the one before running, and its text") {
  DeployWorld world;
  REQUIRE(world.deploy("mill", kCounts));
  world.wait_for_commits("mill", 2);
  std::filesystem::create_directories(world.folder / "journal" / "mill.m.journal");
  const DeployOutcome refused = world.deploy("mill", kOverMqtt, DeployRequest::Cold::kAccept);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().error.message.find("mill.m.journal") != std::string::npos);
  CHECK(world.status("mill").state == PipelineState::kRunning);
  CHECK(world.host->text({"mill"})->sql == kCounts);
  CHECK(world.host->text({"mill"})->version == 1);
  const auto commits = world.status("mill").last_commit.value;
  world.wait_for_commits("mill", commits + 2);
  CHECK_FALSE(world.deploy("other", kOverMqtt + "SET 'pipeline.name' = 'mill';"));
  CHECK_FALSE(world.is_there("other"));
  CHECK(world.deploy("mill", kSameState)->version == 2);
  world.stop();
}

TEST_CASE("a new pipeline that does not come up is none") {
  DeployWorld world;
  std::filesystem::create_directories(world.folder / "journal" / "mill.m.journal");
  CHECK_FALSE(world.deploy("mill", kOverMqtt));
  CHECK_FALSE(world.is_there("mill"));
  CHECK(world.store->pipelines().deployed()->empty());
  REQUIRE(world.deploy("mill", kCounts));
  world.stop();
}

TEST_CASE("a secret that is not there is found before the version that runs is ended") {
  DeployWorld world;
  REQUIRE(world.deploy("mill", kCounts));
  std::string secret = kOverMqtt;
  secret.insert(secret.find("'topic'"), "'username' = 'mill', 'password' = '${env:LEAT_NOT_SET}', ");
  const DeployOutcome refused = world.deploy("mill", secret, DeployRequest::Cold::kAccept);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().error.message.find("LEAT_NOT_SET") != std::string::npos);
  CHECK(world.status("mill").state == PipelineState::kRunning);
  CHECK(world.host->text({"mill"})->sql == kCounts);
  world.stop();
}

TEST_CASE("a version that cannot start has the text and the version before put back") {
  DeployWorld world;
  const auto kept = std::make_shared<store::Commit>();
  kept->pipeline = {"mill"};
  kept->number = {1};
  std::string position;  // As source_reader.cc writes it, with a tracker's bytes that are none of mqtt's.
  ByteWriter out(position);
  out.varint(0);
  out.string("garbage");
  out.varint(0);
  out.string("mqtt");
  kept->positions.push_back({{"m"}, position});
  std::promise<bool> written;
  world.store->commit(kept, [&](const Result<void>& done) { written.set_value(done.has_value()); });
  REQUIRE(written.get_future().get());
  REQUIRE(world.deploy("mill", kCounts, DeployRequest::Cold::kAccept));
  const DeployOutcome refused = world.deploy("mill", kOverMqtt, DeployRequest::Cold::kAccept);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().error.message.find("table 'm'") == 0);
  CHECK(world.store->pipelines().deployed()->at(0).sql == kCounts);
  CHECK(world.store->pipelines().deployed()->at(0).version == 1);
  CHECK(world.host->text({"mill"})->sql == kCounts);
  CHECK(world.status("mill").state == PipelineState::kRunning);
  world.wait_for_commits("mill", world.status("mill").last_commit.value + 2);
  world.stop();
}

TEST_CASE("a pipeline that is paused stays so under a new version, also over a restart") {
  DeployWorld world;
  REQUIRE(world.deploy("mill", kCounts));
  REQUIRE(world.ask<Status>([&] { return world.host->steer({"mill"}, Steering::kPause); }));
  REQUIRE(world.deploy("mill", kSameState, DeployRequest::Cold::kAccept));
  CHECK(world.status("mill").state == PipelineState::kPaused);
  world.restart();
  CHECK(world.status("mill").state == PipelineState::kPaused);
  CHECK(world.host->text({"mill"})->version == 2);
  world.stop();
}

TEST_CASE("a file's name is the file's") {
  DeployWorld world;
  world.file("mill.sql", kCounts);
  world.restart();
  const DeployOutcome refused = world.deploy("mill", kSameState);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().error.code == ErrorCode::kConflict);
  CHECK(refused.error().error.message.find("mill.sql'") != std::string::npos);
  CHECK(world.remove("mill").error().code == ErrorCode::kConflict);
  CHECK(world.rename("mill", "plant").error().code == ErrorCode::kConflict);
  CHECK(world.status("mill").state == PipelineState::kRunning);
  world.stop();
}

TEST_CASE("a file that comes with the name of a deployed pipeline is refused, and says so") {
  DeployWorld world;
  REQUIRE(world.deploy("mill", kCounts));
  world.file("mill.sql", kSameState);
  world.restart();
  CHECK(world.host->text({"mill"})->sql == kCounts);
  std::vector<std::string> reasons;
  CHECK_FALSE(world.host->ready(reasons));
  REQUIRE(reasons.size() == 1);
  CHECK(reasons[0].find("a pipeline 'mill' is deployed (version 1) and goes on") != std::string::npos);
  world.stop();
}

TEST_CASE("a pipeline that is removed leaves what is kept, for the next of its name") {
  DeployWorld world;
  REQUIRE(world.deploy("mill", kCounts));
  world.wait_for_commits("mill", 2);
  const auto removed = world.remove("mill");
  REQUIRE(removed);
  CHECK(removed->was_there);
  CHECK(removed->kept == std::vector<std::string>{"state"});
  CHECK_FALSE(world.is_there("mill"));
  REQUIRE(world.host->leftovers().size() == 1);
  CHECK(world.host->leftovers()[0].find("state of pipeline 'mill', which is not there any more") == 0);
  const DeployOutcome back = world.deploy("mill", kCounts);
  REQUIRE(back);
  CHECK(back->created);
  CHECK(back->state.kept.size() == 1);
  CHECK(world.host->leftovers().empty());
  world.stop();
}

TEST_CASE("what is purged is gone, also of a pipeline that was removed before") {
  DeployWorld world;
  REQUIRE(world.deploy("mill", kCounts));
  world.wait_for_commits("mill");
  REQUIRE(world.remove("mill"));
  const auto purged = world.remove("mill", {Part::kState});
  REQUIRE(purged);
  CHECK_FALSE(purged->was_there);
  CHECK(purged->purged == std::vector<std::string>{"state"});
  CHECK(purged->kept.empty());
  CHECK(world.host->leftovers().empty());
  CHECK(world.remove("nobody").error().code == ErrorCode::kNotFound);
  world.stop();
}

namespace {

/// What was in a file is in the folder "out", in one that is open.
struct FileWorld : DeployWorld {
  FileWorld() {
    std::filesystem::create_directories(folder / "in");
    std::ofstream(folder / "in" / "a.csv") << "1\n2\n3\n";
    write_to("files");
    restart();
    ask<bool>([&] { return test::eventually([&] { return delivered() == 3; }); });
    stop();
  }
  void write_to(const std::string& table) const {
    std::ofstream(folder / "pipelines" / "rows.sql")
        << "SET 'execution.checkpointing.interval' = '10 ms'; CREATE TABLE a (n BIGINT) WITH ('connector' = "
           "'filesystem', 'format' = 'csv', 'source.monitor-interval' = '10 ms', 'path' = '"
        << (folder / "in").string() << "'); CREATE TABLE " << table
        << " (n BIGINT) WITH ('connector' = 'filesystem', 'format' = 'csv', 'path' = '" << out.string()
        << "'); INSERT INTO " << table << " SELECT n FROM a;";
  }
  [[nodiscard]] std::uint64_t delivered() const {
    const auto all = store->outbox_status();
    return all->empty() ? 0 : all->front().delivered;
  }
  void forget_text() const { std::filesystem::remove(folder / "pipelines" / "rows.sql"); }
  /// Of files that readers see.
  [[nodiscard]] std::uint64_t published() const {
    std::uint64_t lines = 0;
    for (const auto& entry : std::filesystem::directory_iterator(out)) {
      if (entry.path().filename().string().starts_with(".")) continue;
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) ++lines;
    }
    return lines;
  }
  /// Nobody can write below it.
  void break_out() const {
    std::filesystem::rename(out, folder / "aside");
    std::ofstream(out) << "in the way";
  }
  void mend_out() const {
    std::filesystem::remove(out);
    std::filesystem::rename(folder / "aside", out);
  }

  std::filesystem::path out = folder / "out";
};

}  // namespace

TEST_CASE_FIXTURE(FileWorld,
                  "what a sink has open is published when its text went while the daemon was stopped") {
  CHECK(published() == 0);
  SUBCASE("of the pipeline") {
    forget_text();
  }
  SUBCASE("of the table") {
    write_to("other");
  }
  begin();
  CHECK(test::eventually([this] { return published() == 3; }));
}

TEST_CASE_FIXTURE(FileWorld, "nothing is published for a folder of pipelines that is away") {
  std::filesystem::rename(folder / "pipelines", folder / "away");
  begin();
  CHECK(host->remove({"nobody"}, {}).error().code == ErrorCode::kNotFound);
  CHECK(published() == 0);
}

TEST_CASE_FIXTURE(FileWorld,
                  "rows that cannot be published are told until the purge, which names their file") {
  forget_text();
  break_out();
  begin();
  const auto told = [this] {
    for (const std::string& sentence : host->leftovers())
      if (sentence.find(out.string() + "/.leat-") != std::string::npos) return true;
    return false;
  };
  CHECK(test::eventually(told));
  auto removed = remove("rows", {Part::kState});
  REQUIRE(removed);
  REQUIRE(removed->notes.size() == 1);
  CHECK(removed->notes[0].find("'leat reload'") != std::string::npos);
  CHECK(told());
  SUBCASE("they are published when that is mended") {
    mend_out();
    REQUIRE(remove("rows", {std::begin(kAllParts), std::end(kAllParts)}));
    CHECK(published() == 3);
  }
  SUBCASE("they are given up") {
    removed = remove("rows", {std::begin(kAllParts), std::end(kAllParts)});
    REQUIRE(removed);
    REQUIRE(removed->notes.size() == 1);
    CHECK(removed->notes[0].find(out.string() + "/.leat-") != std::string::npos);
  }
  CHECK_FALSE(told());
}

TEST_CASE("a pipeline goes on under another name") {
  DeployWorld world;
  const std::string named = "SET 'pipeline.name' = 'mill';" + kCounts;
  REQUIRE(world.deploy("mill", named));
  world.wait_for_commits("mill", 2);
  REQUIRE(world.rename("mill", "plant 'a'"));
  CHECK_FALSE(world.is_there("mill"));
  CHECK(world.status("plant 'a'").state == PipelineState::kRunning);
  CHECK(world.host->text({"plant 'a'"})->sql == "SET 'pipeline.name' = 'plant ''a''';" + kCounts);
  world.wait_for_commits("plant 'a'", 4);
  world.restart();
  CHECK(world.status("plant 'a'").state == PipelineState::kRunning);
  CHECK(world.status("plant 'a'").last_commit.value >= 4);
  REQUIRE(world.deploy("mill", kCounts));
  CHECK(world.rename("mill", "plant 'a'").error().code == ErrorCode::kConflict);
  CHECK(world.rename("nobody", "third").error().code == ErrorCode::kNotFound);
  world.stop();
}

TEST_CASE(
    "a pause and a renaming at once leave the pause with the pipeline, and nothing under the old name") {
  DeployWorld world;
  REQUIRE(world.deploy("mill", kCounts));
  for (int i = 0; i < 10; ++i) {
    const std::string from = i % 2 == 0 ? "mill" : "press";
    const std::string to = i % 2 == 0 ? "press" : "mill";
    Status renamed;
    Status paused;
    world.ask<bool>([&] {
      std::thread pausing([&] { paused = world.host->steer({from}, Steering::kPause); });
      renamed = world.host->rename({from}, {to});
      pausing.join();
      return true;
    });
    const std::string name = renamed ? to : from;
    const bool is_paused = world.status(name).state == PipelineState::kPaused;
    CHECK(is_paused == world.store->is_paused(PipelineName{name}));
    CHECK_FALSE(world.store->is_paused(PipelineName{renamed ? from : to}));
    if (paused) REQUIRE(world.ask<Status>([&] { return world.host->steer({name}, Steering::kResume); }));
    if (!renamed) REQUIRE(world.rename(from, to));
  }
  world.stop();
}

TEST_CASE("a sink is paused in the store, too, and not while its pipeline is changed") {
  DeployWorld world;
  const std::string over_http =
      "CREATE TABLE a (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '5');"
      "CREATE TABLE h (n BIGINT) WITH ('connector' = 'http', 'url' = 'http://127.0.0.1:1/', 'format' = "
      "'json');"
      "INSERT INTO h SELECT n FROM a;";
  REQUIRE(world.deploy("mill", over_http));
  const auto command = [&](const std::string& sink, Delivery::Command what) {
    return world.ask<Status>([&] { return world.host->command({"mill"}, {sink}, what); });
  };
  REQUIRE(command("h", Delivery::Command::kPause));
  CHECK(world.store->is_paused({"mill"}, {"h"}));
  REQUIRE(command("h", Delivery::Command::kResume));
  CHECK_FALSE(world.store->is_paused({"mill"}, {"h"}));
  CHECK(command("x", Delivery::Command::kPause).error().code == ErrorCode::kNotFound);
  CHECK_FALSE(world.store->is_paused({"mill"}, {"x"}));
  CHECK(world.ask<Status>([&] { return world.host->command({"no"}, {"h"}, Delivery::Command::kPause); })
            .error()
            .code == ErrorCode::kNotFound);
  world.stop();
}

TEST_CASE("until the folder is read nothing is changed: what is there looks like leftovers") {
  DeployWorld world;
  REQUIRE(world.deploy("mill", kCounts));
  world.wait_for_commits("mill", 2);
  world.stop();
  world.make_host();
  CHECK(world.rename("mill", "plant").error().code == ErrorCode::kUnavailable);
  CHECK(world.remove("mill", {Part::kState, Part::kOutbox}).error().code == ErrorCode::kUnavailable);
  CHECK(world.deploy("mill", kCounts + " ").error().error.code == ErrorCode::kUnavailable);
  world.load();
  CHECK(world.host->text({"mill"})->sql == kCounts);
  CHECK(world.status("mill").last_commit.value >= 2);
  world.stop();
}

TEST_CASE("nothing is done for a pipeline that never was") {
  DeployWorld world;
  CHECK(world.remove("nobody", {Part::kOutbox}).error().code == ErrorCode::kNotFound);
  CHECK(world.store->pipelines().identity({"nobody"}) == PipelineName{"nobody"});
  world.stop();
}

TEST_CASE("why an operator starts cold says what became of those like it") {
  using Operators = std::vector<exec::Dataflow::OperatorInfo>;
  const auto named = [](const std::string& name, const std::string& fingerprint) {
    exec::Dataflow::OperatorInfo info;
    info.name = name;
    info.fingerprint = fingerprint;
    return info;
  };
  store::KeptParts parts;
  parts.last_commit.value = 1;
  parts.operators = {{.node = "a", .entries = 1}};
  const auto why = [&](const Operators& now, const Operators& before) {
    const StateReport report = compare_state(now, before, parts);
    return report.cold.empty() ? std::string() : report.cold.back().why;
  };
  const Operators one{named("window aggregate 1", "a")};
  CHECK(why({named("window aggregate 1", "b")}, one).find("'window aggregate 1' of the version before is") ==
        0);
  CHECK(
      why({named("window aggregate 1", "a"), named("window aggregate 2", "b")}, one) ==
      "'window aggregate 1' of the version before is now 'window aggregate 1', which takes its state; there "
      "was none more like it");
  CHECK(why({named("join 1", "b")}, one) == "the version before has none like it");
  CHECK(why({named("window aggregate 1", "b")}, {}) ==
        "the state that is kept is that of other operators, of a text that is not there any more");
  // Of two the one of the same name.
  parts.operators.push_back({.node = "b", .entries = 1});
  const Operators two{named("window aggregate 2", "a"), named("window aggregate 1", "b")};
  CHECK(why({named("window aggregate 1", "c")}, two).find("'window aggregate 1' of the version before is") ==
        0);
}

TEST_CASE("the name of a text is found, and changed where it stands") {
  CHECK(name_in_text("SELECT 1") == std::nullopt);
  CHECK(name_in_text("SET 'pipeline.name' = 'a'; SET 'pipeline.name' = 'b'; CREATE nonsense") == "b");
  CHECK(with_name("SET 'pipeline.name' = 'it''s';\nSELECT 1", {"b"}) ==
        "SET 'pipeline.name' = 'b';\nSELECT 1");
  CHECK(with_name("SELECT 'pipeline.name'", {"b"}) == "SELECT 'pipeline.name'");
  CHECK_FALSE(name_conflict("f", "SET 'pipeline.name' = 'a';", {"a"}));
  CHECK(name_conflict("f", "SET 'pipeline.name' = 'a';", {"b"})->rendered.find("f:1:23: error:") == 0);
}

TEST_CASE("a name that no path can hold is refused") {
  for (const char* good : {"mill", "line 3", "Mühle", "a.b-c_d"}) CHECK(check_name({good}));
  for (const char* bad : {"", "a/b", "a\nb", "\xFF", "mill~2"}) CHECK_FALSE(check_name({bad}));
  CHECK_FALSE(check_name({std::string(201, 'a')}));
}
