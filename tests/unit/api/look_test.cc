// The parts of what the API answers to questions about texts and rows.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "daemon/api/gate.h"
#include "daemon/api/members.h"
#include "daemon/api/row_events.h"
#include "daemon/api/sql_errors.h"
#include "daemon/api/trial_text.h"
#include "pipelines/column/column_builder.h"

using namespace leat;
using namespace leat::api;
using nlohmann::json;

namespace {

Request with_body(json body) {
  return {.parts = {}, .query = {}, .body = std::move(body)};
}

const std::string kPipeline = R"(SET 'execution.checkpointing.interval' = '1 s';
CREATE TABLE a (n BIGINT, t STRING) WITH ('connector' = 'datagen');
CREATE VIEW big AS SELECT n FROM a WHERE n > 10;
CREATE TABLE b (n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO b SELECT n FROM big;
EXECUTE STATEMENT SET BEGIN INSERT INTO b SELECT n FROM a; END;
)";

std::shared_ptr<runtime::RowChannel> channel() {
  const Schema schema{{{"n", Type::big_int()}, {"t", Type::string()}}};
  return std::make_shared<runtime::RowChannel>(schema, "UTC");
}

std::shared_ptr<const Batch> batch(std::size_t rows) {
  ColumnBuilder numbers(Type::big_int());
  ColumnBuilder texts(Type::string());
  for (std::size_t row = 0; row < rows; ++row) {
    numbers.append(static_cast<std::int64_t>(row));
    texts.append_string("line\n\"" + std::to_string(row));
  }
  auto made = std::make_shared<Batch>(Batch{.size = rows});
  made->columns = {numbers.finish(), texts.finish()};
  return made;
}

/// Name and data of each event of a piece.
std::vector<std::pair<std::string, json>> events(const std::string& text) {
  std::vector<std::pair<std::string, json>> all;
  std::string name;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    if (line.starts_with("event: ")) name = line.substr(7);
    if (line.starts_with("data: ")) all.emplace_back(name, json::parse(line.substr(6)));
    at = end + 1;
  }
  return all;
}

}  // namespace

TEST_CASE("a gate lets so many in, and others when they have left") {
  Gate gate(2);
  Gate::Pass first = gate.enter();
  const Gate::Pass second = gate.enter();
  CHECK(first);
  CHECK(second);
  CHECK_FALSE(gate.enter());
  const Gate::Pass copy = first;
  first.reset();
  CHECK_FALSE(gate.enter());
  CHECK_FALSE(gate.enter());
}

TEST_CASE("a member of another type or out of its range is told with what was found") {
  CHECK(text_member(with_body({}), "sql") == "");
  CHECK(text_member(with_body({{"sql", 7}}), "sql").error().message == "'sql' is a text, found 7");
  CHECK(required_text(with_body({{"sql", ""}}), "sql").error().message == "'sql' is missing");
  const Range range{1, 10, 5};
  CHECK(number_member(with_body({}), "rows", range) == 5);
  CHECK(number_member(with_body({{"rows", 10}}), "rows", range) == 10);
  for (const json& wrong :
       {json(0), json(11), json("5"), json(1.5), json(nullptr), json(UINT64_MAX), json::array()})
    CHECK_FALSE(number_member(with_body({{"rows", wrong}}), "rows", range));
  CHECK(number_member({.parts = {}, .query = {{"rows", "7"}}}, "rows", range) == 7);
  CHECK(number_member({.parts = {}, .query = {{"rows", "x"}}}, "rows", range).error().message ==
        "'rows' is a number from 1 to 10, found 'x'");
}

