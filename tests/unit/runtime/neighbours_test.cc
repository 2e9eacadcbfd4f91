#include "daemon/runtime/neighbours.h"

#include <doctest/doctest.h>

#include "daemon/runtime/catalog.h"
#include "pipelines/plan/planner.h"

using namespace leat;
using namespace leat::runtime;

namespace {

plan::Plan planned(const std::string& text) {
  auto outcome = plan::plan_pipeline(
      {.file = "a.sql", .text = text, .overrides = {}, .allow_select = false, .host_time_zone = "UTC"},
      catalog());
  REQUIRE_MESSAGE(outcome.ok(), text);
  return std::move(outcome.plan);
}

plan::Plan listening(const std::string& path) {
  return planned(
      "CREATE TABLE sent (n INT) WITH ('connector' = 'http', 'listen' = '127.0.0.1:9000', 'path' = '" + path +
      "', 'format' = 'json');\nCREATE TABLE b (n INT) WITH ('connector' = 'blackhole');\n" +
      "INSERT INTO b SELECT n FROM sent;");
}

plan::Plan hop(const std::string& from, const std::string& to) {
  const auto table = [](const std::string& name) {
    return "CREATE TABLE " + name + " (n INT) WITH ('connector' = 'stream');\n";
  };
  return planned(table(from) + table(to) + "INSERT INTO " + to + " SELECT n FROM " + from + ";");
}

std::string answer(const Status& status) {
  return status ? "" : status.error().message;
}

}  // namespace

TEST_CASE("one more is refused for what it clashes with, and with nothing that clashes without it") {
  Neighbours all;
  all.add("pipeline 'a'", listening("/one"));
  CHECK(answer(all.admit("pipeline 'b'", listening("/two"))).empty());
  CHECK(answer(all.admit("pipeline 'b'", listening("/one"))) ==
        "the tables 'sent' of pipeline 'a' and 'sent' of pipeline 'b' all take /one at 127.0.0.1:9000: give "
        "each a "
        "path of its own");
  all.add("pipeline 'b'", listening("/one"));
  CHECK(answer(all.admit("pipeline 'c'", listening("/three"))).empty());
}

TEST_CASE("a circle of streams is closed by the last of them") {
  Neighbours all;
  all.add("pipeline 'a'", hop("cold", "warm"));
  CHECK(answer(all.admit("pipeline 'b'", hop("warm", "hot"))).empty());
  all.add("pipeline 'b'", hop("warm", "hot"));
  CHECK(answer(all.admit("pipeline 'c'", hop("hot", "cold"))).find("each row would go round for ever") !=
        std::string::npos);
}

TEST_CASE("a pipeline alone has no loose ends") {
  Neighbours all;
  all.add("a.sql", hop("cold", "warm"));
  CHECK(all.loose_ends().empty());
  all.add("b.sql", hop("warm", "hot"));
  CHECK(all.loose_ends().size() == 2);
}
