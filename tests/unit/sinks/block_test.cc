#include "sinks/block.h"

#include <doctest/doctest.h>

using namespace leat;
using namespace leat::sinks;

namespace {

std::string three_records() {
  BlockBuilder builder;
  builder.add("k1", "first", {{"topic", "a"}, {"site", ""}});
  builder.add("", "");
  builder.add("k3", std::string(300, 'x'));
  return builder.seal();
}

}  // namespace

TEST_CASE("a block gives back its records, keys and headers in order") {
  const std::string block = three_records();
  const auto records = read_block(block);
  REQUIRE(records);
  REQUIRE(records->size() == 3);
  CHECK((*records)[0].key == "k1");
  CHECK((*records)[0].headers == Headers{{"topic", "a"}, {"site", ""}});
  CHECK((*records)[1].payload.empty());
  CHECK((*records)[2].payload.size() == 300);
}

TEST_CASE("records of any size are given back, alone and among others") {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 128U, 129U, 16'383U, 16'384U}) {
    BlockBuilder builder;
    const std::string payload(size, 'p');
    builder.add("", payload);
    builder.add("key", payload);
    builder.add("", payload, {{"name", "value"}});
    builder.add("", payload);
    const std::string block = builder.seal();
    const auto records = read_block(block);
    REQUIRE(records.has_value());
    REQUIRE(records->size() == 4);
    for (const Record& record : *records) CHECK(record.payload == payload);
    CHECK((*records)[1].key == "key");
    CHECK((*records)[2].headers.size() == 1);
    CHECK((*records)[3].key.empty());
    CHECK((*records)[3].headers.empty());
  }
}

TEST_CASE("a tombstone is no empty payload") {
  BlockBuilder builder;
  builder.add("a", "");
  builder.add_tombstone("a", {{"topic", "t"}});
  const std::string block = builder.seal();
  const auto records = read_block(block);
  REQUIRE(records);
  CHECK((*records)[0].kind == Record::Kind::kValue);
  CHECK((*records)[1].kind == Record::Kind::kTombstone);
  CHECK((*records)[1].headers == Headers{{"topic", "t"}});
  BlockBuilder again;
  for (const Record& record : *records) again.add(record);
  CHECK(again.seal() == block);
}

TEST_CASE("a block of the version before is read") {
  const std::string block(
      "\x01\x02\x01k\x03"
      "one\x00\x00\x00\x01\x01n\x01v",
      16);
  const auto records = read_block(block);
  REQUIRE(records);
  REQUIRE(records->size() == 2);
  CHECK((*records)[0].key == "k");
  CHECK((*records)[0].payload == "one");
  CHECK((*records)[1].kind == Record::Kind::kValue);
  CHECK((*records)[1].headers == Headers{{"n", "v"}});
}

TEST_CASE("a sealed builder begins anew") {
  BlockBuilder builder;
  builder.add("", "one");
  (void)builder.seal();
  CHECK(builder.records() == 0);
  CHECK(builder.bytes() == 0);
  builder.add("", "two");
  const std::string block = builder.seal();
  CHECK(read_block(block)->front().payload == "two");
}

TEST_CASE("a block that is cut at any byte is corrupt") {
  const std::string block = three_records();
  for (std::size_t length = 0; length < block.size(); ++length) {
    const auto records = read_block(std::string_view(block).substr(0, length));
    REQUIRE_FALSE(records);
    CHECK(records.error().code == ErrorCode::kCorrupt);
  }
}

TEST_CASE("a block with any byte changed is read within its bounds or found corrupt") {
  const std::string good = three_records();
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int change = 1; change < 256; ++change) {
      std::string block = good;
      block[at] = static_cast<char>(block[at] ^ change);
      const auto records = read_block(block);
      if (!records) CHECK(records.error().code == ErrorCode::kCorrupt);
      if (records) CHECK(records->size() <= block.size());
    }
  }
}

TEST_CASE("bytes behind the last record are corrupt, and an unknown version is") {
  CHECK_FALSE(read_block(three_records() + "x"));
  std::string newer = three_records();
  newer[0] = 3;
  CHECK(read_block(newer).error().message == "block: version 3 is not known");
}

TEST_CASE("several blocks give their records one behind the other") {
  const std::vector<std::string> blocks{three_records(), three_records()};
  CHECK(read_blocks(blocks)->size() == 6);
  CHECK_FALSE(read_blocks(std::vector<std::string>{three_records(), ""}));
}
