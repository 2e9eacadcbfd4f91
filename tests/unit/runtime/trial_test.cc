// Trials from their text to their rows, and looking on at a pipeline that runs.
#include "daemon/runtime/trial.h"

#include <doctest/doctest.h>

#include "tests/unit/runtime/pipeline_fixture.h"

using namespace leat;
using namespace leat::runtime;

namespace {

struct Tried {
  std::vector<std::string> rows;
  std::vector<std::string> notes;
  std::string why;
};

/// Everything until the trial ends.
Tried all_of(RowChannel& channel) {
  Tried tried;
  for (;;) {
    const RowChannel::Seen seen = channel.wait(std::chrono::milliseconds(10'000));
    for (const auto& batch : seen.rows)
      for (std::size_t row = 0; row < batch->size; ++row)
        append_row_text(*batch, row, {"UTC", "null"}, tried.rows.emplace_back());
    tried.notes.insert(tried.notes.end(), seen.notes.begin(), seen.notes.end());
    if (seen.ended) tried.why = *seen.ended;
    if (seen.ended || (seen.rows.empty() && seen.notes.empty())) return tried;
  }
}

Tried tried(TrialSetup setup) {
  auto trial = Trial::start(std::move(setup));
  REQUIRE(trial);
  return all_of(*(*trial)->channel());
}

const std::string kReadings =
    "CREATE TABLE readings (device STRING, n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' "
    "= "
    "'mqtt', 'url' = 'tcp://127.0.0.1:1', 'topic' = 'x', 'format' = 'json');";
const std::string kEndless =
    "CREATE TABLE a (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000', 'fields.n.kind' = "
    "'sequence', 'fields.n.start' = '1', 'fields.n.end' = '1000000');";

std::string line(int second, int n) {
  return R"({"device": "p", "n": )" + std::to_string(n) + R"(, "ts": "2026-01-01 00:00:)" +
         std::to_string(10 + second) + "\"}\n";
}

}  // namespace

TEST_CASE("a trial of pasted rows runs to their end, with all windows") {
  TrialSetup setup{.plan =
                       planned(kReadings +
                               "SELECT window_start, SUM(n) AS total FROM TABLE(TUMBLE(TABLE readings, "
                               "DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end")};
  std::string text;
  for (int i = 0; i < 20; ++i) text += line(i, i);
  setup.pasted = {{"readings", text + "broken\n"}};
  setup.rows = 100;
  const Tried result = tried(std::move(setup));
  CHECK(result.why == "the input is read to its end");
  CHECK(result.rows ==
        std::vector<std::string>{"+I[2026-01-01T00:00:10, 45]", "+I[2026-01-01T00:00:20, 145]"});
  REQUIRE(result.notes.size() == 2);
  CHECK(result.notes[0] == "1 record could not be used");
}

TEST_CASE("rows of a table that is looked up may be pasted, too") {
  TrialSetup setup{
      .plan = planned(
          "CREATE TABLE readings (machine STRING, p AS PROCTIME()) WITH ('connector' = 'mqtt', 'url' = "
          "'tcp://127.0.0.1:1', 'topic' = 'x', 'format' = 'json');"
          "CREATE TABLE machines (machine STRING, hall STRING, PRIMARY KEY (machine) NOT ENFORCED) WITH "
          "('connector' = 'sqlite');"
          "SELECT r.machine, m.hall FROM readings AS r LEFT JOIN machines FOR SYSTEM_TIME AS OF r.p AS m "
          "ON r.machine = m.machine")};
  setup.pasted = {{"readings", "{\"machine\": \"p1\"}\n{\"machine\": \"p2\"}\n"},
                  {"machines", "{\"machine\": \"p1\", \"hall\": \"north\"}\n{\"hall\": 1}\n"}};
  setup.rows = 10;
  const Tried result = tried(std::move(setup));
  CHECK(result.rows == std::vector<std::string>{"+I[p1, north]", "+I[p2, null]"});
  CHECK(result.why == "the input is read to its end");
  REQUIRE(result.notes.size() == 1);
  CHECK(result.notes[0].starts_with("1 record of 'machines' could not be used"));
}

TEST_CASE("a trial ends with its last row, or with its time") {
  TrialSetup setup{.plan = planned(kEndless + "SELECT n FROM a")};
  setup.rows = 3;
  const Tried by_rows = tried(std::move(setup));
  CHECK(by_rows.rows == std::vector<std::string>{"+I[1]", "+I[2]", "+I[3]"});
  CHECK(by_rows.why == "3 rows, which is the limit");
  TrialSetup slow{.plan = planned(kEndless + "SELECT n FROM a WHERE n < 0")};
  slow.time = 50'000;
  slow.rows = 3;
  CHECK(tried(std::move(slow)).why == "the time is over");
}

TEST_CASE("a trial that is in the midst of a join ends with its time, and when it is left") {
  const std::string sql =
      "CREATE TABLE t (a BIGINT) WITH ('connector' = 'mqtt', 'url' = 'tcp://127.0.0.1:1', 'topic' = 'x', "
      "'format' = 'json');"
      "SELECT t.a FROM t JOIN t AS u ON t.a = u.a JOIN t AS v ON v.a = u.a WHERE t.a + u.a + v.a < 0";
  std::string text;
  for (int i = 0; i < 1'000; ++i) text += "{\"a\": 1}\n";
  TrialSetup setup{.plan = planned(sql), .pasted = {{"t", text}}};
  setup.time = 100'000;
  setup.rows = 1'000'000;
  CHECK(tried(setup).why == "the time is over");
  setup.time.reset();
  auto trial = Trial::start(std::move(setup));
  REQUIRE(trial);
  const auto channel = (*trial)->channel();
  (void)channel->wait(std::chrono::milliseconds(200));
  trial->reset();
  std::optional<std::string> why;
  while (!why) why = channel->wait(std::chrono::milliseconds(0)).ended;
  CHECK(why == "the trial was stopped");
}

TEST_CASE("thousands of VALUES rows are planned and run in no time") {
  std::string sql = "SELECT COUNT(*) AS n FROM (VALUES (1)";
  for (int i = 0; i < 50'000; ++i) sql += ",(" + std::to_string(i) + ")";
  TrialSetup setup{.plan = planned(sql + ") AS v (a)")};
  setup.time = 60'000'000;
  setup.rows = 1'000'000;
  const Tried result = tried(std::move(setup));
  CHECK(result.why == "the input is read to its end");
  CHECK(result.rows.back() == "+U[50001]");
}

TEST_CASE("the state of a trial is bounded in memory") {
  TrialSetup setup{.plan = planned("SET 'leat.memory.max' = '1 kb';" + kEndless +
                                   "SELECT n, COUNT(*) FROM a GROUP BY n HAVING COUNT(*) > 1")};
  setup.rows = 10;
  CHECK(tried(std::move(setup)).why.starts_with("the query failed: the state needs"));
}

TEST_CASE("a trial that is left stops at once") {
  TrialSetup setup{.plan = planned(kEndless + "SELECT n FROM a")};
  auto trial = Trial::start(std::move(setup));
  REQUIRE(trial);
  const auto channel = (*trial)->channel();
  trial->reset();
  CHECK(channel->wait(std::chrono::milliseconds(0)).ended == "the trial was stopped");
}

TEST_CASE("INSERT in a trial writes nothing and gives its rows out") {
  TrialSetup setup{
      .plan = planned(
          kEndless +
          "CREATE TABLE b (n BIGINT) WITH ('connector' = 'filesystem', 'path' = '/nonexistent', 'format' "
          "= 'json'); INSERT INTO b SELECT n * 10 FROM a")};
  setup.rows = 2;
  CHECK(tried(std::move(setup)).rows == std::vector<std::string>{"+I[10]", "+I[20]"});
}

TEST_CASE("a trial gets the messages of a tap, with what its own query needs of them") {
  auto tap = std::make_shared<MessageTap>();
  TrialSetup setup{.plan = planned(kReadings + "SELECT n FROM readings")};
  setup.live = {{"readings", tap}};
  setup.rows = 2;
  auto trial = Trial::start(std::move(setup));
  REQUIRE(trial);
  const std::string payload = line(1, 42) + std::string(formats::kPayloadPadding, '\0');
  const std::string attributes;
  sources::Message message{.number = {}, .intake_time = 1};
  message.payload = std::string_view(payload).substr(0, line(1, 42).size());
  Tried result;
  // The trial's source is there some time after its start.
  for (int i = 0; i < 1'000 && result.rows.size() < 2; ++i) {
    tap->offer({message});
    const RowChannel::Seen seen = (*trial)->channel()->wait(std::chrono::milliseconds(10));
    for (const auto& batch : seen.rows)
      for (std::size_t row = 0; row < batch->size; ++row)
        append_row_text(*batch, row, {"UTC", "null"}, result.rows.emplace_back());
  }
  CHECK(result.rows == std::vector<std::string>{"+I[42]", "+I[42]"});
}

TEST_CASE("a trial is told when the pipeline that it looks at ends") {
  auto tap = std::make_shared<MessageTap>();
  TrialSetup setup{.plan = planned(kReadings + "SELECT n FROM readings")};
  setup.live = {{"readings", tap}};
  auto trial = Trial::start(std::move(setup));
  REQUIRE(trial);
  std::optional<std::string> why;
  for (int i = 0; i < 1'000 && !why; ++i) {
    tap->end("pipeline 'x' is paused");
    why = (*trial)->channel()->wait(std::chrono::milliseconds(10)).ended;
  }
  CHECK(why == "pipeline 'x' is paused");
}

TEST_CASE_FIXTURE(PipelineWorld, "who looks on at a pipeline sees its rows, and why they end") {
  const std::string text =
      "CREATE TABLE a (n BIGINT, t STRING) WITH ('connector' = 'datagen', 'number-of-rows' = '10', "
      "'fields.n.kind' = "
      "'sequence', 'fields.n.start' = '1', 'fields.n.end' = '10');"
      "CREATE TABLE b (n BIGINT) WITH ('connector' = 'blackhole'); INSERT INTO b SELECT n FROM a WHERE n > 8";
  PipelineContext context{.loop = loop.get(), .clock = &clock, .store = store.get(), .results = &rows};
  auto made = Pipeline::create(PipelineName{"p"}, "p.sql", planned(text), context,
                               {.ended = [this] { loop->stop(); }});
  REQUIRE(made);
  pipeline = *std::move(made);
  CHECK(pipeline->tail({"a"}).error().message == "pipeline 'p' is starting: no rows pass");
  REQUIRE(pipeline->start());
  const auto source = pipeline->tail({"a"});
  const auto sink = pipeline->tail({"b"});
  REQUIRE(source);
  REQUIRE(sink);
  CHECK((*source)->schema().fields.at(0).name == "n");
  CHECK((*source)->schema().size() == 1);  // Nobody needs the other column.
  CHECK(pipeline->tail({"c"}).error().code == ErrorCode::kNotFound);
  loop->run();
  const Tried rows_of_source = all_of(**source);
  CHECK(rows_of_source.rows.size() == 10);
  CHECK(rows_of_source.why == "pipeline 'p' is finished");
  CHECK(all_of(**sink).rows == std::vector<std::string>{"+I[9]", "+I[10]"});
  CHECK(pipeline->tail({"a"}).error().code == ErrorCode::kConflict);
  pipeline.reset();
}