TEST_CASE("an error of SQL has its place, its length and the caret") {
  const plan::PlanOutcome outcome = plan_text("SELECT temprature FROM a;\nSELECT 1", BareSelect::kTaken);
  const Response response = sql_problem(outcome.messages);
  const json body = json::parse(response.body);
  CHECK(response.status == 422);
  CHECK(response.content_type == "application/problem+json");
  CHECK(body.at("errors").at(0).at("line") == 1);
  CHECK(body.at("errors").at(0).at("length").get<int>() > 0);
  CHECK(body.at("text").get<std::string>().find("^") != std::string::npos);
  const json other = json::parse(sql_problem("SELECT a,\n  béb FROM t", 12, "no such column: béb").body);
  CHECK(other.at("errors").at(0) ==
        json{{"message", "no such column: béb"}, {"line", 2}, {"column", 3}, {"length", 3}});
  const json nowhere = json::parse(sql_problem("SELECT", std::nullopt, "too slow").body);
  CHECK(nowhere.at("text") == "sql: error: too slow\n");
}

TEST_CASE("of a pipeline a trial takes what it declares, and not what it runs") {
  const std::string declarations = declarations_of(kPipeline);
  CHECK(declarations.find("CREATE VIEW big") != std::string::npos);
  CHECK(declarations.find("INSERT") == std::string::npos);
  CHECK(declarations.find("SET 'execution") != std::string::npos);
  CHECK(declares_view(kPipeline, "big"));
  CHECK_FALSE(declares_view(kPipeline, "a"));
  const TrialPlan planned = plan_trial(declarations, "SELECT n FROM big");
  REQUIRE(planned.ok());
  CHECK(planned.plan.sinks.size() == 1);
  CHECK(planned.plan.settings.at("leat.memory.max") == "64 mb");
}

TEST_CASE("the places of errors are those of the trial's own text") {
  const TrialPlan planned = plan_trial(declarations_of(kPipeline), "SELECT n,\n  x FROM big");
  REQUIRE_FALSE(planned.ok());
  CHECK(planned.messages.at(0).line == 2);
  CHECK(planned.messages.at(0).column == 3);
  CHECK(planned.messages.at(0).rendered.starts_with("sql:2:3: error:"));
}

TEST_CASE("the last thing that a trial writes is shown, or the table that is named") {
  const TrialPlan planned =
      plan_trial(declarations_of(kPipeline), "INSERT INTO b SELECT n FROM a; SELECT t FROM a");
  REQUIRE(planned.ok());
  CHECK(shown_sink(planned.plan, "") == 1);
  CHECK(shown_sink(planned.plan, "b") == 0);
  CHECK(shown_sink(planned.plan, "bb").error().message ==
        "the text writes no table 'bb' (did you mean 'b'?)");
}

TEST_CASE("rows become events: schema, rows, what was skipped, notes, end") {
  const auto rows = channel();
  rows->put({{batch(2), 10}}, 3);
  rows->note("a note");
  rows->end("it is over");
  const Response response = row_events(rows, nullptr);
  CHECK(response.content_type == "text/event-stream");
  const auto schema = events(*response.pieces());
  CHECK(schema.at(0).first == "schema");
  CHECK(schema.at(0).second.at("columns").at(1) == json{{"name", "t"}, {"type", "STRING"}});
  const auto all = events(*response.pieces());
  REQUIRE(all.size() == 4);
  CHECK(all[0] == std::pair<std::string, json>("skipped", {{"rows", 3}}));
  CHECK(all[1].second.at(1) == json{{"kind", "+I"}, {"row", {{"n", 1}, {"t", "line\n\"1"}}}});
  CHECK(all[2] == std::pair<std::string, json>("note", {{"text", "a note"}}));
  CHECK(all[3] == std::pair<std::string, json>("end", {{"why", "it is over"}, {"rows", 2}}));
  CHECK_FALSE(response.pieces());
}

TEST_CASE("an event holds a bounded number of rows; a reader that goes leaves its channel") {
  const auto rows = channel();
  {
    const Response response = row_events(rows, nullptr);
    rows->put({{batch(1'200), 10}});
    (void)response.pieces();
    CHECK(events(*response.pieces()).size() == 3);
    CHECK_FALSE(rows->left());
  }
  CHECK(rows->left());
}
