#include "daemon/cli/event_stream.h"

#include <doctest/doctest.h>

#include <vector>

using namespace leat::cli;

namespace {

/// The events of a text that comes in pieces of `size` bytes: "name:data".
std::vector<std::string> events_of(std::string_view text, std::size_t size) {
  std::vector<std::string> events;
  EventStream stream([&](std::string_view name, std::string_view data) {
    events.push_back(std::string(name) + ":" + std::string(data));
    return true;
  });
  for (; !text.empty(); text.remove_prefix(std::min(size, text.size())))
    REQUIRE(stream.take(text.substr(0, size)));
  return events;
}

}  // namespace

TEST_CASE("events are the same wherever the bytes are cut") {
  const std::string text =
      "event: schema\ndata: {\"a\": 1}\n\n: alive\n\ndata: x\r\ndata:y\r\n\r\nevent: end\n\n";
  for (std::size_t size : {1, 2, 7, 1000})
    CHECK(events_of(text, size) == std::vector<std::string>{"schema:{\"a\": 1}", "message:x\ny"});
}

TEST_CASE("an event that has not ended is not told") {
  CHECK(events_of("data: 1\n\ndata: 2\n", 3) == std::vector<std::string>{"message:1"});
}

TEST_CASE("the reader says when it has enough") {
  EventStream stream([](std::string_view, std::string_view) { return false; });
  CHECK_FALSE(stream.take("data: 1\n\ndata: 2\n\n"));
}
