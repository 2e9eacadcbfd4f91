// Dead letters that go back into their pipeline.
#include <filesystem>
#include <fstream>

#include "tests/unit/runtime/pipeline_fixture.h"

using namespace leat;
using namespace leat::runtime;

namespace {

/// A pipeline that follows a folder: it goes on for ever, and reads what is put there.
struct ReplayWorld : PipelineWorld {
  ReplayWorld() {
    std::string name = (std::filesystem::temp_directory_path() / "leat-replay-XXXXXX").string();
    folder = ::mkdtemp(name.data());
  }
  ~ReplayWorld() { std::filesystem::remove_all(folder); }

  void file(const std::string& name, const std::string& text) const { std::ofstream(folder / name) << text; }
  [[nodiscard]] std::string text(const std::string& format, const std::string& query) const {
    return "CREATE TABLE readings (device STRING, n BIGINT, name STRING METADATA FROM 'file.name') WITH ("
           "'connector' = 'filesystem', 'path' = '" +
           folder.string() + "', 'source.monitor-interval' = '1 ms', 'format' = '" + format + "');" + query;
  }
  std::vector<store::DeadLetterRow> letters() {
    auto found = store->dead_letters({}, {.order = store::DeadLetterPage::Order::kOldestFirst});
    REQUIRE(found);
    return *std::move(found);
  }
  /// Runs until something is committed and `condition` holds; checks the accounts between any two batches.
  PipelineStatus run_until(const std::string& sql, std::function<bool()> condition) {
    PipelineEvents events;
    events.batch_done = [this] {
      for (auto& each : accounting_violations(pipeline->status_now())) violations.push_back(each);
    };
    events.committed = [this, condition = std::move(condition)] {
      last = pipeline->status_now();
      if (condition()) crash();
    };
    run(sql, std::move(events));
    CHECK(violations == std::vector<std::string>());
    return last;
  }
  /// Replays all letters in a pipeline of this text and ends when it is answered.
  ReplayOutcome replay(const std::string& sql) {
    std::optional<Result<ReplayOutcome>> outcome;
    loop->post([this, &outcome] {
      pipeline->replay(letters(), [&outcome](Result<ReplayOutcome> answer) { outcome = std::move(answer); });
    });
    file("tick.jsonl", "");
    loop::Timer look(*loop, [&] {
      if (!outcome) return;
      last = pipeline->status_now();
      crash();
    });
    look.repeat(Micros(1'000));
    run(sql, {});
    REQUIRE(outcome);
    REQUIRE(outcome->has_value());
    return **outcome;
  }

  std::filesystem::path folder;
  std::vector<std::string> violations;
  PipelineStatus last;
};

const std::string kSelect = "SELECT device, n, name FROM readings;";

}  // namespace

TEST_CASE("a message that a wrong table refused goes through the mended one, once and in the accounts") {
  ReplayWorld world;
  world.file("a.jsonl", "{\"device\":\"pump\",\"n\":1}\ndevice;7\n");
  const auto before =
      world.run_until(world.text("json", kSelect), [&] { return world.letters().size() == 1; });
  CHECK(before.sources[0].counters.dead == 1);
  CHECK(world.rows.lines == std::vector<std::string>{"+I[pump, 1, a.jsonl]"});

  const std::string mended = world.text("csv", kSelect);
  const std::string with_semicolons =
      mended.substr(0, mended.find("'format'")) + "'csv.field-delimiter' = ';', 'format' = 'csv');" + kSelect;
  const ReplayOutcome outcome = world.replay(with_semicolons);
  CHECK(outcome.replayed == 1);
  CHECK(outcome.dead_again == 0);
  CHECK(world.rows.lines.back() == "+I[device, 7, a.jsonl]");  // The metadata is that of the first time.
  CHECK(world.letters().empty());
  CHECK(world.store->dead_letter_status()->replayed == 1);
  CHECK(accounting_violations(world.last).empty());
  CHECK(world.last.sources[0].counters.received == before.sources[0].counters.received + 1);
  CHECK(world.last.sources[0].counters.dead == 1);
}

TEST_CASE("what is still undecodable is a dead letter again, with a new id") {
  ReplayWorld world;
  world.file("a.jsonl", "no json\n");
  const std::string text = world.text("json", kSelect);
  world.run_until(text, [&] { return world.letters().size() == 1; });
  const std::int64_t id = world.letters()[0].id;
  const ReplayOutcome outcome = world.replay(text);
  CHECK(outcome.replayed == 1);
  CHECK(outcome.dead_again == 1);
  REQUIRE(world.letters().size() == 1);
  CHECK(world.letters()[0].id > id);
  CHECK(world.letters()[0].letter.payload == "no json");
  CHECK(world.last.sources[0].counters.dead == 2);
  CHECK(accounting_violations(world.last).empty());
}

TEST_CASE("letters that cannot go back stay, and each says why") {
  ReplayWorld world;
  store::Commit commit{.pipeline = {"test"}, .number = {1}};
  store::DeadLetter cut{"source readings", "too long", "beginning", "{}", 1};
  cut.payload_bytes = 1'000;
  commit.dead_letters = {{"sink upstream", "400", "row", "{}", 1}, {"source gone", "x", "x", "{}", 1}, cut};
  bool written = false;
  world.store->commit(std::make_shared<const store::Commit>(commit),
                      [&](Result<void> done) { written = done.has_value(); });
  const ReplayOutcome outcome = world.replay(world.text("json", kSelect));
  CHECK(written);
  CHECK(outcome.replayed == 0);
  REQUIRE(outcome.refused.size() == 3);
  CHECK(outcome.refused[0].reason.find("only the letters of a source") != std::string::npos);
  CHECK(outcome.refused[1].reason.find("no source 'gone'") != std::string::npos);
  CHECK(outcome.refused[2].reason.find("only 9 of its 1000 bytes") != std::string::npos);
  CHECK(world.letters().size() == 3);
}

TEST_CASE("a pipeline that fails before the commit leaves the letter, which can be replayed again") {
  ReplayWorld world;
  world.file("a.jsonl", "{\"device\":\"pump\",\"n\":\"seven\"}\n");
  world.run_until(world.text("json", kSelect), [&] { return world.letters().size() == 1; });
  const std::string counting =
      "CREATE TABLE readings (device STRING, n STRING) WITH ('connector' = 'filesystem', "
      "'path' = '" +
      world.folder.string() +
      "', 'source.monitor-interval' = '1 ms', "
      "'format' = 'json'); SELECT device, COUNT(*) FROM readings GROUP BY device;";
  bool asked = false;
  PipelineEvents events;
  events.batch_done = [&] {
    if (!std::exchange(asked, true)) world.pipeline->replay(world.letters(), [](const auto&) {});
  };
  world.rows.refuses = true;
  world.file("b.jsonl", "\n");
  world.run(counting, std::move(events));
  CHECK(world.letters().size() == 1);
  world.rows = {};
  CHECK(world.replay(counting).replayed == 1);
  CHECK(world.rows.lines == std::vector<std::string>{"+I[pump, 1]"});
  CHECK(world.letters().empty());
}

TEST_CASE("a pipeline that ends answers everybody who waits") {
  ReplayQueue queue;
  std::vector<std::string> answers;
  const auto note = [&](const Result<ReplayOutcome>& answer) {
    answers.push_back(answer ? "replayed " + std::to_string(answer->replayed) : answer.error().message);
  };
  const auto rows = [](std::initializer_list<const char*> origins) {
    std::vector<store::DeadLetterRow> letters;
    for (const char* origin : origins)
      letters.push_back(
          {static_cast<std::int64_t>(letters.size() + 1), {"p"}, {.origin = origin, .payload = "x"}, 1});
    return letters;
  };
  queue.add(rows({"source a", "source a", "source b"}), {}, note);
  queue.add(rows({"source a"}), {}, note);
  CHECK(queue.next(100).size() == 2);
  CHECK(queue.next(1).size() == 1);
  queue.pushed(2, 0);
  CHECK(queue.take_done() == std::vector<std::int64_t>{1, 2});
  queue.committed();
  CHECK(answers.empty());  // The third letter is still to come.
  queue.pushed(1, 0);
  CHECK(queue.wants_commit());
  CHECK(queue.take_done() == std::vector<std::int64_t>{3});
  queue.committed();
  queue.give_up("the pipeline has failed");
  REQUIRE(answers.size() == 2);
  CHECK(answers[0] == "replayed 3");
  CHECK(answers[1].find("the pipeline has failed") == 0);
}
