#include "sinks/http/http_outcome.h"

#include <doctest/doctest.h>

using namespace leat;
using namespace leat::sinks;

namespace {

constexpr std::int64_t kNow = 784'111'770 * kMicrosPerSecond;  // 1994-11-06T08:49:30Z

Delivery outcome(int status) {
  return outcome_of(clients::HttpResponse{status, "", "", "why"}, kNow);
}

std::optional<Micros> seconds(std::int64_t count) {
  return Micros(count * kMicrosPerSecond);
}

}  // namespace

TEST_CASE("2xx is delivered") {
  for (const int status : {200, 201, 202, 204, 299})
    CHECK(std::holds_alternative<Delivered>(outcome(status)));
}

TEST_CASE("what may pass is tried again") {
  for (const int status : {408, 409, 421, 423, 425, 429, 500, 502, 503, 504, 507, 599}) {
    const Delivery answer = outcome(status);
    REQUIRE(std::holds_alternative<Retry>(answer));
    CHECK_FALSE(std::get<Retry>(answer).paused);
  }
}

TEST_CASE("a conflict that lasts is for a human to end; other answers may last") {
  const auto paused = [](int status, std::uint32_t attempt) {
    return std::get<Retry>(outcome_of({status, "", "", "why"}, kNow, attempt)).paused;
  };
  CHECK_FALSE(paused(409, 9));
  CHECK(paused(409, 10));
  CHECK_FALSE(paused(503, 1000));
}

TEST_CASE("wrong credentials, a wrong path and redirects pause the sink and reject nothing") {
  for (const int status : {100, 301, 302, 304, 307, 308, 401, 403, 404, 405, 407, 410, 411, 415, 426, 451}) {
    const Delivery answer = outcome(status);
    REQUIRE(std::holds_alternative<Retry>(answer));
    CHECK(std::get<Retry>(answer).paused);
  }
}

TEST_CASE("what would be refused for ever is rejected as a whole") {
  for (const int status : {400, 402, 406, 413, 414, 422, 431}) {
    const Delivery answer = outcome(status);
    REQUIRE(std::holds_alternative<Rejected>(answer));
    CHECK(std::get<Rejected>(answer).records.empty());
    CHECK(std::get<Rejected>(answer).reason.ends_with("why"));
  }
}

TEST_CASE("a redirect's reason says where it leads") {
  const Delivery answer = outcome_of({302, "", "https://other/", ""}, kNow);
  CHECK(std::get<Retry>(answer).reason.find("a redirect to https://other/ is not followed") !=
        std::string::npos);
}

TEST_CASE("a reason is one line of bounded length, whatever the body holds") {
  const Delivery answer = outcome_of({500, "", "", "a\nb" + std::string(5000, 'x')}, kNow);
  CHECK(std::get<Retry>(answer).reason.starts_with("HTTP 500: a b"));
  CHECK(std::get<Retry>(answer).reason.size() < 300);
}

TEST_CASE("Retry-After is read as seconds and as each of the three forms of an HTTP date") {
  CHECK(parse_retry_after("120", kNow) == seconds(120));
  CHECK(parse_retry_after(" 0 ", kNow) == seconds(0));
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", kNow) == seconds(7));
  CHECK(parse_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", kNow) == seconds(7));
  CHECK(parse_retry_after("Sun Nov  6 08:49:37 1994", kNow) == seconds(7));
}

TEST_CASE("a date that has passed is now, and what no clock can hold is a hundred years") {
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", kNow) == seconds(0));
  CHECK(parse_retry_after("99999999999999999999999", kNow) == seconds(100LL * 365 * 86'400));
  CHECK(parse_retry_after("9999999999999", kNow) == seconds(100LL * 365 * 86'400));
  CHECK(parse_retry_after("Mon, 06 Nov 1995 08:49:30 GMT", kNow) == seconds(365 * 86'400));
}

TEST_CASE("413 says that it is the size, other refusals that it is the content") {
  CHECK(std::get<Rejected>(outcome_of({413, "", "", ""}, kNow)).cause == Rejected::Cause::kSize);
  CHECK(std::get<Rejected>(outcome_of({400, "", "", ""}, kNow)).cause == Rejected::Cause::kContent);
}

TEST_CASE("a Retry-After that is neither is ignored") {
  for (const char* text : {"", "-1", "1.5", "soon", "12 s", "Sun, 06 Nov 1994 08:49:37 CET"})
    CHECK_FALSE(parse_retry_after(text, kNow));
}

TEST_CASE("Retry-After reaches delivery") {
  CHECK(std::get<Retry>(outcome_of({429, "2", "", ""}, kNow)).after == seconds(2));
  CHECK_FALSE(std::get<Retry>(outcome_of({503, "", "", ""}, kNow)).after);
}
