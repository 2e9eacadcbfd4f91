#include "daemon/runtime/link_log.h"

#include <doctest/doctest.h>

using namespace leat;
using namespace leat::runtime;

namespace {

using Link = sources::SourceHealth::Link;
using Lines = std::vector<std::string>;

Lines lines(const std::vector<News>& news) {
  Lines texts;
  for (const News& each : news) texts.emplace_back(each.message);
  return texts;
}

struct Source {
  sources::SourceHealth health;
  SourceLinkLog log{SourceLinkLog::Pauses::kTold};
  Lines look(Link link) {
    health.link = link;
    return lines(log.look(health));
  }
};

const Lines kConnected{"source connected"};
const Lines kLost{"source lost its connection, trying again"};
const Lines kNever{"source cannot connect, trying again"};

DeliveryStatus delivery(DeliveryStatus::State state, std::uint64_t retries, std::string error) {
  DeliveryStatus status;
  status.state = state;
  status.retries = retries;
  status.last_error = std::move(error);
  return status;
}

}  // namespace

TEST_CASE("each look tells once what the broker had deleted before it was read") {
  Source it;
  it.look(Link::kConnected);
  it.health.jumps = 2;
  it.health.messages_gone = 7;
  it.health.last_jump = "t-0: there is nothing at offset 3 (any more), going on at 8";
  const auto news = it.log.look(it.health);
  REQUIRE(news.size() == 1);
  CHECK(news[0].weight == News::Weight::kTrouble);
  CHECK(news[0].detail == it.health.last_jump + "; messages passed over in all: 7");
  CHECK(it.look(Link::kConnected).empty());
}

TEST_CASE("a disk that refuses the journal is told once, and once when it takes it again") {
  Source it;
  it.health.disk = "/var/lib/leat/readings.journal: write: No space left on device";
  CHECK(it.look(Link::kIdle) == Lines{"the disk refuses the source's journal: nothing is acknowledged"});
  it.health.disk = "/var/lib/leat/readings.journal: fdatasync: Input/output error";
  CHECK(it.look(Link::kIdle).empty());
  it.health.disk.clear();
  CHECK(it.look(Link::kIdle) == Lines{"the disk takes the source's journal again"});
  CHECK(it.look(Link::kIdle).empty());
}

TEST_CASE("a broker that was never reached is not said to be lost, and is named once") {
  Source it;
  CHECK(it.look(Link::kConnecting).empty());
  CHECK(it.look(Link::kLost) == kNever);
  CHECK(it.look(Link::kConnecting).empty());
  CHECK(it.look(Link::kLost).empty());
  ++it.health.connects;
  CHECK(it.look(Link::kConnected) == kConnected);
  CHECK(it.look(Link::kConnected).empty());
}

TEST_CASE("a lost connection says why, once, until it is back") {
  Source it;
  ++it.health.connects;
  CHECK(it.look(Link::kConnected) == kConnected);
  ++it.health.losses;
  it.health.last_loss = "tcp://b: reset";
  it.health.link = Link::kLost;
  const auto news = it.log.look(it.health);
  REQUIRE(lines(news) == kLost);
  CHECK(news[0].detail == "tcp://b: reset");
  CHECK(news[0].weight == News::Weight::kTrouble);
  CHECK(it.look(Link::kConnecting).empty());
  CHECK(it.look(Link::kLost).empty());
  ++it.health.connects;
  CHECK(it.look(Link::kConnected) == kConnected);
}

TEST_CASE("an outage between two looks is told with its end") {
  Source it;
  ++it.health.connects;
  it.look(Link::kConnected);
  ++it.health.losses;
  ++it.health.connects;
  CHECK(it.look(Link::kConnected) == Lines{kLost[0], kConnected[0]});
}

TEST_CASE("a first connection that is lost before anybody looked is told in that order") {
  Source it;
  ++it.health.connects;
  ++it.health.losses;
  CHECK(it.look(Link::kLost) == Lines{kConnected[0], kLost[0]});
}

TEST_CASE("a session that the broker has forgotten is told each time, behind the connection") {
  Source it;
  ++it.health.connects;
  CHECK(it.look(Link::kConnected) == kConnected);
  ++it.health.losses;
  ++it.health.connects;
  ++it.health.sessions_lost;
  const Lines told = it.look(Link::kConnected);
  REQUIRE(told.size() == 3);
  CHECK(told[2].find("the broker had forgotten the session") == 0);
  CHECK(it.look(Link::kConnected).empty());
}

TEST_CASE("a file that cannot be read is not a connection") {
  Source it;
  CHECK(it.look(Link::kIdle).empty());
  CHECK(it.look(Link::kUnreadable) == Lines{"source cannot be read, looking again"});
  CHECK(it.look(Link::kUnreadable).empty());
  CHECK(it.look(Link::kIdle) == Lines{"source can be read again"});
}

