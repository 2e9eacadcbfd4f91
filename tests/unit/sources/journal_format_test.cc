#include "sources/journal_format.h"

#include <doctest/doctest.h>

namespace leat::sources {
namespace {

TEST_CASE("a record has the bytes that the grammar says") {
  std::string bytes;
  encode_record({.epoch = 3, .number = {258}, .intake_time = -1}, {"k", "at", "pay"}, 77, bytes);
  REQUIRE(bytes.size() == 56);
  CHECK(bytes.substr(8, 4) == "LREC");
  CHECK(bytes.substr(12, 4) == std::string("\x03\0\0\0", 4));
  CHECK(bytes.substr(16, 8) == std::string("\x02\x01\0\0\0\0\0\0", 8));
  CHECK(bytes.substr(24, 8) == std::string(8, '\xff'));
  CHECK(bytes.substr(44, 4) == std::string("\x01\0\0\0", 4));
  CHECK(bytes.substr(48) == std::string("katpay\0\0", 8));
}

TEST_CASE("a record's checksum is that of its ring: under another seed it is none") {
  std::string bytes;
  encode_record({.epoch = 3, .number = {258}}, {"k", "at", "pay"}, 77, bytes);
  const RecordHead head = *decode_head(bytes);
  CHECK(checksum_matches(head, bytes, 77));
  CHECK(!checksum_matches(head, bytes, 78));
  CHECK(!checksum_matches(head, bytes, 0));
}

TEST_CASE("a record may follow with the next number, or with a larger one in a later epoch") {
  const JournalMark before{.offset = 0, .number = {5}, .epoch = 2};
  CHECK(continues(before, {.epoch = 2, .number = {6}}));
  CHECK(continues(before, {.epoch = 3, .number = {6}}));
  CHECK(continues(before, {.epoch = 3, .number = {9}}));
  CHECK(!continues(before, {.epoch = 2, .number = {7}}));
  CHECK(!continues(before, {.epoch = 2, .number = {5}}));
  CHECK(!continues(before, {.epoch = 1, .number = {6}}));
}

TEST_CASE("a slot reads back, and not with any byte of it changed") {
  const JournalSlot slot{.epoch = 4,
                         .sequence = 9,
                         .ring_size = 800,
                         .head = {16, {3}, 2},
                         .last = {7},
                         .next = {9},
                         .seed = 11,
                         .closed = true};
  std::string bytes = encode_slot(slot);
  REQUIRE(bytes.size() == kSlotBytes);
  const auto back = decode_slot(bytes);
  REQUIRE(back.has_value());
  CHECK(back->head.number == MessageNumber{3});
  CHECK(back->next == MessageNumber{9});
  CHECK(back->seed == 11);
  CHECK(back->closed);
  for (std::size_t at = 0; at < 100; ++at) {
    std::string wrong = bytes;
    wrong[at] ^= 1;
    const auto read = decode_slot(wrong);
    CHECK((!read || read->version > kJournalVersion));
  }
}

}  // namespace
}  // namespace leat::sources
