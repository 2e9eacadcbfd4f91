#include "sinks/kafka/kafka_progress.h"

#include <doctest/doctest.h>

using namespace leat;
using namespace leat::sinks;

namespace {

Record record(std::string_view key, std::string_view payload) {
  Record made;
  made.key = key;
  made.payload = payload;
  return made;
}

std::string unit(std::uint64_t number, const std::vector<Record>& records,
                 std::optional<Shipment::Part> part = {}) {
  Shipment shipment{.store = {}, .number = {number}, .blocks = {}, .sink_state = {}};
  shipment.part = part;
  return unit_name(shipment, records);
}

Evidence evidence(std::optional<std::string> arrived) {
  return {.unit = "8:0+3:b", .last = "7:0+3:a", .arrived = std::move(arrived)};
}

}  // namespace

TEST_CASE("a unit is named by its number, its records' place and count, and their bytes") {
  const std::vector<Record> records{record("k", "one"), record("k", "two")};
  CHECK(unit(41, records).starts_with("41:0+2:"));
  CHECK(unit(41, records) == unit(41, records));
  CHECK(unit(41, records, Shipment::Part{6, 2}).starts_with("41:6+2:"));
}

TEST_CASE("other bytes under the same number are another unit") {
  const std::string one = unit(1, {record("k", "value"), record("", "x")});
  CHECK(one != unit(1, {record("k", "valuf"), record("", "x")}));
  CHECK(one != unit(1, {record("", "x"), record("k", "value")}));
  CHECK(one != unit(1, {record("kv", "alue"), record("", "x")}));
  CHECK(one != unit(1, {record("k", std::string_view("value\0", 6)), record("", "x")}));
}

TEST_CASE("a record's headers are part of it") {
  Record with = record("k", "v");
  with.headers = {{"topic", "a"}};
  CHECK(record_digest(with) != record_digest(record("k", "v")));
}

TEST_CASE("progress survives as text, and anybody else's metadata is none") {
  const KafkaProgress progress{"00ff", "41:0+2:0123456789abcdef"};
  CHECK(read_progress(write_progress(progress)) == progress);
  for (const char* other : {"", "leat1", "leat1 claim", "leat2 a b", "{}"}) CHECK_FALSE(read_progress(other));
}

TEST_CASE("the state survives as bytes") {
  KafkaState state{.store = "s",
                   .topic = "t",
                   .cluster = "c",
                   .unit = "1:0+1:d",
                   .former = "f",
                   .former_unit = "9:0+1:e",
                   .ends = {0, 7, 1LL << 40}};
  const auto read = decode_state(encode_state(state));
  REQUIRE(read);
  CHECK(encode_state(*read) == encode_state(state));
  CHECK(read->ends == state.ends);
  CHECK(read->former_unit == "9:0+1:e");
}

TEST_CASE("no bytes are the state of a sink that never delivered, others must be whole") {
  CHECK(decode_state("")->store.empty());
  const std::string bytes = encode_state({.store = "s", .topic = "t", .ends = {1, 2}});
  for (std::size_t size = 1; size < bytes.size(); ++size) CHECK_FALSE(decode_state(bytes.substr(0, size)));
  CHECK_FALSE(decode_state(bytes + "x"));
  CHECK_FALSE(decode_state("\x02" + bytes.substr(1)));
}

TEST_CASE("its own unit in the broker settles a shipment, the one before it sends it") {
  CHECK(judge(evidence("8:0+3:b")) == Verdict::kSettled);
  CHECK(judge(evidence("7:0+3:a")) == Verdict::kSend);
}

TEST_CASE("anything else in the broker is looked for in the topic") {
  for (const char* other : {"8:0+3:x", "9:0+1:c", "6:0+1:z", "8:0+1:b", "taken:other", ""})
    CHECK(judge(evidence(other)) == Verdict::kSearch);
}

TEST_CASE("a number that is gone is looked for, unless nothing was ever sent") {
  CHECK(judge(evidence(std::nullopt)) == Verdict::kSearch);
  CHECK(judge({.unit = "1:0+1:a", .untried = true}) == Verdict::kSend);
  CHECK(judge({.unit = "1:0+1:a", .untried = false}) == Verdict::kSearch);
  CHECK(judge({.unit = "8:0+3:b", .last = "7:0+3:a", .untried = true}) == Verdict::kSearch);
}