TEST_CASE("a pause is news for a source that cannot rewind only") {
  Source it;
  CHECK(it.look(Link::kPaused) == Lines{"source paused: its intake is nearly full"});
  SourceLinkLog rewinds(SourceLinkLog::Pauses::kKept);
  CHECK(rewinds.look({.link = Link::kPaused}).empty());
}

TEST_CASE("of refusals that follow each other the first is told") {
  Source it;
  ++it.health.connects;
  CHECK(it.look(Link::kConnected) == kConnected);
  for (int burst = 0; burst < 2; ++burst) {
    ++it.health.refused;
    CHECK(it.look(Link::kConnected) == Lines{"source refuses what is sent to it"});
    ++it.health.refused;
    CHECK(it.look(Link::kConnected).empty());
    CHECK(it.look(Link::kConnected).empty());  // A look without any: the next is told.
  }
}

TEST_CASE("an outage is told once, whatever its reasons, until something is settled") {
  using State = DeliveryStatus::State;
  DeliveryLog log;
  CHECK(log.look(delivery(State::kWaiting, 1, "no connection"))->detail == "no connection");
  CHECK_FALSE(log.look(delivery(State::kWaiting, 2, "HTTP 503")));
  CHECK_FALSE(log.look(delivery(State::kDelivering, 2, "HTTP 503")));
  CHECK_FALSE(log.look(delivery(State::kThrottled, 2, "HTTP 503")));
  DeliveryStatus drains = delivery(State::kThrottled, 2, "HTTP 503");
  drains.shipments = 1;
  CHECK(log.look(drains)->message == "sink delivers again");
  CHECK_FALSE(log.look(drains));
}

TEST_CASE("the hours of a schedule are told once each time they are waited for") {
  using State = DeliveryStatus::State;
  DeliveryLog log;
  CHECK(log.look(delivery(State::kOffSchedule, 0, ""))->weight == News::Weight::kStateChange);
  CHECK_FALSE(log.look(delivery(State::kOffSchedule, 0, "")));
  CHECK_FALSE(log.look(delivery(State::kIdle, 0, "")));
  CHECK(log.look(delivery(State::kOffSchedule, 0, "")));
}

TEST_CASE("a sink that refuses is told, again when somebody must act, and when it delivers again") {
  using State = DeliveryStatus::State;
  DeliveryLog log;
  CHECK_FALSE(log.look(delivery(State::kIdle, 0, "")));
  CHECK(log.look(delivery(State::kWaiting, 1, "503"))->detail == "503");
  CHECK_FALSE(log.look(delivery(State::kWaiting, 2, "503")));
  CHECK(log.look(delivery(State::kPaused, 3, "401"))->detail == "401");
  CHECK_FALSE(log.look(delivery(State::kDelivering, 3, "401")));
  CHECK(log.look(delivery(State::kIdle, 3, "401"))->message == "sink delivers again");
  CHECK_FALSE(log.look(delivery(State::kIdle, 3, "401")));
}

TEST_CASE("trouble while nothing waits is told once, and its end") {
  using State = DeliveryStatus::State;
  DeliveryLog log;
  DeliveryStatus idle = delivery(State::kIdle, 0, "");
  CHECK_FALSE(log.look(idle));
  idle.trouble = "the birth was not taken: not authorized";
  const auto news = log.look(idle);
  REQUIRE(news);
  CHECK(news->weight == News::Weight::kTrouble);
  CHECK(news->detail == idle.trouble);
  CHECK_FALSE(log.look(idle));
  idle.trouble.clear();
  CHECK(log.look(idle)->message == "sink is well again");
  CHECK_FALSE(log.look(idle));
}

TEST_CASE("a refusal that was over before anybody looked is told") {
  using State = DeliveryStatus::State;
  DeliveryLog log;
  const auto news = log.look(delivery(State::kIdle, 1, "connection refused"));
  REQUIRE(news);
  CHECK(news->weight == News::Weight::kTrouble);
  CHECK(news->detail == "connection refused");
}

TEST_CASE("a part that cannot be read is told once, and once when all can be again") {
  Source it;
  CHECK(it.look(Link::kConnected).empty());
  it.health.trouble = "unit 3: no answer within 1 s, next try in 2 s";
  CHECK(it.look(Link::kConnected) == Lines{"a part of the source cannot be read"});
  it.health.trouble = "unit 3: no answer within 1 s, next try in 4 s";
  CHECK(it.look(Link::kConnected).empty());
  it.health.trouble.clear();
  CHECK(it.look(Link::kLost) == kNever);
  CHECK(it.look(Link::kConnected) == Lines{"all of the source can be read again"});
  it.health.trouble = "/plant/closed: Permission denied";
  CHECK(it.look(Link::kIdle) == Lines{"a part of the source cannot be read"});
}
