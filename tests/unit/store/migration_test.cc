// Files of older versions: what was in them is there after the steps to the present one.
#include <array>
#include <sstream>

#include "daemon/store/schema.h"
#include "daemon/store/sqlite.h"
#include "tests/unit/store/store_fixture.h"

namespace leat::store {
namespace {

std::string tables_of(Connection& connection) {
  return *connection.value(
      "SELECT group_concat(sql, ';' || char(10)) FROM (SELECT sql FROM sqlite_schema ORDER BY name)");
}

struct OldFile : StoreFixture {
  void make_version_1() const {
    std::ostringstream sql;
    sql << std::ifstream(std::string(LEAT_STORE_TEST_FILES) + "/version_1.sql").rdbuf();
    REQUIRE_FALSE(sql.str().empty());
    auto connection = connect();
    REQUIRE(apply_settings(*connection));
    REQUIRE(connection->exec(sql.str().c_str()));
  }
  [[nodiscard]] std::unique_ptr<Connection> connect() const {
    auto connection = Connection::open(options.path, OpenMode::kReadWrite);
    REQUIRE(connection);
    return *std::move(connection);
  }
};

TEST_CASE_FIXTURE(OldFile, "the first step is what version 1 wrote") {
  make_version_1();
  const std::string frozen = tables_of(*connect());
  options.path += ".new";
  REQUIRE(migrate(*connect(), 0, schema_steps().first(1)));
  CHECK(tables_of(*connect()) == frozen);
}

TEST_CASE_FIXTURE(OldFile, "a file of version 1 keeps everything through the steps to the present one") {
  make_version_1();
  REQUIRE(open());
  CHECK(noted().empty());
  CHECK(store->id().value == "0123456789abcdef0123456789abcdef");
  const SavedPipeline saved = *store->load(kPipeline);
  CHECK(saved.last_commit.value == 3);
  CHECK(saved.counters == "\xc0\xff\xee");
  CHECK(saved.positions.at(0).position == "\x01\x02");
  REQUIRE(saved.state.size() == 2);
  CHECK(saved.state[0].node == "window 1");
  CHECK(saved.state[1].value == "shut");
  CHECK(status().delivered == 7);
  CHECK(status().last_shipment.value == 4);
  CHECK(store->dead_letters({}, {})->at(0).letter.payload == "bad");
  CHECK(store->dead_letter_status()->pushed_out == 6);
  CHECK(store->dead_letter_status()->written == 7);
  REQUIRE(write(next_commit()));
  CHECK((*next())->blocks.at(0) == "block");
  CHECK_FALSE((*next())->inherited);
  CHECK_FALSE(store->is_paused(kPipeline, kSink));
  CHECK_FALSE(store->is_paused(kPipeline));
  store.reset();
  CHECK(*schema_version(*connect()) == static_cast<int>(schema_steps().size()));
}

constexpr std::array kThreeSteps = {"CREATE TABLE a (x); INSERT INTO a VALUES (1)",
                                    "ALTER TABLE a ADD COLUMN y NOT NULL DEFAULT 5",
                                    "CREATE TABLE b (z); INSERT INTO b SELECT x + y FROM a"};

TEST_CASE_FIXTURE(OldFile, "only the steps that a file has not taken are taken") {
  const auto connection = connect();
  REQUIRE(migrate(*connection, 0, std::span(kThreeSteps).first(2)));
  CHECK(*connection->value("PRAGMA user_version") == "2");
  REQUIRE(migrate(*connection, 2, kThreeSteps));
  CHECK(*connection->value("PRAGMA user_version") == "3");
  CHECK(*connection->value("SELECT z FROM b") == "6");
  REQUIRE(migrate(*connection, 3, kThreeSteps));
}

TEST_CASE_FIXTURE(OldFile, "a step that fails changes nothing, and the ones before it stand") {
  constexpr std::array kBroken = {kThreeSteps[0], "INSERT INTO a VALUES (2); INSERT INTO missing VALUES (1)"};
  const auto connection = connect();
  CHECK_FALSE(migrate(*connection, 0, kBroken));
  CHECK(*connection->value("PRAGMA user_version") == "1");
  CHECK(*connection->value("SELECT count(*) FROM a") == "1");
  REQUIRE(migrate(*connection, 1, kThreeSteps));
}

}  // namespace
}  // namespace leat::store
