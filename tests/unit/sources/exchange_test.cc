#include "sources/listen/exchange.h"

#include <doctest/doctest.h>

#include <deque>

#include "tests/unit/sources/counted_events.h"

using namespace leat;
using namespace leat::listen;

namespace {

/// What a peer sends, piece by piece; then it is late, or has closed.
class ScriptedWire final : public Wire {
 public:
  std::deque<std::string> pieces;
  Wired then = Wired::kClosed;
  std::string sent;

  Wired read(char* to, std::size_t size, Moment, std::size_t& done) override {
    if (pieces.empty()) return then;
    done = std::min(size, pieces.front().size());
    pieces.front().copy(to, done);
    pieces.front().erase(0, done);
    if (pieces.front().empty()) pieces.pop_front();
    return Wired::kDone;
  }
  Wired write(const char* from, std::size_t size, Moment, std::size_t& done) override {
    done = std::min<std::size_t>(size, 7);
    sent.append(from, done);
    return Wired::kDone;
  }
  Wired wait(Moment) override { return pieces.empty() ? then : Wired::kDone; }
  [[nodiscard]] bool is_alive() const override { return true; }
};

struct Connection {
  ScriptedWire wire;
  Peer peer;
  ExchangeLimits limits{.header_bytes = 20, .body_bytes = 100};
  CountedEvents events;
  bool ending = false;
  Exchange exchange{wire, peer, limits, events, [this] { return ending; }};

  std::string read(std::size_t most) {
    std::string text(most, '\0');
    std::size_t done = 0;
    while (done < most) {
      const ssize_t more = exchange.read(text.data() + done, most - done);
      if (more <= 0) break;
      done += static_cast<std::size_t>(more);
    }
    text.resize(done);
    return text;
  }
  std::string finish() {
    exchange.finish();
    return wire.sent.substr(0, wire.sent.find("\r\n"));
  }
};

}  // namespace

TEST_CASE("headers end at their bound, wherever the pieces are cut") {
  Connection connection;
  connection.wire.pieces = {"0123456789", "0123456", "789abc"};
  REQUIRE(connection.exchange.begin_request());
  CHECK(connection.read(30) == "01234567890123456789");
  CHECK(connection.finish() == "HTTP/1.1 431 Request Header Fields Too Large");
  CHECK(connection.events.count(Refused::kSize) == 1);
}

TEST_CASE("a body has a bound of its own, and what was read with the headers counts there") {
  Connection connection;
  connection.wire.pieces = {"headers", std::string(70'000, 'x')};
  REQUIRE(connection.exchange.begin_request());
  CHECK(connection.read(7) == "headers");
  connection.exchange.headers_are_read();
  CHECK(connection.read(100'000).size() == 100 + (64 << 10));
  CHECK(connection.finish() == "HTTP/1.1 413 Payload Too Large");
}

TEST_CASE("a request that is late is told so, and counted") {
  Connection connection;
  connection.wire.pieces = {"GET"};
  connection.wire.then = Wired::kLate;
  REQUIRE(connection.exchange.begin_request());
  CHECK(connection.read(10) == "GET");
  CHECK(connection.finish() == "HTTP/1.1 408 Request Timeout");
  CHECK(connection.events.count(Refused::kSlow) == 1);
}

TEST_CASE("a peer that says nothing, or has gone, is no late request") {
  for (const Wired then : {Wired::kLate, Wired::kClosed}) {
    Connection connection;
    connection.wire.then = then;
    CHECK_FALSE(connection.exchange.begin_request());
    CHECK(connection.finish().empty());
  }
  Connection gone;
  gone.wire.pieces = {"GET"};
  REQUIRE(gone.exchange.begin_request());
  CHECK(gone.read(10) == "GET");
  CHECK(gone.finish().empty());
}

TEST_CASE("a request that a stop cuts off is told to come again: it is not its sender's mistake") {
  for (const bool has_headers : {false, true}) {
    Connection connection;
    connection.wire.pieces = {"POST"};
    REQUIRE(connection.exchange.begin_request());
    if (has_headers) connection.exchange.headers_are_read();
    connection.ending = true;
    CHECK(connection.read(10) == "POST");
    CHECK(connection.finish() == "HTTP/1.1 503 Service Unavailable");
    CHECK(connection.wire.sent.find("\r\nRetry-After: 1\r\n") != std::string::npos);
  }
  Connection quiet;
  quiet.ending = true;
  CHECK_FALSE(quiet.exchange.begin_request());
  CHECK(quiet.finish().empty());
}

TEST_CASE("the next request may have come with this one") {
  Connection connection;
  connection.wire.pieces = {"firstsecond"};
  REQUIRE(connection.exchange.begin_request());
  CHECK(connection.read(5) == "first");
  connection.exchange.headers_are_read();
  connection.exchange.request_is_read();
  CHECK(connection.exchange.is_whole());
  REQUIRE(connection.exchange.begin_request());
  CHECK_FALSE(connection.exchange.is_whole());
  CHECK(connection.read(6) == "second");
}

TEST_CASE("what is refused is read no further, and answered once") {
  Connection connection;
  connection.wire.pieces = {"body"};
  REQUIRE(connection.exchange.begin_request());
  connection.exchange.refuse(problem(401, "not known", "x"));
  connection.exchange.refuse(problem(400, "later", "x"));
  CHECK(connection.read(4).empty());
  CHECK(connection.exchange.write("HTTP/1.1 400", 12) == 12);
  CHECK(connection.finish() == "HTTP/1.1 401 Unauthorized");
  CHECK(connection.wire.sent.find("\r\nConnection: close\r\n") != std::string::npos);
  CHECK_FALSE(connection.exchange.is_whole());
}

TEST_CASE("an answer goes out whole, in as many writes as it takes") {
  Connection connection;
  const std::string answer(200'000, 'a');
  CHECK(connection.exchange.write(answer.data(), answer.size()) == 200'000);
  CHECK(connection.wire.sent == answer);
}
